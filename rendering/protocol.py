"""Messages between control and a render worker. PURE: no Django, no network; both sides import this one file.

Every request of a worker is signed by its worker identity (Ed25519) over method, path, body hash, time and nonce; see
`request_statement`. All bodies are JSON unless said otherwise; bytes travel as URL-safe base64 without padding (`b64`).

Paths, all under /worker/v1:

| call | body | answer |
|---|---|---|
| POST /slots | SlotHello | {"poll_timeout_s": 25} |
| POST /claim | {"slot_id", "kinds": ["session", "training"]} long poll | 200 Lease or 204 |
| POST /leases/{id}/key | {"claim": claim proof: claim_statement(...) signed for CLAIM_PURPOSE} | KeyRelease |
| POST /leases/{id}/renew | Renewal | RenewalAnswer |
| GET  /leases/{id}/events?after=N | long poll | {"events": [LeaseEvent...]} |
| POST /leases/{id}/answer | {"offer_id", "sdp", "session_facts", "manifest": ManifestRequest} | SignedManifest |
| POST /leases/{id}/segments | {"segments": [SegmentRoot...]} | {} |
| POST /leases/{id}/clamps | {"clamps": [{"emotion", "asked_milli", "shown_milli", "media_time_s"}]} | {} |
| POST /leases/{id}/emotions | {"emotions": [EmotionShown...]} | {} |
| POST /leases/{id}/rungs | {"rungs": [RungChanged...]} | {} |
| POST /leases/{id}/captions | {"captions": [Caption...]} | {} |
| POST /leases/{id}/troubles | {"troubles": [PartTrouble...]} | {} |
| PUT  /leases/{id}/recording | fMP4: for each connection its init segment and fragments, octet-stream | {} |
| POST /leases/{id}/finish | {"reason", "counters"} | {} |
| GET  /blobs/{public_id} | | ciphertext (Cobblestone-256) |
| POST /leases/{id}/progress | TrainingProgress | {"cancelled": bool} |
| PUT  /leases/{id}/checkpoint | ciphertext made with the lease's output key | {} |
| PUT  /leases/{id}/artefact/{name} | ciphertext; name: model.safetensors, manifest.json, report.json, pictures | {} |
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

PROTOCOL_VERSION = 1
CLAIM_PURPOSE = "slot-claim"  # of the statement that a slot signs to get its keys and its manifest
LEASE_LIFETIME_S = 2.0  # counted by the worker from the moment it SENT the renewal, on its own monotonic clock
RENEW_EVERY_S = 0.6
POLL_TIMEOUT_S = 25.0
MAX_SDP_CHARS = 48_000
UNJOINED_LIFETIME_S = 60.0
# How long a session waits for a viewer whose line or page is gone. A reload takes some seconds on a slow machine, a
# change from one network to another up to ten; a place is held for nobody meanwhile.
REJOIN_WITHIN_S = 15.0
# "away": nothing is sent until the viewer is back; "reading": only words are, over HTTP, for want of a line.
SESSION_STATES = ("loading", "ready", "live", "away", "reading", "ending")
READERS = ("", "viewer", "app")  # of captions over HTTP: nobody; a viewer who goes on without a line; the app alone
CAPTION_EVENTS = ("conversation.utterance", "conversation.stopped_speaking", "trustcore.rung")

RUNG_NAMES = ("full", "medium", "small", "still", "audio", "captions")  # what a viewer gets, best first
RUNG_REASONS = ("start", "quiet", "receiver", "loss", "delay", "freezes", "sound", "no_line")  # what moved it

LeaseKind = Literal["session", "training"]
EmotionSource = Literal["request", "message", "tag", "brain"]  # who asked for it
EmotionLimit = Literal["", "unknown", "policy", "replica"]  # what held it back: no such word, grant, footage
EventKind = Literal["offer", "message", "emotion", "interrupt", "tool_result", "perception", "revoke", "end"]


def request_statement(method: str, path: str, body_sha256: str, sent_at: str, nonce: str) -> dict[str, str]:
    """What the `X-Worker-Signature` header signs, with purpose "worker-request".

    Headers: X-Worker-Id, X-Worker-Time (RFC 3339), X-Worker-Nonce (16 random bytes, b64), X-Worker-Signature (b64).
    `path` holds the query. A nonce counts once within 30 s (trustcore.jobs.services.workers.MAX_SKEW).
    """
    return {"method": method, "path": path, "body_sha256": body_sha256, "sent_at": sent_at, "nonce": nonce}


@dataclass(frozen=True)
class SlotHello:
    """A slot announces itself when the worker starts and after a control restart."""

    slot_id: str
    worker_id: str
    build_sha256: str  # hash over the worker's own source files
    capabilities: tuple[str, ...]  # "session", "training"
    size_px: int
    frames_per_s: int
    version: int = PROTOCOL_VERSION


@dataclass(frozen=True)
class Lease:
    """A claimed piece of work. `epoch` fences: messages of an older epoch are refused."""

    lease_id: str
    kind: LeaseKind
    epoch: int
    nonce: str  # b64, 16 bytes; goes into the claim proof
    grant: Mapping[str, Any] | None  # signed grant (session only)
    job: (
        Mapping[str, Any] | None
    )  # training: {"job_id", "subject_id", "footage_blob", "checkpoint_blob"|None, "config"}
    blobs: Mapping[str, str]  # name -> blob public id ("model.safetensors": "b...")
    # Session: "persona" {name, system_prompt, context, documents, greeting, conversational_flow,
    # "layers" {"llm": {model, base_url, tools}}, guardrails}: never a key or headers; "disclosure",
    # "language", "emotion" {name, milli}, "signer_certificate" (b64 DER), "max_duration_s", "size_px", "frames_per_s",
    # "video_codec" ("h264" or "vp8"; without it the worker's own setting counts), "max_rung" (one of RUNG_NAMES or "":
    # no limit), "is_relayed" (only through the TURN servers of "ice_servers").
    facts: Mapping[str, Any] = field(default_factory=dict)
    version: int = PROTOCOL_VERSION


def claim_statement(lease_id: str, epoch: int, nonce: str, ephemeral_public: str, build_sha256: str,
                    grant_sha256: str) -> dict[str, Any]:
    """What a slot signs (purpose CLAIM_PURPOSE) to get a key and, later, a session manifest.

    `ephemeral_public`: b64 X25519 public key, made for this lease. `grant_sha256`: of the session's grant; for training
    the hash of the job's canonical statement.
    """
    return {"lease_id": lease_id, "epoch": epoch, "nonce": nonce, "ephemeral_public": ephemeral_public,
            "build_sha256": build_sha256, "grant_sha256": grant_sha256}


@dataclass(frozen=True)
class KeyRelease:
    """Keys of one lease, HPKE-sealed to its ephemeral key; `hpke_seal(public, RELEASE_INFO, aad, canonical(keys))`.

    Opened keys are {"read": {blob name: b64 32 bytes}, "write": b64|None, "contexts": {name: str}, "mark": {...}|None}.
    mark (session): {"epoch_key": b64, "slot_id": hex16, "first_index": int}. The slot id is the session's; its mark
    slots are numbered from first_index on, modulo 64. When one begins the worker decides, and its segment roots tell.
    """

    sealed: str  # b64
    aad: Mapping[str, Any]  # release_aad(...); the worker rebuilds it from what it knows and compares


RELEASE_INFO = b"trustcore/key-release/1"


def release_aad(grant_sha256: str, lease_id: str, epoch: int, replica_version: str) -> dict[str, Any]:
    """Associated data of a release. `replica_version`: "<replica id>/<version>", or "<job id>" for training."""
    return {"grant_sha256": grant_sha256, "lease_id": lease_id, "epoch": epoch, "replica_version": replica_version}


@dataclass(frozen=True)
class Counters:
    """Since the session began. `unsealed_sent` must be 0 always."""

    rendered: int = 0
    sent: int = 0
    dropped: int = 0
    unsealed_sent: int = 0
    clamped: int = 0


@dataclass(frozen=True)
class Renewal:
    epoch: int
    state: str  # one of SESSION_STATES
    counters: Counters = field(default_factory=Counters)
    marks_ms: Mapping[str, float] = field(default_factory=dict)  # latency marks, ms since the event each is named for


@dataclass(frozen=True)
class RenewalAnswer:
    """`live` false: the lease is over or revoked; stop now. The reason is one word for the log and the viewer.

    `reader`: one of READERS, who wants captions told to control.
    """

    live: bool
    reason: str = ""
    reader: str = ""


@dataclass(frozen=True)
class LeaseEvent:
    """Something control pushes. `number` grows by one per lease.

    offer: {"offer_id", "sdp", "viewer_nonce", "ice_servers": [...]}
    message: {"message_id", "text", "emotion"|None, "milli"|None}; emotion: {"emotion", "milli"}; interrupt: {}
    tool_result: {"tool_call_id", "result"}: what the app answers to a `conversation.tool_call`
    perception: {"consent"}: the token that the viewer's vectors must carry, or "" once they took it back
    revoke, end: {"reason"}
    """

    number: int
    kind: EventKind
    body: Mapping[str, Any]


@dataclass(frozen=True)
class ManifestRequest:
    """Asks the signer for the session manifest. The signer checks grant and claim itself, never control's word."""

    grant: Mapping[str, Any]
    claim: Mapping[str, Any]  # signed claim proof, as for the keys
    session_cose_key: str  # b64 public COSE_Key
    kid: str  # b64
    binding_public: str  # b64 32-byte Ed25519 public key of the session
    viewer_nonce: str
    dtls_fingerprint: str  # "sha-256 AA:BB:..."
    mark_slots: tuple[Mapping[str, Any], ...]  # {"slot_id": hex16, "start_ms", "end_ms"}: its longest possible time
    width: int
    height: int
    signer_binding: str  # b64 COSE_Sign1 over the signer's certificate, which Lease.facts["signer_certificate"] holds
    video_codec: str = "h264"  # or "vp8"; the init segment's sample entry
    media_start_ms: int = 0  # the session's media time when this connection's frames may begin
    follows: str = ""  # label of the manifest under which this session sent frames before; "" for the first connection
    session_facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SignedManifest:
    """The session manifest as the signer signed it. The viewer gets it with the answer, in the same moment."""

    init_segment_b64: str
    manifest_label: str
    claim_sha256: str
    chain_pem: str


