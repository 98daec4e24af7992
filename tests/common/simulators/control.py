"""A small control plane in memory that speaks `rendering/protocol.py`, for worker tests without Django or a database.

It checks what the real one checks on the wire (worker signature, claim proof, lease epoch) and really signs: grants,
session manifests, sealed key releases. It also serves the viewer page's addresses, so that a browser can be the viewer.
"""

import asyncio
import json
import mimetypes
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from provenance.manifests.assertions import MarkSlot, SessionFacts
from provenance.manifests.frame_codecs import CODECS
from provenance.manifests.session_manifest import SessionPublicKey, sign_session_manifest
from rendering import protocol
from tests.common.live_session import demo_signer, status_list
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.envelope import encrypt, hpke_seal, new_key
from trustcore.primitives.grants import Grant, sign_grant
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import SigningKey, b64, statement_bytes, unb64, verify_statement

STATIC = Path(__file__).resolve().parents[3] / "trustcore" / "static"
WEIGHTS = Path(__file__).resolve().parents[3] / "rendering/dialogue/turns/weights/turns.json"
CSP = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
       "media-src 'self' blob:; style-src 'self'; img-src 'self' data:; frame-src 'self'")
# As `rendering.views.viewer_perception` fences its frame.
PERCEPTION_CSP = (
    "default-src 'none'; script-src http://localhost:*/static/js/viewer/perception/ "
    "http://localhost:*/static/vendor/face_mesh/ 'unsafe-eval'; "
    "connect-src http://localhost:*/static/vendor/face_mesh/; "
    "media-src mediastream: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Denied(Exception):
    """The simulator answers 403."""


@dataclass
class SimulatedSession:
    """One session lease and everything the worker said about it."""

    lease_id: str
    grant: Grant
    signed_grant: dict[str, Any]
    nonce: str
    epoch: int = 1
    claim: dict[str, Any] | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    renewals: list[dict[str, Any]] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)
    clamps: list[dict[str, Any]] = field(default_factory=list)
    emotions: list[dict[str, Any]] = field(default_factory=list)
    rungs: list[dict[str, Any]] = field(default_factory=list)
    troubles: list[dict[str, Any]] = field(default_factory=list)
    captions: list[dict[str, Any]] = field(default_factory=list)
    reader: str = ""  # who reads captions: a test says so, or an open stream
    recording: bytes = b""
    init_segments: list[bytes] = field(default_factory=list)  # one for each connection
    finished: dict[str, Any] | None = None
    is_live: bool = True
    streams: int = 0  # of captions, open now
    is_partitioned: bool = False


