// Sign the statement on this page with a passkey. The server made the challenge from the statement's hash; the hash
// that stands on this page goes back with the answer, so a statement that changed meanwhile is noticed.
const box = document.getElementById("signing");
const button = document.getElementById("sign");
const words = document.getElementById("words-read");

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function post(url, body) {
  const response = await fetch(url, {
    method: "POST", body: body === undefined ? undefined : JSON.stringify(body),
    headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": box.querySelector("[name=csrfmiddlewaretoken]").value },
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

function asked(options) {
  return { ...options, challenge: bytes(options.challenge), allowCredentials: options.allowCredentials.map((one) => ({ ...one, id: bytes(one.id) })) };
}

function answered(credential) {
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
  return {
    id: credential.id, rawId: text(credential.rawId), type: credential.type, clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature), userHandle: userHandle ? text(userHandle) : null },
  };
}

async function sign() {
  const problem = document.getElementById("sign-problem");
  const label = button.textContent;
  problem.hidden = true;
  button.disabled = true;
  button.textContent = "Waiting for your passkey";
  try {
    const { nonce, publicKey } = await post(box.dataset.challenge);
    const credential = await navigator.credentials.get({ publicKey: asked(publicKey) });
    const done = await post(box.dataset.sign, { nonce, statement_sha256: box.dataset.statement, assertion: answered(credential) });
    location.assign(done.next);
  } catch (error) {
    problem.textContent = error.name === "NotAllowedError" ? "Nothing was signed: the passkey was not used in time, or you said no." : `Nothing was signed. ${error.message}`;
    problem.hidden = false;
    button.textContent = label;
    button.disabled = false;
  }
}

if (box && button && words) {
  words.addEventListener("change", () => { button.disabled = !words.checked; });
  button.addEventListener("click", sign);
  button.disabled = !words.checked;
}
