// The comparison film: one slider is its time, bars under it say how much each frame differs. The film is fetched once.

const root = document.querySelector("[data-comparison]");
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const film = part("film");
const place = part("place");
const errors = JSON.parse(document.getElementById("film-errors").textContent);
const fps = Number(root.dataset.fps);
const startS = Number(root.dataset.start);

function frameNow() {
  return Math.min(errors.length - 1, Math.floor(film.currentTime * fps + 1e-3));
}

function tell(frame) {
  place.value = frame;
  const facts = { number: frame + 1, count: errors.length, time: (startS + frame / fps).toFixed(1), error: errors[frame].toFixed(1) };
  const words = root.dataset.words.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
  part("words").textContent = words;
  place.setAttribute("aria-valuetext", words);
}

function go(frame) {
  film.pause();
  film.currentTime = (frame + 0.5) / fps; // the middle of the frame, so that rounding cannot show its neighbour
  tell(frame);
}

function toggle() {
  if (film.paused) film.play();
  else film.pause();
}

film.addEventListener("timeupdate", () => tell(frameNow()));
for (const [name, words] of [["play", "pause"], ["pause", "play"], ["ended", "play"]]) {
  film.addEventListener(name, () => {
    part("play").textContent = part("play").dataset[words];
  });
}
film.addEventListener("click", toggle);
part("play").addEventListener("click", toggle);
part("worst").addEventListener("click", () => go(Number(root.dataset.worst)));
place.addEventListener("input", () => go(Number(place.value)));

const answer = await fetch(root.dataset.film, { credentials: "same-origin" });
if (answer.ok) {
  film.src = URL.createObjectURL(await answer.blob());
  film.addEventListener("loadedmetadata", () => go(Number(root.dataset.worst)), { once: true });
}
