// Follow a running check. The server's page alone shows the same, one reload at a time.
const ASK_EVERY_MS = 1000;
const card = document.querySelector("[data-progress]");
const part = (name) => card.querySelector(`[data-part=${name}]`);

async function follow() {
  try {
    const answer = await fetch(card.dataset.url, { headers: { accept: "application/json" } });
    if (answer.ok) {
      const told = await answer.json();
      if (told.is_over) return location.reload();
      show(told);
    }
  } catch {
    // The network is gone for a moment: the bar stays where it is, and the next question may be answered.
  }
  setTimeout(follow, ASK_EVERY_MS);
}

function show({ step, note, share, at }) {
  // A status that is written again without a change would be read aloud again.
  if (part("step").textContent !== step) part("step").textContent = step;
  part("note").textContent = note;
  part("bar").value = share;
  for (const item of card.querySelectorAll("[data-step]")) {
    const number = Number(item.dataset.step);
    item.className = number < at ? "done" : number === at ? "now" : "";
    if (number === at) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
}

setTimeout(follow, ASK_EVERY_MS);
