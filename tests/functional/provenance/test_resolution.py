"""The soft binding resolution API, as a program of somebody else uses it: every answer is held against openapi.json."""

import base64
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from c2pa import Reader
from django.test import Client
from django.urls import get_resolver
from jsonschema import Draft202012Validator

from provenance.manifests import c2pa_files, jumbf
from provenance.manifests.assertions import SOFT_BINDING_ALG, slot_value
from provenance.models import MarkSlot, SessionManifest
from provenance.services import claim_keys, session_manifests
from provenance.verify import video
from provenance.views import resolution as views
from tests.common.cast import Cast
from tests.common.simulators import marked_session
from tests.common.simulators.marked_session import SETUP, MarkedSession
from trustcore.audit import recording, sequencer
from trustcore.audit.actions import Action
from trustcore.audit.actors import ObjectRef
from trustcore.audit.models import Event
from trustcore.keys.services import holds, signing_keys, subject_keys
from trustcore.primitives.clock import utc_now
from trustcore.primitives.ids import new_id
from trustcore.primitives.signing import verify_statement
from trustcore.web.rate_limits import RateLimit

pytestmark = pytest.mark.django_db
BASE = "/c2pa/v1"
DOCUMENT = json.loads(views.OPENAPI.read_text())


def encoded_value(slot_id: int) -> str:
    """A payload as `value` of a query: standard base64 of the 8 bytes in `c2pa.soft-binding`."""
    return base64.b64encode(slot_value(slot_id)).decode()


@pytest.fixture(autouse=True)
def fresh_limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(views, "_LIMIT", RateLimit())
    yield


@pytest.fixture
def session() -> MarkedSession:
    return marked_session.play(tenant="studio", subject_id=new_id("subject"), now=utc_now(), frames=20)


@pytest.fixture
def recorded(session: MarkedSession) -> Any:
    return session_manifests.sign_recording(
        actor=SETUP, conversation=session.conversation, fragment_file=session.fragment_file)


def described(path: str, method: str, answer: Any) -> Any:
    """The JSON of an answer, once its status and shape are those of the document."""
    told = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    schema = told["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(answer.json())
    return answer.json()


def by_binding(client: Client, slot_id: int, **query: Any) -> Any:
    asked = {"alg": SOFT_BINDING_ALG, "value": encoded_value(slot_id), **query}
    return client.get(f"{BASE}/matches/byBinding", asked)


def status(client: Client, label: str) -> Any:
    answer = client.get(f"{BASE}/manifests/{label}/status")
    return verify_statement(
        described("/manifests/{manifestId}/status", "get", answer), "attestation", signing_keys.trusted("attestation"))


def test_a_payload_leads_to_the_session_and_to_what_was_signed_from_it(
    client: Client, session: MarkedSession, recorded: Any,
) -> None:
    still = session_manifests.sign_still(
        actor=SETUP, conversation=session.conversation, fragment_file=session.fragment_file, at_ms=200)
    told = described("/matches/byBinding", "get", by_binding(client, session.slot_id))
    assert [match["manifestId"] for match in told["matches"]] == [session.manifest_label, recorded.label, still.label]
    one = by_binding(client, session.slot_id, maxResults=1).json()
    assert one == {"matches": [{"manifestId": session.manifest_label}]}


def test_the_value_is_the_one_in_the_manifests(client: Client, session: MarkedSession, recorded: Any) -> None:
    """What a stranger reads from the recording's own soft binding is what the API takes."""
    trusted = c2pa_files.read_trusted(recorded.encoded, claim_keys.anchor_pem())
    (binding,) = [a["data"] for a in trusted.manifest["assertions"] if a["label"] == "c2pa.soft-binding"]
    (block,) = binding["blocks"]
    answer = client.get(f"{BASE}/matches/byBinding", {"alg": binding["alg"], "value": block["value"]})
    assert recorded.label in {match["manifestId"] for match in answer.json()["matches"]}


def test_algorithm_and_value_must_both_be_equal(client: Client, session: MarkedSession) -> None:
    assert by_binding(client, session.slot_id ^ 1).json() == {"matches": []}
    assert by_binding(client, session.slot_id, alg="org.trustcore.wm.2").json() == {"matches": []}
    assert by_binding(client, session.slot_id, value="AAAA").json() == {"matches": []}


def test_the_query_may_be_a_json_body(client: Client, session: MarkedSession) -> None:
    body = {"alg": SOFT_BINDING_ALG, "value": encoded_value(session.slot_id)}
    answer = Client(enforce_csrf_checks=True).post(f"{BASE}/matches/byBinding", body, "application/json")
    told = described("/matches/byBinding", "post", answer)
    assert told["matches"] == [{"manifestId": session.manifest_label}]


@pytest.mark.parametrize("query", [
    {"value": ""}, {"alg": ""}, {"value": "%%%"}, {"value": "A" * 500}, {"maxResults": 0}, {"maxResults": "many"},
    {"maxResults": "٣"},
])
def test_a_query_that_cannot_be_read_is_refused(client: Client, query: dict[str, Any]) -> None:
    told = described("/matches/byBinding", "get", by_binding(client, 1, **query))
    assert told["code"] == "resolution.query_invalid"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"alg": 1, "value": "AA=="}', b"{" * 100, b'{"alg": "x"}', b" " * 5000])
