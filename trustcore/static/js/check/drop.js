// A file dropped anywhere on the form is as good as a chosen one. While the person chooses, a small puzzle is solved in
// the background: whoever pays with a second of computing may ask more often. Without it the form works as well.
const SOLVE_AT_MOST_MS = 20_000;

for (const form of document.querySelectorAll("form[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  const zone = form.querySelector(".drop-zone");
  let solution = null;
  const prepare = () => { solution ??= solved(form); };
  form.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  form.addEventListener("dragleave", () => zone.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length > 0) input.files = event.dataTransfer.files;
    prepare();
  });
  input.addEventListener("change", prepare);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector("[data-busy]").hidden = false;
    form.querySelector("button").disabled = true;
    if (input.files.length > 0) {
      prepare();
      form.elements.solution.value = await solution;
    }
    form.submit();
  });
}
// A page that the browser kept and shows again must be usable again.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

/** The solution of a form's puzzle, or "" where this browser cannot solve it in time. */
function solved(form) {
  if (!globalThis.isSecureContext || !globalThis.Worker) return Promise.resolve("");
  const worker = new Worker(form.dataset.puzzleScript, { type: "module" });
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(""), SOLVE_AT_MOST_MS);
    worker.addEventListener("message", ({ data }) => { clearTimeout(timer); resolve(data); });
    worker.addEventListener("error", () => { clearTimeout(timer); resolve(""); });
    worker.postMessage(form.elements.puzzle.value);
  }).finally(() => worker.terminate());
}
