"""What a session asks for: its encoding, and, when it answers an offer, its manifest and the facts for the page."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provenance.manifests.attest import SessionKey
from provenance.manifests.frame_codecs import CODECS
from rendering import protocol
from rendering.motion_models import motion_releases
from rendering.worker.config import WorkerConfig
from rendering.worker.encoder import EncoderSettings
from rendering.worker.governor import START_BPS
from rendering.worker.peer import OfferUnusable
from trustcore.primitives.grants import Grant
from trustcore.primitives.signing import b64, unb64


def encoder_settings(lease: protocol.Lease, config: WorkerConfig) -> EncoderSettings:
    """How the pictures of a session are encoded. The lease may name a codec; else the worker's setting counts."""
    named = str(lease.facts.get("video_codec") or config.video_codec)
    return EncoderSettings(
        config.size_px, config.size_px, config.frames_per_s, min(START_BPS, config.bit_rate_bps), config.bit_rate_bps,
        codec=named if named in CODECS else config.video_codec)


def other_codec(lease: protocol.Lease, config: WorkerConfig, name: str, *, is_first: bool) -> EncoderSettings:
    """The encoding of a session whose browser did not take the preferred codec.

    Raises:
        OfferUnusable: the pictures sent before had another one. A recording has one codec.
    """
    if not is_first:
        raise OfferUnusable("This browser offers another codec than the one that this session began with.")
    return replace(encoder_settings(lease, config), codec=name)


def manifest_request(
    lease: protocol.Lease, claim: Mapping[str, Any], key: SessionKey, config: WorkerConfig, *,
    mark_slots: tuple[Mapping[str, Any], ...], viewer_nonce: str, dtls_fingerprint: str, video_codec: str,
    media_start_ms: int, follows: str,
) -> dict[str, Any]:
    """A `protocol.ManifestRequest` as JSON types, for one connection with its own key."""
    certificate = unb64(str(lease.facts["signer_certificate"]))
    return protocol.to_json(protocol.ManifestRequest(
        grant=lease.grant or {}, claim=claim, session_cose_key=b64(key.cose_key()), kid=b64(key.kid),
        binding_public=b64(key.public.public_bytes_raw()), viewer_nonce=viewer_nonce,
        dtls_fingerprint=dtls_fingerprint, mark_slots=mark_slots, width=config.size_px, height=config.size_px,
        signer_binding=b64(key.bind_to_signer(certificate)), video_codec=video_codec, media_start_ms=media_start_ms,
        follows=follows, session_facts={"frames_per_s": config.frames_per_s}))


def session_facts(grant: Grant, config: WorkerConfig, life: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows of the session; control adds the manifest's label and hash."""
    return {
        "conversation_id": grant.conversation_id, "replica_id": grant.replica_id,
        "replica_version": grant.replica_version, "policy_id": grant.policy_id,
        "policy_version": grant.policy_version, "size_px": config.size_px, "frames_per_s": config.frames_per_s,
        "motion_models": motion_releases(), "life": dict(life),
    }