def test_a_body_that_cannot_be_read_is_refused(client: Client, body: bytes) -> None:
    answer = client.post(f"{BASE}/matches/byBinding", body, "application/json")
    assert described("/matches/byBinding", "post", answer)["code"] == "resolution.query_invalid"


def test_content_is_not_looked_up(client: Client) -> None:
    answer = client.post(f"{BASE}/matches/byContent", b"\xff\xd8\xff", "image/jpeg")
    assert described("/matches/byContent", "post", answer)["code"] == "resolution.content_not_offered"


def test_manifests_are_handed_out_as_stores_that_other_readers_open(
    client: Client, session: MarkedSession, recorded: Any,
) -> None:
    init = bytes(SessionManifest.objects.get().init_segment)
    for label, media in ((session.manifest_label, init), (recorded.label, recorded.encoded)):
        whole = client.get(f"{BASE}/manifests/{label}")
        active = client.get(f"{BASE}/manifests/{label}?returnActiveManifest=true")
        assert whole["Content-Type"] == active["Content-Type"] == "application/c2pa"
        assert whole.content == jumbf.store_of(media)
        assert jumbf.active_manifest(jumbf.parse_store(active.content)).label == label
        with Reader("application/c2pa", io.BytesIO(active.content)) as reader:
            assert json.loads(reader.json())["active_manifest"] == label


def test_unknown_manifests_are_a_coded_404(client: Client) -> None:
    for path, address in (("/manifests/{manifestId}", "x"), ("/manifests/{manifestId}/status", "x/status")):
        answer = client.get(f"{BASE}/manifests/urn:c2pa:{address}")
        assert answer.status_code == 404
        assert described(path, "get", answer)["code"] == "resolution.manifest_unknown"
    malformed = client.get(f"{BASE}/manifests/x?returnActiveManifest=maybe")
    assert described("/manifests/{manifestId}", "get", malformed)["code"] == "resolution.query_invalid"