class ControlSimulator:
    """State and HTTP surface. `files` are the replica's plaintext files, encrypted here as control would keep them."""

    def __init__(self, files: dict[str, bytes], *, person_name: str = "Asha Baruah",
                 emotion_max_milli: dict[str, int] | None = None) -> None:
        self.grant_key = SigningKey.generate()
        self.worker_key = SigningKey.generate()
        self.worker_id = "w0123456789abcdef"
        self.data_key = new_key()
        self.contexts = {name: f"acme/replica/r1/1/{name}" for name in files}
        self.blobs = {f"b-{name}": encrypt(self.data_key, self.contexts[name], data) for name, data in files.items()}
        self.replica_sha256 = sha256_hex(files.get("manifest.json", b""))
        self.emotion_max_milli = emotion_max_milli or {"neutral": 1000, "joy": 500}
        self.person_name = person_name
        self.facts: dict[str, Any] = {}
        self.signer = demo_signer()  # made here, once: two threads asking first would get two authorities
        self.epoch_key = os.urandom(32)
        self.sessions: dict[str, SimulatedSession] = {}
        self.hellos: list[dict[str, Any]] = []
        self.seen_nonces: set[str] = set()
        self.page = b""
        self.perception_frame = b""
        self.status_list = status_list(is_revoked=False)
        self.frame_ancestors = "'none'"  # of the page for a frame
        self._waiting: list[SimulatedSession] = []
        self._changed = asyncio.Condition()
        self.loop: asyncio.AbstractEventLoop | None = None

    # --- what a test does ------------------------------------------------------------------------------------------

    def new_session(self, conversation_id: str = "c0123456789abcdef", **grant_changes: Any) -> SimulatedSession:
        """Queue a session lease; a waiting worker gets it at once."""
        now = datetime.now(UTC)
        body = {
            "grant_id": "g0123456789abcdef", "tenant": "acme", "conversation_id": conversation_id, "subject_id": "s1",
            "replica_id": "r1", "replica_version": 1, "replica_sha256": self.replica_sha256, "consent_id": "n1",
            "consent_receipt_sha256": "ab" * 32, "policy_id": "y1", "policy_version": 1, "policy_sha256": "cd" * 32,
            "cedar_sha256": "ef" * 32, "persona_id": "p1", "purpose": "support", "audience": "customers",
            "country": "IN", "language": "en", "context_of_use": "support", "disclosure": "An AI replica.",
            "issued_at": to_rfc3339(now), "not_after": to_rfc3339(now + timedelta(hours=1)),
            "emotion_max_milli": self.emotion_max_milli,
        }
        grant = Grant(**(body | grant_changes))
        session = SimulatedSession(
            f"z{len(self.sessions) + 1}-1", grant, sign_grant(self.grant_key, grant), b64(os.urandom(16)))
        self.sessions[session.lease_id] = session
        self._waiting.append(session)
        self.wake()
        return session

    def push(self, session: SimulatedSession, kind: str, body: dict[str, Any]) -> None:
        """Push an event to the worker that holds the session."""
        session.events.append({"number": len(session.events) + 1, "kind": kind, "body": body})
        self.wake()

    def revoke(self, session: SimulatedSession, reason: str = "consent_withdrawn") -> None:
        session.is_live = False
        self.push(session, "revoke", {"reason": reason})

    def wake(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        if self.loop is not None:
            asyncio.run_coroutine_threadsafe(notify(), self.loop)

    # --- HTTP ------------------------------------------------------------------------------------------------------

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        data = await _body(receive)
        query = scope["query_string"].decode()
        if scope["path"].endswith("/captions") and scope["method"] == "GET":
            await self._stream_captions(scope, receive, send)
            return
        try:
            status, kind, body = await self._route(scope, scope["path"], query, data)
        except Denied as error:
            status, kind, body = 403, "application/json", json.dumps({"code": "denied", "message": str(error)}).encode()
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()),
                   (b"content-security-policy", self._policy(scope["path"]).encode())]
        if scope["path"].startswith("/static/"):
            headers.append((b"access-control-allow-origin", b"*"))  # as the real one's static files are
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _policy(self, path: str) -> str:
        if path.endswith("/perception/frame"):
            return PERCEPTION_CSP
        who = self.frame_ancestors if path.endswith("/embed/") else "'none'"
        return f"{CSP}; frame-ancestors {who}"

    async def _route(self, scope: dict[str, Any], path: str, query: str, data: bytes) -> tuple[int, str, bytes]:
        if path.startswith("/worker/v1/"):
            self._authenticate(scope, path + (f"?{query}" if query else ""), data)
            answer = await self._worker_call(path.removeprefix("/worker/v1/").split("/"), query, data)
            if isinstance(answer, bytes):
                return 200, "application/octet-stream", answer
            if answer is None:
                return 204, "text/plain", b""
            return 200, "application/json", json.dumps(answer).encode()
        if path.startswith("/static/"):
            name = path.removeprefix("/static/")
            file = WEIGHTS if name == "turns/turns.json" else (STATIC / name).resolve()
            if file == WEIGHTS or (file.is_relative_to(STATIC) and file.is_file()):
                return 200, mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes()
            return 404, "text/plain", b""
        if path == "/check/claim-signers.crl":
            return 200, "application/pkix-crl", self.status_list
        if scope["method"] == "GET" and path.endswith("/line"):
            return 200, "application/octet-stream", os.urandom(int(parse_qs(query)["bytes"][0]))
        return await self._viewer_call(path, data)

    def _authenticate(self, scope: dict[str, Any], path: str, data: bytes) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        nonce = headers.get("x-worker-nonce", "")
        statement = protocol.request_statement(
            scope["method"], path, sha256_hex(data), headers.get("x-worker-time", ""), nonce)
        self.worker_key.verify_key.verify(
            unb64(headers.get("x-worker-signature", "")), statement_bytes("worker-request", statement))
        if headers.get("x-worker-id") != self.worker_id or nonce in self.seen_nonces:
            raise Denied("unknown worker or replayed nonce")
        self.seen_nonces.add(nonce)

    async def _worker_call(self, parts: list[str], query: str, data: bytes) -> Any:
        body = json.loads(data) if data[:1] == b"{" else {}
        if parts == ["slots"]:
            self.hellos.append(body)
            return {"poll_timeout_s": 25}
        if parts == ["claim"]:
            await self._wait_until(lambda: bool(self._waiting), 25.0)
            return self._lease(self._waiting.pop(0)) if self._waiting else None
        if parts[0] == "blobs":
            return self.blobs[parts[1]]
        session = self.sessions[parts[1]]
        if session.is_partitioned:
            await asyncio.sleep(30)
        call = getattr(self, f"_on_{parts[2]}")
        found = call(session, data if parts[2] == "recording" else parse_qs(query) if parts[2] == "events" else body)
        return await found if asyncio.iscoroutine(found) else found

    def _lease(self, session: SimulatedSession) -> dict[str, Any]:
        facts = {"persona": {"name": "Helper", "context": "Your claim reached us on Friday."},
                 "person_name": self.person_name, "signer_certificate": b64(self.signer.end_entity_der),
                 "recording": True, "language": "en", **self.facts}
        return protocol.to_json(protocol.Lease(
            session.lease_id, "session", session.epoch, session.nonce, session.signed_grant, None,
            {name.removeprefix("b-"): name for name in self.blobs}, facts))

    def _on_key(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        key = self.worker_key.verify_key
        claim = verify_statement(body["claim"], "slot-claim", {key.kid: key})
        if session.claim is not None or claim["lease_id"] != session.lease_id or claim["nonce"] != session.nonce:
            raise Denied("claim does not fit")
        session.claim = body["claim"]
        keys = {
            "read": {name: b64(self.data_key) for name in self.contexts}, "write": None, "contexts": self.contexts,
            "mark": {"epoch_key": b64(self.epoch_key), "slot_id": "0123456789abcdef", "first_index": 0},
        }
        aad = protocol.release_aad(session.grant.sha256, session.lease_id, session.epoch, "r1/1")
        public = unb64(claim["ephemeral_public"])
        sealed = hpke_seal(public, protocol.RELEASE_INFO, canonical_bytes(aad), canonical_bytes(keys))
        return {"sealed": b64(sealed), "aad": aad}

    def _on_renew(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        session.renewals.append(body)
        return {"live": session.is_live, "reason": "" if session.is_live else "consent_withdrawn",
                "reader": session.reader}

    async def _on_events(self, session: SimulatedSession, query: dict[str, list[str]]) -> dict[str, Any]:
        after = int(query["after"][0])
        await self._wait_until(lambda: len(session.events) > after, 25.0)
        return {"events": session.events[after:]}

    def _sign(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        grant = session.grant
        facts = SessionFacts(
            session_id=grant.conversation_id, tenant=grant.tenant, replica_id=grant.replica_id,
            replica_version=grant.replica_version, consent_id=grant.consent_id,
            consent_receipt_sha256=grant.consent_receipt_sha256, policy_id=grant.policy_id,
            policy_version=grant.policy_version, grant_sha256=grant.sha256, viewer_nonce=body["viewer_nonce"],
            dtls_fingerprint=body["dtls_fingerprint"], created_at=datetime.now(UTC).replace(microsecond=0),
            validity_s=3600, media_start_ms=body["media_start_ms"], follows=body["follows"], mark_slots=tuple(
                MarkSlot(int(s["slot_id"], 16), s["start_ms"], s["end_ms"]) for s in body["mark_slots"]))
        public = SessionPublicKey(unb64(body["session_cose_key"]), unb64(body["signer_binding"]))
        init = sign_session_manifest(self.signer, facts, public, width=body["width"], height=body["height"],
                                     codec=CODECS[body["video_codec"]])
        session.init_segments.append(init.encoded)
        return {"init_segment_b64": b64(init.encoded), "manifest_label": init.label,
                "claim_sha256": init.claim_sha256, "chain_pem": ""}

    def _on_answer(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        signed = self._sign(session, body["manifest"])
        facts = body["session_facts"] | {name: signed[name] for name in ("manifest_label", "claim_sha256")}
        session.answers[body["offer_id"]] = {
            "sdp": body["sdp"], "manifest_b64": signed["init_segment_b64"], "session_facts": facts}
        self.wake()
        return signed

    def _on_segments(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        session.segments += body["segments"]
        return {}

    def _on_clamps(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        session.clamps += body["clamps"]
        return {}

    def _on_emotions(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        session.emotions += body["emotions"]
        return {}

    def _on_rungs(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        session.rungs += body["rungs"]
        return {}

    def _on_captions(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        session.captions += body["captions"]
        self.wake()
        return {}

    def _on_troubles(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        session.troubles += body["troubles"]
        return {}

    def _on_recording(self, session: SimulatedSession, data: bytes) -> dict[str, Any]:
        session.recording = data
        return {}

    def _on_finish(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        session.finished = body
        self.wake()
        return {}

    # --- the viewer's addresses ------------------------------------------------------------------------------------

    async def _viewer_call(self, path: str, data: bytes) -> tuple[int, str, bytes]:
        parts = path.strip("/").split("/")
        if parts[0] != "c":
            return 404, "text/plain", b""
        session = self.sessions[parts[1]]
        parts = [part for part in parts if part != "embed"]
        what = parts[2] if len(parts) > 2 else "page"
        if what == "page":
            return 200, "text/html; charset=utf-8", self.page
        answer: dict[str, Any] = {}
        if what == "offer":
            answer = await self.offer(session, json.loads(data))
        elif what == "message":
            self.push(session, "message", {"message_id": "m", **json.loads(data)})
        elif parts[2:] == ["perception", "frame"]:
            return 200, "text/html; charset=utf-8", self.perception_frame
        elif what == "perception":
            # A no is left to the page: the worker heeds what that says, however late control is.
            if json.loads(data)["word"] == "grant":
                answer = {"consent": f"consent-{len(session.events)}"}
                self.push(session, "perception", answer)
        elif what == "leave":
            self.push(session, "end", {"reason": "viewer_left"})
        elif what == "state":
            state = session.renewals[-1]["state"] if session.renewals else ""
            offers = [event["body"] for event in session.events if event["kind"] == "offer"]
            answer = {"status": "ended" if session.finished else "active", "slot_state": state,
                      "state": "live" if session.answers else "joining",
                      "reason": (session.finished or {}).get("reason", ""),
                      "viewer_nonce": offers[-1]["viewer_nonce"] if offers else ""}
        return 200, "application/json", json.dumps(answer).encode()

    async def _stream_captions(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """As rendering/views/captions.py: until the reader goes or the session is over."""
        session = self.sessions[scope["path"].strip("/").split("/")[1]]
        session.reader, session.streams = "viewer", session.streams + 1
        last = int(dict(scope["headers"]).get(b"last-event-id", b"0"))
        gone = asyncio.create_task(_body(receive))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        try:
            while not gone.done():
                for caption in [one for one in session.captions if one["seq"] > last]:
                    last = caption["seq"]
                    text = f"id: {last}\ndata: {caption['event']}\n\n"
                    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
                if session.finished is not None:
                    text = f"event: ended\ndata: {json.dumps({'reason': session.finished['reason']})}\n\n"
                    await send({"type": "http.response.body", "body": text.encode()})
                    return
                await asyncio.sleep(0.05)
        finally:
            session.streams -= 1
            session.reader = "viewer" if session.streams else ""
            gone.cancel()

    async def offer(self, session: SimulatedSession, body: dict[str, Any]) -> dict[str, Any]:
        """Hand an offer to the worker and wait for its answer."""
        offer_id = f"o{len(session.events)}"
        self.push(session, "offer", {"offer_id": offer_id, **body})
        await self._wait_until(lambda: offer_id in session.answers or session.finished is not None, 20.0)
        if offer_id not in session.answers:
            raise Denied("the conversation is over")
        return session.answers[offer_id]

    async def _wait_until(self, is_true: Callable[[], bool], timeout_s: float) -> None:
        async def wait() -> None:
            async with self._changed:
                await self._changed.wait_for(is_true)

        try:
            await asyncio.wait_for(wait(), timeout_s)
        except TimeoutError:
            return


async def _body(receive: Receive) -> bytes:
    data, more = b"", True
    while more:
        message = await receive()
        data += message.get("body", b"")
        more = message.get("more_body", False)
    return data


@contextmanager
def serving(control: ControlSimulator) -> Iterator[str]:
    """Serve the simulator on a free port of the loopback address, in a thread."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(control, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))

    async def run() -> None:
        control.loop = asyncio.get_running_loop()
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = server.force_exit = True  # long polls are still open
        thread.join(5)
