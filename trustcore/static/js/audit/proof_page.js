// The auditor's proof panel: fetch the bytes, check them here, show each step with its own result.

import { Wrong, checkLeaf, checkSignature, climb, fromBase64, readCheckpoint, sameBytes, toHex } from "./log_proof.js";

const panel = document.querySelector("[data-proof]");
const verdict = panel.querySelector("[data-verdict]");
const steps = panel.querySelector("[data-steps]");

function addStep(chip, word, sentence) {
  const item = document.createElement("li");
  const mark = document.createElement("span");
  mark.className = `chip ${chip}`;
  mark.textContent = word;
  item.append(mark, ` ${sentence}`);
  steps.append(item);
}

function addBytes(name, value) {
  const list = panel.querySelector("[data-bytes]");
  const [term, text] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  text.className = "mono";
  text.textContent = value;
  list.append(term, text);
}

function finish(tone, sentence) {
  verdict.className = `notice ${tone}`;
  verdict.textContent = sentence;
}

// A drawing for the eye; the steps above it say the same in words.
function draw(nodes) {
  const svg = panel.querySelector("[data-path]");
  const shown = nodes.length > 6 ? [...nodes.slice(0, 3), null, ...nodes.slice(-2)] : nodes;
  const height = shown.length * 38;
  svg.setAttribute("viewBox", `0 0 320 ${height}`);
  shown.forEach((node, i) => {
    const y = height - 38 * i - 30;
    if (i > 0) svg.append(shape("line", { x1: 60, y1: y + 26, x2: 60, y2: y + 38, class: "step-line" }));
    if (node === null) {
      svg.append(label(60, y + 17, `${nodes.length - 5} more steps`, "middle"));
      return;
    }
    const isEnd = i === shown.length - 1;
    svg.append(shape("rect", { x: 10, y, width: 100, height: 26, rx: 6, class: isEnd ? "node root" : "node" }));
    const name = i === 0 ? "leaf" : isEnd ? "root" : toHex(node.slice(0, 2));
    svg.append(label(60, y + 17, name, "middle", "node-text"));
    svg.append(label(124, y + 17, i === 0 ? "this entry" : isEnd ? "signed by the log" : "", "start"));
  });
  svg.hidden = false;
}

function shape(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function label(x, y, text, anchor, kind = "") {
  const element = shape("text", { x, y, "text-anchor": anchor, class: kind });
  element.textContent = text;
  return element;
}

async function checkSigned(proof, checkpoint) {
  try {
    await checkSignature(checkpoint, proof.log, fromBase64(proof.log_key));
  } catch (error) {
    if (error instanceof Wrong) throw error;
    addStep("not_run", "not run", "Log key: this browser cannot check Ed25519 signatures.");
    return false;
  }
  addStep("pass", "holds", "Log key signed that checkpoint.");
  return true;
}

async function check(proof) {
  const leafHash = await checkLeaf(proof);
  addStep("pass", "holds", "Entry bytes hash to the leaf.");
  const nodes = await climb(leafHash, proof.seq, proof.size, proof.path);
  const checkpoint = readCheckpoint(proof.checkpoint);
  if (checkpoint.size !== proof.size || !sameBytes(checkpoint.root, nodes.at(-1))) {
    addBytes("root we computed", toHex(nodes.at(-1)));
    addBytes("root of the checkpoint", toHex(checkpoint.root));
    throw new Wrong("The proof does not fit the checkpoint. Stop here and tell the log's owner.");
  }
  addStep("pass", "holds", `${proof.path.length} steps lead to the root of checkpoint ${proof.size}.`);
  const isSigned = await checkSigned(proof, checkpoint);
  addBytes("leaf", toHex(leafHash));
  addBytes("root", toHex(checkpoint.root));
  addBytes("log", proof.log);
  draw(nodes);
  return isSigned;
}

try {
  const answer = await fetch(panel.dataset.proof, { headers: { accept: "application/json" } });
  const proof = await answer.json();
  if (!answer.ok) {
    finish("warn", proof.message);
  } else if (await check(proof)) {
    const now = new Date().toLocaleTimeString();
    finish("ok", `In the log, proven. Checked here, on your machine, at ${now}.`);
  } else {
    finish("warn", "The path holds, but the log's signature was not checked here. Save the proof and check it offline.");
  }
} catch (error) {
  if (!(error instanceof Wrong) && !(error instanceof TypeError)) throw error;
  addStep("fail", "fails", error.message);
  finish("bad", error instanceof Wrong ? error.message : "The proof could not be fetched. Nothing was checked. Try again.");
}