@pytest.mark.parametrize("odd", ["%00", "urn:c2pa:a%00b", "%0A", "%C3%A9", "%ED%A0%80"])
def test_ids_no_manifest_can_have_are_unknown_and_told_like_any_other(client: Client, odd: str) -> None:
    for path, address in (("/manifests/{manifestId}", odd), ("/manifests/{manifestId}/status", f"{odd}/status")):
        answer = client.get(f"{BASE}/manifests/{address}")
        assert answer.status_code == 404
        assert described(path, "get", answer)["code"] == "resolution.manifest_unknown"
        assert answer["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("body", ["[" * 4090, '{"a":' * 800, '"\\ud800"', '{"alg":"\\u0000","value":"\\ud800"}'])
def test_odd_queries_are_a_coded_refusal(client: Client, body: str) -> None:
    answer = client.post(f"{BASE}/matches/byBinding", body, "application/json")
    assert described("/matches/byBinding", "post", answer)["code"].startswith("resolution.")


def test_status_follows_the_log_and_is_a_statement_to_keep(client: Client, session: MarkedSession) -> None:
    told = status(client, session.manifest_label)
    assert (told["manifest"], told["manifest_kind"]) == (session.manifest_label, "session")
    assert told["certificate"]["serial"] == claim_keys.pair_in_use().serial
    assert told["certificate"]["state"] == "in_use"
    assert told["consent"] == {"state": "in_force", "since": None, "event": None, "seq": None}
    consent = ObjectRef("consent", session.grant.consent_id, tenant="studio", subject=session.grant.subject_id)
    steps = [(Action.CONSENT_SUSPENDED, "suspended"), (Action.CONSENT_RESUMED, "in_force"),
             (Action.CONSENT_WITHDRAWN, "withdrawn"), (Action.CONSENT_RESUMED, "withdrawn")]
    for action, state in steps:
        with recording.recording(actor=SETUP, action=action, obj=consent):
            pass
        assert status(client, session.manifest_label)["consent"]["state"] == state
    sequencer.settle()
    event = Event.objects.get(action="consent.withdrawn")
    said = status(client, session.manifest_label)["consent"]
    assert (said["event"], said["seq"]) == (event.public_id, event.entry.seq)
    assert said["since"] is not None


def test_a_recording_has_the_status_of_its_session(client: Client, session: MarkedSession, recorded: Any) -> None:
    consent = ObjectRef("consent", session.grant.consent_id, tenant="studio", subject=session.grant.subject_id)
    with recording.recording(actor=SETUP, action=Action.CONSENT_EXPIRED, obj=consent):
        pass
    told = status(client, recorded.label)
    assert (told["manifest_kind"], told["consent"]["state"]) == ("recording", "expired")


def test_a_legal_hold_is_told_without_its_reason(client: Client, session: MarkedSession) -> None:
    hold = holds.place(session.grant.subject_id, tenant="studio", actor=SETUP, reason="Baruah against Studio")
    told = status(client, session.manifest_label)
    assert told["legal_hold"]["state"] == "in_force"
    assert "Baruah" not in json.dumps(told)
    holds.lift(hold, actor=SETUP, reason="settled")
    assert status(client, session.manifest_label)["legal_hold"] is None


def test_an_erased_person_is_not_named(client: Client, session: MarkedSession, recorded: Any) -> None:
    subject_keys.destroy(session.grant.subject_id, actor=SETUP)
    assert by_binding(client, session.slot_id).json()["matches"]
    for label in (session.manifest_label, recorded.label):
        answer = client.get(f"{BASE}/manifests/{label}")
        assert described("/manifests/{manifestId}", "get", answer)["code"] == "resolution.manifest_withheld"
        assert b"Asha" not in answer.content
        told = status(client, label)
        assert told["consent"]["state"] == "erased"
        assert told["consent"]["since"] is not None
        assert session.grant.subject_id not in json.dumps(told)


def test_pages_of_other_sites_may_read_and_caches_keep_briefly(client: Client, session: MarkedSession) -> None:
    for address in (f"manifests/{session.manifest_label}", f"manifests/{session.manifest_label}/status", "manifests/x"):
        answer = client.get(f"{BASE}/{address}")
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cache-Control"] == ("no-store" if address.endswith("/x") else "public, max-age=60")
    assert not client.post(f"{BASE}/matches/byBinding", {}, "application/json").has_header(
        "Access-Control-Allow-Origin")


def test_mallory_learns_no_more_signed_in_and_changes_nothing(cast: Cast, session: MarkedSession) -> None:
    """The API has no secret door for members: an account of another house sees what a stranger sees, and only reads."""
    mallory, stranger = Client(), Client()
    mallory.force_login(cast.mallory, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = f"{BASE}/manifests/{session.manifest_label}"
    assert mallory.get(address).content == stranger.get(address).content
    before = Event.objects.count()
    for method in ("put", "patch", "delete", "post"):
        answer = getattr(mallory, method)(address)
        assert described("/manifests/{manifestId}", "get", answer)["code"] == "request.method_not_allowed"
    assert Event.objects.count() == before
    assert MarkSlot.objects.count() == 1


def test_one_network_cannot_flood(client: Client, settings: Any) -> None:
    settings.RESOLUTION_PER_MINUTE = 2
    answers = [by_binding(client, number) for number in (1, 2, 3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert described("/matches/byBinding", "get", answers[2])["code"] == "resolution.too_many"
    elsewhere = client.get(f"{BASE}/services/supportedAlgorithms", REMOTE_ADDR="203.0.113.9")
    assert described("/services/supportedAlgorithms", "get", elsewhere)["watermarks"] == [{"alg": SOFT_BINDING_ALG}]


def test_the_document_describes_every_address_and_no_other(client: Client) -> None:
    served = {
        "/" + re.sub(r"<str:(\w+)>", r"{\1}", str(pattern.pattern).removeprefix("c2pa/v1/")).replace(
            "manifest_id", "manifestId")
        for pattern in _patterns() if str(pattern.pattern).startswith("c2pa/")
    }
    assert served == set(DOCUMENT["paths"])
    told = described("/openapi.json", "get", client.get(f"{BASE}/openapi.json"))
    assert told["servers"] == [{"url": "http://testserver/c2pa/v1"}]
    assert {**told, "servers": DOCUMENT["servers"]} == DOCUMENT


def _patterns() -> list[Any]:
    return [
        pattern for part in get_resolver().url_patterns
        for pattern in getattr(part, "url_patterns", [part])
    ]


def test_a_signed_picture_verifies_and_carries_its_slot(session: MarkedSession) -> None:
    still = session_manifests.sign_still(
        actor=SETUP, conversation=session.conversation, fragment_file=session.fragment_file, at_ms=10**9)
    report = video.verify_whole_file("still.jpg", still.encoded, claim_keys.anchor_pem(), "image/jpeg")
    assert report.outcome.value == "verified"
    assert report.facts["mark_payloads"] == [f"{session.slot_id:016x}"]
    assert report.facts["session_id"] == session.grant.conversation_id
