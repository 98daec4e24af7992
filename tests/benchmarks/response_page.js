// Measures in the viewer's page when the viewer's microphone falls silent, when the replica is heard and when its mouth
// moves. One clock for all three: performance.now(), in milliseconds.
({ crop }) => {
  const marks = { microphone: [], replica: [], frames: [], events: [] };
  window.__response = marks;

  // Each block of sound: when it was there, how long it lasts, how loud it is.
  async function follow(track, into) {
    const reader = new MediaStreamTrackProcessor({ track: track.clone() }).readable.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      let power = 0;
      for (const sample of samples) power += sample * sample;
      into.push([performance.now(), value.duration / 1000, Math.sqrt(power / samples.length)]);
      value.close();
    }
  }

  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wishes) => {
    const stream = await open(wishes);
    follow(stream.getAudioTracks()[0], marks.microphone);
    return stream;
  };
  const elements = [...document.querySelectorAll("video, audio")].filter((element) => element.srcObject);
  for (const element of elements) {
    for (const track of element.srcObject.getAudioTracks()) follow(track, marks.replica);
  }

  const video = elements.find((element) => element.srcObject.getVideoTracks().length > 0);
  const canvas = new OffscreenCanvas(crop.columns, crop.rows);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  function presented(now, { presentationTime, rtpTimestamp }) {
    const { videoWidth: width, videoHeight: height } = video;
    context.drawImage(video, crop.left * width, crop.top * height, crop.width * width, crop.height * height,
      0, 0, crop.columns, crop.rows);
    const { data } = context.getImageData(0, 0, crop.columns, crop.rows);
    let grey = "";
    for (let at = 0; at < data.length; at += 4) grey += String.fromCharCode((data[at] + 2 * data[at + 1] + data[at + 2]) >> 2);
    marks.frames.push([presentationTime, rtpTimestamp ?? 0, btoa(grey)]);
    video.requestVideoFrameCallback(presented);
  }
  video.requestVideoFrameCallback(presented);
}
