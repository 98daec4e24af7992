// Asks the viewer whether they may be perceived, and takes no for an answer. This script is named by pages alone on
// which the law lets it be asked. What perceives is in a frame that exists only between a yes and the next no.

import { messageOf, REVOKED } from "./vectors.js";

const panel = document.querySelector("[data-perception]");
const root = document.querySelector("[data-viewer]");
const { wordUrl, frameUrl } = panel.dataset;
const csrf = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? root.dataset.csrfToken ?? "";
let frame = null;
let consent = "";
let number = 0;

const send = (text) => root.dispatchEvent(new CustomEvent("trustcore:send", { detail: text }));
const note = (text) => { panel.querySelector('[data-part="perception-note"]').textContent = text ?? ""; };

async function say(word) {
  const response = await fetch(wordUrl, {
    method: "POST", credentials: "same-origin", keepalive: true, body: JSON.stringify({ word }),
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
  });
  return response.ok ? response.json() : null;
}

async function allow() {
  const answer = await say("grant").catch(() => null);
  if (!answer?.consent) return note(panel.dataset.engineFailed);
  [consent, number] = [answer.consent, 0];
  frame = document.createElement("iframe");
  frame.hidden = true;
  frame.title = "perception";
  frame.allow = "camera; microphone";
  frame.src = frameUrl;
  panel.append(frame);
  panel.dataset.state = "on";
  return undefined;
}

// At once, in this order: nothing more is sent, the worker forgets, the light goes off; then it is put on record.
function stop(why = "") {
  const wasOn = consent !== "";
  consent = "";
  if (wasOn) send(REVOKED);
  frame?.contentWindow?.postMessage("stop", location.origin);
  frame?.remove();
  frame = null;
  panel.dataset.state = "off";
  note(why);
  if (wasOn) say("revoke").catch(() => {});
}

window.addEventListener("message", ({ origin, source, data }) => {
  if (origin !== location.origin || frame === null || source !== frame.contentWindow) return;
  if (data.kind === "vector") {
    if (consent === "") return;
    number += 1;
    send(messageOf(consent, number, data.parts));
    note("");
  } else if (data.kind === "learning") note(panel.dataset.learning);
  else if (data.kind === "refused") stop(panel.dataset.cameraRefused);
  else if (data.kind === "failed") stop(panel.dataset.engineFailed);
});

const acts = { allow, decline: () => stop(), stop: () => stop(), ask: () => { panel.dataset.state = "asking"; note(""); } };
for (const button of panel.querySelectorAll("[data-act]")) button.addEventListener("click", () => acts[button.dataset.act]());

// It is for one connection: when the line is made again or the talk is over, so is the consent.
new MutationObserver(() => {
  if (["reconnecting", "ended"].includes(root.dataset.state) && consent !== "") stop();
}).observe(root, { attributeFilter: ["data-state"] });
window.addEventListener("pagehide", () => { if (consent !== "") stop(); });
