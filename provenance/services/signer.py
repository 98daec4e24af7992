"""The signer: what may be signed, decided by the signer itself. JSON types in, bytes out; no database, no request.

It never takes control's word: it verifies the grant against grant keys it holds, and the slot's claim proof against
worker identities it holds, and takes every fact of the manifest from the verified grant. What it signs it reads back.
In the embedded default it runs inside control behind this same interface; in production it is a process of its own.

One thing a control process that lies could still do: give the signer a slot's honest proof together with a session key
of its own. The manifest would then name a DTLS fingerprint that the viewer's browser compares with the live transport.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from provenance.errors import ClaimProofInvalid, SessionRequestInvalid
from provenance.manifests import fmp4, recording, session_manifest, still
from provenance.manifests.assertions import MarkSlot, SessionFacts
from provenance.manifests.certs import ClaimSigner
from provenance.manifests.errors import ManifestInvalid, RecordingInvalid
from provenance.manifests.frame_codecs import CODECS, H264_FRAMES
from provenance.manifests.recording import SignedRecording
from provenance.manifests.session_manifest import InitSegment, SessionManifest, SessionPublicKey
from provenance.manifests.timestamps import TimeStamps
from provenance.verify.stream import verify_fragment
from trustcore.primitives.clock import from_rfc3339
from trustcore.primitives.errors import SignatureInvalid
from trustcore.primitives.grants import Grant, verify_grant
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import VerifyKey, unb64, verify_statement

CLAIM_PURPOSE = "slot-claim"
GRANT_AUDIENCE = "render-worker"
CLAIM_FIELDS = {"lease_id", "epoch", "nonce", "ephemeral_public", "build_sha256", "grant_sha256"}
MAX_SLOTS = 4096
MAX_SIDE_PX = 4096


@dataclass(frozen=True)
class Pins:
    """The keys this signer trusts: kid -> key, for grants and for worker identities."""

    grant_keys: Mapping[str, VerifyKey]
    worker_keys: Mapping[str, VerifyKey]


@dataclass(frozen=True)
class SignedSession:
    """A session manifest, re-read as Trusted, with the grant and claim it rests on."""

    init: InitSegment
    chain_pem: str
    grant: Grant
    claim: Mapping[str, Any]
    facts: SessionFacts


@dataclass(frozen=True)
class _Sent:
    """One verified run of a fragment file: its facts and manifest, the media time of each frame, and how much sound."""

    facts: SessionFacts
    init: InitSegment
    times_90k: Sequence[int]
    sound_packets: int


class Signer:
    """Signs session manifests, recordings and pictures of them."""

    def __init__(
        self, claim_signer: ClaimSigner, pins: Callable[[], Pins], *, former: Sequence[ClaimSigner] = (),
        time_stamps: Callable[[], TimeStamps | None] = lambda: None,
    ) -> None:
        """`former` signers still sign for slots that bound their key to them before the certificate changed."""
        self._signer = claim_signer
        self._pins = pins
        self._former = former
        self._time_stamps = time_stamps

    @property
    def certificate_der(self) -> bytes:
        """The certificate that session keys bind themselves to."""
        return self._signer.end_entity_der

    @property
    def anchor_pem(self) -> str:
        return self._signer.anchor_pem

    def sign_session(self, request: Mapping[str, Any], *, now: datetime) -> SignedSession:
        """Sign the session manifest that a slot asks for.

        Args:
            request: the worker protocol's ManifestRequest as JSON types.
            now: aware; checked against the grant's time.

        Raises:
            GrantInvalid, GrantExpired: the grant does not hold.
            ClaimProofInvalid: the slot's proof does not hold for this grant.
            SessionRequestInvalid: a field is missing or malformed.
            ManifestInvalid: the session key is not bound to our certificate.
            ManifestSigningFailed: what was signed does not read back as Trusted.
        """
        pins = self._pins()
        grant = verify_grant(_object(request, "grant"), pins.grant_keys, audience=GRANT_AUDIENCE, now=now)
        claim = verified_claim(_object(request, "claim"), grant, pins.worker_keys)
        facts = session_facts(request, grant, claim, now=now)
        key = SessionPublicKey(_bytes(request, "session_cose_key"), _bytes(request, "signer_binding"))
        width, height = (_number(request, name, 16, MAX_SIDE_PX) for name in ("width", "height"))
        codec = CODECS.get(request.get("video_codec", H264_FRAMES.name))
        if codec is None:
            raise SessionRequestInvalid("This video codec is not one of the live profile.")
        signer = self._bound(key)
        init = session_manifest.sign_session_manifest(signer, facts, key, width=width, height=height, codec=codec)
        return SignedSession(init, signer.chain_pem, grant, claim, facts)

    def _bound(self, key: SessionPublicKey) -> ClaimSigner:
        """The signer that this session key bound itself to: the one in force, or a former one.

        Raises:
            ManifestInvalid: none of them.
        """
        for signer in self._former:
            with suppress(ManifestInvalid):
                session_manifest.check_signer_binding(key, signer.end_entity_der)
                return signer
        session_manifest.check_signer_binding(key, self._signer.end_entity_der)
        return self._signer

    def sign_recording(self, fragment_file: bytes) -> SignedRecording:
        """Sign the playable copy of a session whose own manifest this authority signed.

        Args:
            fragment_file: init segment and fragments as they were sent.

        Raises:
            ManifestInvalid: the init segment is not Trusted under our authority.
            SegmentInvalid: a frame or a packet of sound was not signed by its session.
            RecordingInvalid: no frames, they do not come apart, or one or a whole run is missing before the last, twice
                there or elsewhere.
            ManifestSigningFailed: what was signed does not read back as Trusted.
            TimestampFailed: a time stamp is required and there is none.
        """
        first, *later = runs = self._runs(fragment_file)
        shown = [slot for run in runs for slot in recording.slots_shown(run.facts.mark_slots, run.times_90k)]
        return recording.sign_recording(
            self._signer, recording.playable_mp4(fragment_file), first.facts, first.init,
            fragment_file_sha256=sha256_hex(fragment_file), mark_slots=shown,
            frames=sum(len(run.times_90k) for run in runs), sound_packets=sum(run.sound_packets for run in runs),
            later_manifests=[run.init.label for run in later], time_stamps=self._time_stamps(),
        )

    def sign_still(self, fragment_file: bytes, at_ms: int) -> SignedRecording:
        """Sign one picture of a session whose own manifest this authority signed, as a JPEG.

        Args:
            fragment_file: init segment and fragments as they were sent.
            at_ms: how long after the session's first picture; after its end, the last picture.

        Raises:
            As `sign_recording`.
        """
        runs = self._runs(fragment_file)
        picture = still.picture_at(fragment_file, at_ms)
        # A decoder tells time in its own rounding; the frame's own number decides which slot's mark is in it.
        told_90k = picture.at_ms * fmp4.TIMESCALE // 1000
        sent, shown_90k = min(
            ((run, time_90k) for run in runs for time_90k in run.times_90k), key=lambda one: abs(one[1] - told_90k))
        (slot,) = recording.slots_shown(sent.facts.mark_slots, [shown_90k])
        return still.sign_still(
            self._signer, picture, sent.facts, sent.init, mark_slot=slot, time_stamps=self._time_stamps(),
        )

    def _runs(self, fragment_file: bytes) -> "list[_Sent]":
        """The runs of a fragment file, one for each time its viewer connected; all of them are of one session."""
        runs = [self._sent(run) for run in fmp4.split_runs(fragment_file)]
        if runs[0].facts.follows:
            raise RecordingInvalid("The first run of this recording follows another one, which is missing.")
        if not all(_goes_on(before, after) for before, after in pairwise(runs)):
            raise RecordingInvalid("The runs of this recording are not one session's, one after the other.")
        return runs

    def _sent(self, run: bytes) -> "_Sent":
        """What a run holds, once every frame of it proved to be sent under its manifest, none missing before the last.

        The playable copy loses the numbers: whatever it leaves out, doubles or moves nobody could see any more.
        """
        encoded_init, fragments = fmp4.split_recording(run)
        session = session_manifest.read_session_manifest(encoded_init, self._signer.anchor_pem)
        times_90k, sound_packets = [], 0
        first = session.key.minimum_sequence
        for fragment in fragments:
            track = fmp4.track_of(fragment)
            number = verify_fragment(fragment, session, track=track)
            if number != first + (sound_packets if track is fmp4.SOUND else len(times_90k)):
                raise RecordingInvalid("Frames of this recording are missing, twice there, or in another order.")
            if track is fmp4.SOUND:
                sound_packets += 1
            else:
                times_90k.append(fmp4.fragment_facts(fmp4.parse_fragment(fragment))[1])
        if not times_90k:
            raise RecordingInvalid("This session sent no frame; there is nothing to record.")
        init = InitSegment(encoded_init, session.label, session.claim_sha256)
        return _Sent(facts_of(session), init, times_90k, sound_packets)


def _goes_on(before: _Sent, after: _Sent) -> bool:
    """Whether `after` is the very next connection of the session of `before`."""
    was, comes = before.facts, after.facts
    is_same = (comes.session_id, comes.grant_sha256) == (was.session_id, was.grant_sha256)
    return is_same and comes.follows == before.init.label and comes.media_start_ms >= was.media_start_ms


def verified_claim(
    signed: Mapping[str, Any], grant: Grant, worker_keys: Mapping[str, VerifyKey],
) -> Mapping[str, Any]:
    """The slot's claim, once a pinned worker signed it for this very grant.

    Raises:
        ClaimProofInvalid
    """
    try:
        claim = verify_statement(signed, CLAIM_PURPOSE, worker_keys)
    except SignatureInvalid as error:
        raise ClaimProofInvalid("This claim is not signed by a worker we know.") from error
    if set(claim) != CLAIM_FIELDS:
        raise ClaimProofInvalid("This claim has missing or unknown fields.")
    if claim["grant_sha256"] != grant.sha256:
        raise ClaimProofInvalid("This claim is for another grant.", grant=grant.grant_id)
    return claim


def session_facts(
    request: Mapping[str, Any], grant: Grant, claim: Mapping[str, Any], *, now: datetime,
) -> SessionFacts:
    """What the manifest will say: from the grant, but for the nonce, the fingerprint and the mark of this session."""
    return SessionFacts(
        session_id=grant.conversation_id, tenant=grant.tenant, replica_id=grant.replica_id,
        replica_version=grant.replica_version, consent_id=grant.consent_id,
        consent_receipt_sha256=grant.consent_receipt_sha256, policy_id=grant.policy_id,
        policy_version=grant.policy_version, grant_sha256=grant.sha256,
        viewer_nonce=_text(request, "viewer_nonce"), dtls_fingerprint=_text(request, "dtls_fingerprint"),
        mark_slots=mark_slots(request.get("mark_slots")), created_at=now,
        validity_s=max(1, int((from_rfc3339(grant.not_after) - now).total_seconds())),
        footage_sha256=grant.footage_sha256, disclosure=grant.disclosure,
        media_start_ms=_number(
            {"media_start_ms": 0, **request}, "media_start_ms", 0, session_manifest.MAX_MEDIA_START_MS),
        follows=_text(request, "follows") if request.get("follows") else "",
        extra={"lease_id": claim["lease_id"], "epoch": claim["epoch"], "build_sha256": claim["build_sha256"],
               "replica_sha256": grant.replica_sha256, "policy_sha256": grant.policy_sha256},
    )


def mark_slots(told: Any) -> tuple[MarkSlot, ...]:
    """The payloads of a session. Neighbouring slots with one payload are one block: only the signs change between them.

    Raises:
        SessionRequestInvalid: none, too many or malformed.
    """
    if not isinstance(told, list | tuple) or not 0 < len(told) <= MAX_SLOTS:
        raise SessionRequestInvalid("A session needs between one and 4096 watermark slots.")
    slots: list[MarkSlot] = []
    for entry in told:
        try:
            slot = MarkSlot(int(entry["slot_id"], 16), int(entry["start_ms"]), int(entry["end_ms"]))
        except (KeyError, TypeError, ValueError) as error:
            raise SessionRequestInvalid("A watermark slot is malformed.") from error
        if not 0 < slot.slot_id < 1 << 64 or not 0 <= slot.start_ms < slot.end_ms:
            raise SessionRequestInvalid("A watermark slot's id or times are out of range.")
        if slots and slots[-1].slot_id == slot.slot_id and slots[-1].end_ms == slot.start_ms:
            slot = MarkSlot(slot.slot_id, slots.pop().start_ms, slot.end_ms)
        slots.append(slot)
    return tuple(slots)


def facts_of(session: SessionManifest) -> SessionFacts:
    """The facts of a verified session manifest, as they were signed.

    Raises:
        SessionRequestInvalid: the manifest lacks one.
    """
    told = session.facts
    try:
        return SessionFacts(
            session_id=told["session_id"], tenant=told["tenant"], replica_id=told["replica_id"],
            replica_version=told["replica_version"], consent_id=told["consent_id"],
            consent_receipt_sha256=told["consent_receipt_sha256"], policy_id=told["policy_id"],
            policy_version=told["policy_version"], grant_sha256=told["grant_sha256"],
            viewer_nonce=told["viewer_nonce"], dtls_fingerprint=told["dtls_fingerprint"],
            mark_slots=mark_slots(told["mark"]["slots"]), created_at=session.key.created_at,
            validity_s=told["validity_s"], footage_sha256=told["footage_sha256"], disclosure=told["disclosure"],
            media_start_ms=session.media_start_ms, follows=session.follows,
            extra=told["extra"],
        )
    except (KeyError, TypeError) as error:
        raise SessionRequestInvalid("This session manifest lacks a fact that a recording names.") from error


def _object(request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = request.get(name)
    if not isinstance(value, Mapping):
        raise SessionRequestInvalid(f"Field {name} must be an object.", field=name)
    return value


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise SessionRequestInvalid(f"Field {name} must be a short text.", field=name)
    return value


def _bytes(request: Mapping[str, Any], name: str) -> bytes:
    value = request.get(name)
    try:
        return unb64(value if isinstance(value, str) else "*")
    except ValueError as error:
        raise SessionRequestInvalid(f"Field {name} must be URL-safe base64.", field=name) from error


def _number(request: Mapping[str, Any], name: str, lowest: int, highest: int) -> int:
    value = request.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise SessionRequestInvalid(f"Field {name} must be from {lowest} to {highest}.", field=name)
    return value
