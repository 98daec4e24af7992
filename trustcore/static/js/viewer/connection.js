// The WebRTC connection to the replica: prepared at page load, offered when the viewer asks for it.

import { setLocalOffer } from "../verify/offer.js";

const GATHER_TIMEOUT_MS = 400;
const RELAY_GATHER_TIMEOUT_MS = 5000; // without a relayed address there is nothing to offer
const EVENTS_CHANNEL = "trustcore-events";

export class OfferRefused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export function newNonce() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

// `attach(receiver)` is called for picture and sound before the offer exists: a transform that comes later is bypassed.
export async function prepare({ attach, onTrack, onEvent, onOpen, onState, iceServers = [], isRelayed = false }) {
  const peer = new RTCPeerConnection({
    iceServers, bundlePolicy: "max-bundle", iceTransportPolicy: isRelayed ? "relay" : "all",
  });
  const picture = peer.addTransceiver("video", { direction: "recvonly" });
  offerAttestedCodecs(picture);
  attach(picture.receiver);
  // Both ways from the start, with nothing to send yet: the microphone is turned on later without another offer.
  const sound = peer.addTransceiver("audio", { direction: "sendrecv" });
  attach(sound.receiver);
  onTrack(picture.receiver.track, sound.receiver.track);
  const channel = peer.createDataChannel(EVENTS_CHANNEL);
  channel.onmessage = ({ data }) => onEvent(data);
  channel.onopen = onOpen;
  peer.onconnectionstatechange = () => onState(peer.connectionState);
  channel.onclose = () => onState("closed");
  await setLocalOffer(peer);
  await gathered(peer, isRelayed ? RELAY_GATHER_TIMEOUT_MS : GATHER_TIMEOUT_MS);
  return { peer, channel, voice: sound.sender, viewerNonce: newNonce(), offerSdp: peer.localDescription.sdp };
}

// Post the offer; resolves to {sdp, manifest_b64, session_facts}. Throws OfferRefused with the service's own words.
export async function postOffer(url, { offerSdp, viewerNonce }, headers) {
  const response = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ sdp: offerSdp, viewer_nonce: viewerNonce }),
  });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new OfferRefused(body.code ?? String(response.status), body.message ?? "");
  return body;
}

// The signatures travel in H.264 and behind VP8; other codecs are not offered at all.
function offerAttestedCodecs(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const wanted = codecs.filter((codec) => /video\/(h264|vp8|rtx)/i.test(codec.mimeType));
  if (wanted.some((codec) => !/rtx/i.test(codec.mimeType))) transceiver.setCodecPreferences(wanted);
}

function gathered(peer, timeoutMs) {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}
