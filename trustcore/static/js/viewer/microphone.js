// The viewer's microphone: asked for by a click, muted and unmuted without a new offer, and gone when the talk is over.
// Nothing is recorded here; the sound goes out on the connection's own sender, or nowhere.

const WISHES = { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 } };
const LEVEL_EVERY_MS = 100;
const QUIETEST_DB = -60;

// Why it cannot be opened, as one of the words that the page has a sentence for.
export function troubleOf(error) {
  const known = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "none", NotReadableError: "busy" };
  return known[error?.name] ?? "none";
}

// 0..1 for a meter, from samples of -1..1: the loudness in dB above the quietest that is shown.
export function levelOf(samples) {
  let power = 0;
  for (const sample of samples) power += sample * sample;
  if (power === 0) return 0;
  const db = 10 * Math.log10(power / samples.length);
  return Math.min(1, Math.max(0, 1 - db / QUIETEST_DB));
}

// `listen(track)` resolves to a function that ends the listening; where it fails, the microphone works without.
export function createMicrophone(root, {
  devices = navigator.mediaDevices, onState = () => {}, listen = async () => () => {},
} = {}) {
  const button = root.querySelector('[data-part="microphone"]');
  const meter = root.querySelector('[data-part="microphone-level"]');
  const note = root.querySelector('[data-part="microphone-note"]');
  let sender = null;
  let track = null;
  let stopMeter = () => {};
  let stopListening = () => {};
  let isOver = false;

  function setState(state) {
    root.dataset.microphone = state; // off, asking, on, muted, or a trouble
    const isOpen = state === "on" || state === "muted";
    button.textContent = { on: button.dataset.mute, muted: button.dataset.unmute }[state] ?? button.dataset.open;
    button.setAttribute("aria-pressed", String(state === "on"));
    button.disabled = state === "asking";
    meter.hidden = !isOpen;
    if (note.dataset[state]) note.textContent = note.dataset[state];
    onState(state);
  }

  async function open() {
    setState("asking");
    try {
      if (!devices?.getUserMedia) throw new DOMException("no devices", "NotFoundError");
      const [opened] = (await devices.getUserMedia(WISHES)).getAudioTracks();
      if (isOver) return opened.stop();
      track = opened;
      track.addEventListener("ended", lose);
      await sender?.replaceTrack(track);
      stopMeter = watchLevel(track, meter);
      const listening = listen(track).catch(() => () => {});
      stopListening = async () => (await listening)();
      setState("on");
    } catch (error) {
      close();
      setState(troubleOf(error));
    }
    return undefined;
  }

  function lose() {
    close();
    setState("lost");
  }

  function close() {
    stopMeter();
    stopMeter = () => {};
    stopListening();
    stopListening = () => {};
    track?.removeEventListener("ended", lose);
    track?.stop();
    track = null;
    sender?.replaceTrack(null).catch(() => {}); // the connection may be closed already
  }

  button?.addEventListener("click", () => {
    if (isOver) return;
    if (track === null) {
      open();
      return;
    }
    track.enabled = !track.enabled; // muted, the browser sends silence
    setState(track.enabled ? "on" : "muted");
  });

  return {
    // The sender of the connection at hand. One that is open goes on in the next connection.
    use(newSender) {
      sender = newSender;
      if (track) sender.replaceTrack(track).catch(lose);
    },
    // Until the viewer unmutes it: nobody is heard who cannot see that they are.
    mute() {
      if (!track?.enabled) return;
      track.enabled = false;
      setState("muted");
    },
    end() {
      isOver = true;
      if (track) close();
      if (button) setState("off");
    },
  };
}

function watchLevel(track, meter) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 1024 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    meter.value = levelOf(samples);
  }, LEVEL_EVERY_MS);
  return () => {
    clearInterval(timer);
    context.close();
    meter.value = 0;
  };
}
