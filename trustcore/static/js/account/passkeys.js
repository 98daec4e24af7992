/* Passkeys: sign in, show it is you again, add one. Native WebAuthn JSON, no library. */

const form = document.querySelector("form[data-passkey]");
const problem = document.querySelector("[data-problem]");
const csrf = document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";

function say(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

async function json(url, body) {
  const headers = { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" };
  if (body) Object.assign(headers, { "Content-Type": "application/json", "X-CSRFToken": csrf });
  const answer = await fetch(url, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.message || problem.dataset.failed);
  return content;
}

async function ask(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  return (await navigator.credentials.get({ publicKey })).toJSON();
}

async function signIn() {
  const options = form.dataset.options
    ? JSON.parse(document.getElementById(form.dataset.options).textContent).request_options
    : (await json(form.action)).request_options;
  form.elements.credential.value = JSON.stringify(await ask(options));
  form.submit();
}

async function add() {
  const options = await json(form.action);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
  const credential = (await navigator.credentials.create({ publicKey })).toJSON();
  await json(form.action, { name: form.elements.name.value, credential });
  location.reload();
}

if (form) {
  const act = form.dataset.passkey === "add" ? add : signIn;
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) say(problem.dataset.unsupported);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    form.querySelector("button").disabled = true;
    try {
      await act();
    } catch (error) {
      say(error.name === "NotAllowedError" ? problem.dataset.cancelled : error.message || problem.dataset.failed);
    } finally {
      form.querySelector("button").disabled = false;
    }
  });
}
