// Record the consent clip: open the camera, start the recorder, and ask for one thing at a time. The recorder's clock
// is the challenge's clock, so every cue is placed by time since recording started and never by a chain of timers.
const challenge = JSON.parse(document.getElementById("challenge").textContent);
const root = document.getElementById("recorder");
const at = (id) => document.getElementById(id);
const preview = at("preview"), cueText = at("cue-text"), cueIcon = at("cue-icon"), bar = at("bar"), clock = at("clock");
const MAX_BYTES = 60 * 1024 * 1024;
const TURN_SHOWN_MS = 1300;
const KINDS = ["video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];

let recording = null;
let camera = "";

function cues() {
  const list = [{ at: 0, icon: "◎", text: "Look straight ahead." }, { at: challenge.phrase_at_ms, icon: "“", phrase: challenge.phrase }];
  for (const turn of challenge.turns) {
    const left = turn.direction === "left";
    // The preview is a mirror, so the person's own left is on the left of the page.
    list.push({ at: turn.at_ms, icon: left ? "←" : "→", text: left ? "Turn left" : "Turn right" });
    list.push({ at: turn.at_ms + TURN_SHOWN_MS, icon: "◎", text: "Look straight ahead again." });
  }
  return list.sort((one, other) => one.at - other.at);
}

function show(cue) {
  cueIcon.textContent = cue.icon;
  cueText.textContent = cue.phrase ? "Say: " : cue.text;
  if (cue.phrase) {
    const words = document.createElement("b");
    words.textContent = cue.phrase;
    cueText.append(words);
  }
}

function problem(sentence) {
  at("problem").textContent = sentence;
  at("problem").hidden = false;
  at("work").hidden = true;
}

function play(recorder, stream) {
  const list = cues();
  const startedMs = performance.now();
  let next = 0;
  clock.hidden = false;
  const step = () => {
    const nowMs = performance.now() - startedMs;
    while (next < list.length && list[next].at <= nowMs) show(list[next++]);
    bar.value = Math.min(100, (nowMs / challenge.duration_ms) * 100);
    clock.textContent = `${Math.max(0, Math.ceil((challenge.duration_ms - nowMs) / 1000))} s`;
    if (nowMs >= challenge.duration_ms) {
      clearInterval(timer);
      recorder.stop();
      stream.getTracks().forEach((track) => track.stop());
    }
  };
  // An interval, because animation frames stop in a tab that lies behind another.
  const timer = setInterval(step, 40);
  step();
}

async function start() {
  at("problem").hidden = true;
  at("start").disabled = true;
  cueText.textContent = "Waiting for your camera.";
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 25 }, facingMode: "user" }, audio: true,
    });
  } catch (error) {
    at("start").disabled = false;
    cueText.textContent = "Your camera is off.";
    problem(error.name === "NotAllowedError"
      ? "The browser did not allow camera and microphone. Nothing was recorded. Allow both and start again."
      : "No camera or microphone was found. Nothing was recorded. Connect one, or send a file below.");
    return;
  }
  camera = stream.getVideoTracks()[0].label;
  preview.srcObject = stream;
  await preview.play();
  const kind = KINDS.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, { mimeType: kind, videoBitsPerSecond: 1_200_000, audioBitsPerSecond: 64_000 });
  const parts = [];
  recorder.ondataavailable = (event) => { if (event.data.size) parts.push(event.data); };
  recorder.onstart = () => { at("start").hidden = true; at("hint").textContent = "Recording. Follow the words on the picture."; play(recorder, stream); };
  recorder.onstop = () => finished(new Blob(parts, { type: recorder.mimeType }));
  recorder.start(1000);
}

function finished(blob) {
  recording = blob;
  preview.srcObject = null;
  preview.src = URL.createObjectURL(blob);
  preview.muted = false;
  preview.controls = true;
  cueIcon.textContent = "";
  at("cue").hidden = true;
  clock.hidden = true;
  at("send").hidden = at("again").hidden = false;
  at("hint").textContent = "Look at it if you like. Nothing is sent before you press Send.";
  root.dataset.state = "recorded";
}

function send() {
  if (recording.size > MAX_BYTES) { problem("The recording is too large. It was not sent. Record again."); return; }
  at("send").disabled = true;
  at("problem").hidden = true;
  const work = at("work");
  work.hidden = false;
  const form = new FormData();
  form.append("clip", recording, "consent-clip");
  form.append("nonce", challenge.nonce);
  form.append("timed", "1");
  form.append("camera", camera.slice(0, 160));
  const request = new XMLHttpRequest();
  request.open("POST", root.dataset.upload);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  request.upload.onprogress = (event) => {
    bar.value = event.total ? (event.loaded / event.total) * 100 : 0;
    work.textContent = event.loaded < event.total
      ? "Step 1 of 2: sending."
      : "Step 2 of 2: reading the picture, looking for the turns and for copies. This takes up to half a minute.";
  };
  request.onerror = () => { at("send").disabled = false; problem("The connection broke. Nothing was received. Send again."); };
  request.onload = () => {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { answer = { message: "The answer could not be read. Reload the page to see what was received." }; }
    if (request.status < 300 && answer.next) { location.assign(answer.next); return; }
    // The instructions are used up with the first sending: only a fresh page can go on.
    at("send").hidden = true;
    at("hint").textContent = "";
    problem(`${answer.message} Nothing of it was kept.`);
  };
  request.send(form);
}

if (!navigator.mediaDevices || !window.MediaRecorder) {
  at("start").disabled = true;
  problem("This browser cannot record here. Send a file below, or use another browser.");
} else {
  at("start").addEventListener("click", start);
  at("send").addEventListener("click", send);
}
