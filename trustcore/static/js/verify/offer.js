// The offer of a page that verifies frames. Nothing here is trusted; it only makes the browser ask for what it needs.

// A key frame's parameter sets and its attestation travel in one packet before the picture. Unless this is asked for,
// Chromium calls a key frame complete though that packet was lost: it would arrive without its attestation and be
// withheld. With it, the browser waits until the packet has been sent again.
export function withWholeKeyFrames(sdp) {
  return sdp.replace(/(a=fmtp:\d+ [^\r\n]*profile-level-id=[^\r\n]*)/g, "$1;sps-pps-idr-in-keyframe=1");
}

// Set the local offer that way; as the browser made it where the browser does not let a page change it.
export async function setLocalOffer(peer) {
  const offer = await peer.createOffer();
  try {
    await peer.setLocalDescription({ type: "offer", sdp: withWholeKeyFrames(offer.sdp) });
  } catch {
    await peer.setLocalDescription(offer);
  }
}
