// A page that waits for a state: asks once a second, reloads when the state has changed. Progress parts are kept fresh.

const root = document.querySelector("[data-watch]");
const final = new Set((root.dataset.final ?? "").split(" "));
const part = (name) => root.querySelector(`[data-part="${name}"]`);

function show(state) {
  const bar = part("bar");
  if (bar && typeof state.share === "number") {
    bar.value = state.share;
    part("percent").textContent = `${Math.round(100 * state.share)} %`;
  }
  for (const stage of state.stages ?? []) {
    const line = root.querySelector(`[data-stage="${stage.name}"]`);
    if (line) line.dataset.state = stage.state;
  }
  const detail = part("detail");
  if (detail && state.stage) {
    const words = [state.iteration ? `${state.iteration} / ${state.iterations}` : "", state.psnr_db ? `${state.psnr_db.toFixed(1)} dB` : "", state.note];
    detail.textContent = words.filter(Boolean).join(" · ");
  }
  const left = part("left");
  if (left) left.textContent = state.eta_s ? left.dataset.words.replace("{seconds}", Math.round(state.eta_s)) : "";
}

async function look() {
  try {
    const response = await fetch(root.dataset.watch, { credentials: "same-origin", headers: { Accept: "application/json" } });
    const state = await response.json();
    show(state);
    if (state.state !== root.dataset.state) {
      location.assign(state.state === "trained" && state.next ? state.next : location.href);
      return;
    }
  } catch {
    // The service is away for a moment; the next look tells.
  }
  setTimeout(look, 1000);
}

if (!final.has(root.dataset.state)) look();
