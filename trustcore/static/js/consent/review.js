// The clip and the head-turn curve share one time: the line on the curve follows the player, arrows step a frame.
const video = document.getElementById("clip");
const chart = document.getElementById("turn-chart");
const FRAME_S = 1 / 25;

function follow() {
  const line = document.getElementById("playhead");
  const { left, width, duration } = chart.dataset;
  const x = Number(left) + Math.min(1, video.currentTime / Number(duration)) * Number(width);
  line.classList.add("on");
  line.setAttribute("x1", x);
  line.setAttribute("x2", x);
}

if (video && chart) {
  video.addEventListener("timeupdate", follow);
  video.addEventListener("seeked", follow);
  chart.addEventListener("click", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    const { left, width, duration } = chart.dataset;
    video.currentTime = Math.max(0, ((point.x - Number(left)) / Number(width)) * Number(duration));
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, button, a, video, summary")) return;
    if (event.key === " ") { event.preventDefault(); if (video.paused) video.play(); else video.pause(); }
    if (event.key === "ArrowLeft") video.currentTime -= FRAME_S;
    if (event.key === "ArrowRight") video.currentTime += FRAME_S;
    const choices = document.querySelectorAll("[name=decision]");
    const choice = choices[Number(event.key) - 1];
    if (choice && !choice.disabled) choice.checked = true;
  });
}
