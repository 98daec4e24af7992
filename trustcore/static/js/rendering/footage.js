// Footage goes up in pieces that the service encrypts one by one; recorded here or chosen as a file, the way is the same.

const root = document.querySelector("[data-footage]");
const find = (name) => document.querySelector(`[data-part="${name}"]`);
const csrfToken = root.querySelector("[name=csrfmiddlewaretoken]").value;
const LEAST_S = 30;
const MOST_S = 120;

async function call(url, body, type) {
  const headers = { "X-CSRFToken": csrfToken, Accept: "application/json", ...(type ? { "Content-Type": type } : {}) };
  const response = await fetch(url, { method: "POST", credentials: "same-origin", headers, body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.message ?? String(response.status));
  return answer;
}

async function send(blob, isRecorded) {
  const form = new URLSearchParams({ subject: find("form").subject.value, recorded: isRecorded ? "1" : "0" });
  find("problem").hidden = true;
  find("send").disabled = true;
  find("progress").hidden = false;
  try {
    const { footage, piece_bytes: pieceBytes } = await call(root.dataset.begin, form);
    const pieces = Math.max(1, Math.ceil(blob.size / pieceBytes));
    for (let number = 0; number < pieces; number += 1) {
      const piece = await blob.slice(number * pieceBytes, (number + 1) * pieceBytes).arrayBuffer();
      await call(`/console/footage/${footage}/piece/${number}/`, piece, "application/octet-stream");
      const percent = Math.round((100 * (number + 1)) / pieces);
      find("progress").value = percent;
      find("status").textContent = root.dataset.sending.replace("{percent}", percent);
    }
    find("status").textContent = root.dataset.joining;
    const done = await call(`/console/footage/${footage}/complete/`, "");
    location.assign(done.next);
  } catch (error) {
    find("problem").textContent = `${error.message} ${root.dataset.refused}`;
    find("problem").hidden = false;
    find("status").textContent = "";
    find("progress").hidden = true;
    find("send").disabled = false;
  }
}

find("form").addEventListener("submit", (event) => {
  const file = find("form").video.files[0];
  if (!file) return;
  event.preventDefault();
  send(file, false);
});

function recorderType() {
  return ["video/mp4;codecs=avc1,mp4a.40.2", "video/webm;codecs=vp8,opus", "video/webm"].find((type) => MediaRecorder.isTypeSupported(type)) ?? "";
}

async function record() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
      audio: { echoCancellation: false, noiseSuppression: false },
    });
  } catch {
    find("record-status").textContent = root.dataset.noCamera;
    return;
  }
  const preview = find("preview");
  preview.srcObject = stream;
  await preview.play();
  const recorder = new MediaRecorder(stream, { mimeType: recorderType(), videoBitsPerSecond: 6_000_000 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const startedMs = performance.now();
  const clock = setInterval(() => {
    const seconds = Math.floor((performance.now() - startedMs) / 1000);
    find("record-status").textContent = root.dataset.recording.replace("{seconds}", seconds);
    find("stop").disabled = seconds < LEAST_S;
    if (seconds >= MOST_S) recorder.stop();
  }, 250);
  recorder.onstop = () => {
    clearInterval(clock);
    for (const track of stream.getTracks()) track.stop();
    send(new Blob(parts, { type: recorder.mimeType }), true);
  };
  find("stop").onclick = () => recorder.stop();
  find("record").hidden = true;
  find("stop").hidden = false;
  find("stop").disabled = true;
  recorder.start(1000);
}

if (navigator.mediaDevices && window.MediaRecorder) {
  find("recorder").hidden = false;
  find("record").addEventListener("click", record);
}
