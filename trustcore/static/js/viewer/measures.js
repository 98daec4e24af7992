// What was seen and when, for the page itself and for benchmarks: `window.__trustcore`. Times are milliseconds since the
// offer was posted, or wall time where the name says so.

export function createMeasures(scope = window) {
  const measures = {
    marks: {}, framesPresented: 0, lastPresentedWallMs: 0, counts: null, state: "ready", reason: "", worker: null,
  };
  let postedAtMs = null;
  let verifiedAtMs = null;

  function since(atMs) {
    return Math.round((atMs - postedAtMs) * 10) / 10;
  }

  function mark(name, atMs = performance.now()) {
    if (postedAtMs !== null && !(name in measures.marks)) measures.marks[name] = since(atMs);
  }

  scope.__trustcore = measures;

  return {
    measures,
    mark,
    posted() {
      postedAtMs = performance.now();
      measures.marks = {};
      measures.postedWallMs = Date.now();
    },

    // Frames that do not verify never reach the decoder while "hide" is on, so the first frame on screen is verified
    // once the verifier has counted one.
    verified() {
      verifiedAtMs ??= performance.now();
      if (measures.framesPresented > 0) mark("first_verified_frame_ms");
    },

    // `onShown(atMs)` hears of each frame on screen.
    watch(video, onShown = () => {}) {
      const presented = (now, frame) => {
        measures.framesPresented += 1;
        measures.lastPresentedWallMs = performance.timeOrigin + (frame?.expectedDisplayTime ?? now);
        mark("first_frame_ms", now);
        onShown(now);
        if (verifiedAtMs !== null) mark("first_verified_frame_ms", Math.max(now, verifiedAtMs));
        video.requestVideoFrameCallback(presented);
      };
      if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(presented);
    },
  };
}