@dataclass(frozen=True)
class SegmentRoot:
    """One second of sent frames: the Merkle root over their fragment hashes."""

    number: int
    first_sequence: int
    last_sequence: int
    root: str  # hex
    manifest_label: str
    mark_slot_id: str  # hex16
    mark_slot_index: int  # of the slot in force at its end; which signs, modulo 64
    mark_slot_from: int  # first sequence sent in that slot: no slot is shorter than a second, so none goes untold
    started_at: str


@dataclass(frozen=True)
class EmotionShown:
    """The face turned to an emotion. `limited_by` "" means that it is shown as it was asked for."""

    emotion: str  # one of the eight
    shown_milli: int
    asked: str  # one of the eight; neutral for a word that none of them is meant by
    asked_milli: int
    source: EmotionSource
    limited_by: EmotionLimit
    media_time_s: float


# Parts of a conversation and how they fail, as `rendering.dialogue.seams` names them.
TROUBLED_PARTS = ("ears", "turn", "brain", "voice", "perception")
TROUBLES = ("stalled", "slow_start", "refused", "busy", "broken", "garbage", "missing")


@dataclass(frozen=True)
class Caption:
    """One of CAPTION_EVENTS as it travels to the viewer, `seq` being its number in the conversation."""

    seq: int
    event: str


@dataclass(frozen=True)
class PartTrouble:
    """A part of the conversation failed and was spoken around."""

    part: str  # one of TROUBLED_PARTS
    trouble: str  # one of TROUBLES
    media_time_s: float


@dataclass(frozen=True)
class RungChanged:
    """The viewer gets something else now (`rendering.worker.ladder`). `why`: as `rendering.worker.governor.Plan`."""

    rung: str
    before: str
    why: str
    target_bps: int
    media_time_s: float


@dataclass(frozen=True)
class TrainingProgress:
    epoch: int
    stage: str  # "fetch", "track", "fit", "report", "upload"
    done: float  # 0..1 within the stage
    iteration: int = 0
    psnr_db: float | None = None
    eta_s: float | None = None
    note: str = ""


def to_json(message: Any) -> dict[str, Any]:
    """A message as JSON types."""
    return asdict(message)


def lease_from_json(body: Mapping[str, Any]) -> Lease:
    """Raises TypeError on missing or unknown fields."""
    return Lease(**body)
