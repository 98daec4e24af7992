"""The console over HTTP: inbox, people, identity decisions and passkey signatures, and everybody who may not."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from consent.models import ApprovalRequest, IdentityCheck
from consent.services import approvals
from tests.common import consent_clips
from tests.common.consenting import agreed, in_force, submit
from tests.common.passkeys import give_passkey
from trustcore.accounts.services import api_keys
from trustcore.audit.actors import Actor
from trustcore.keys.services import holds

pytestmark = pytest.mark.django_db


@pytest.fixture
def at(cast):
    """A browser of somebody of the cast."""

    def browser(name):
        client = Client()
        client.force_login(getattr(cast, name))
        return client

    return browser


@pytest.fixture
def check(cast):
    """Asha's clip, checked, waiting for a decision."""
    challenge = consent_clips.challenge("asha_first")
    return submit(
        agreed(cast), consent_clips.media("asha_first"), challenge, now=challenge.opens_at + timedelta(minutes=1)
    )


@pytest.fixture
def asked(cast):
    statement = approvals.statement_for(
        "replica",
        "r1",
        question="May version 3 of Asha speak for her?",
        text=["I approve replica version 3 of Asha."],
        facts={"version": 3},
    )
    return approvals.begin(actor=Actor.user(cast.farah), organisation=cast.organisation, author=cast.farah,
                           kind="replica", object_public_id="r1", statement=statement)  # fmt: skip


def sign_over_http(client, asked, key, **changed):
    options = client.post(f"/console/approvals/{asked.public_id}/challenge/", headers={"accept": "application/json"})
    if options.status_code != 200:
        return options
    answer = {
        "nonce": options.json()["nonce"], "statement_sha256": asked.statement_sha256,
        "assertion": key.get(options.json()),
    } | changed  # fmt: skip
    return post_answer(client, asked, answer)


def post_answer(client, asked, answer):
    return client.post(
        f"/console/approvals/{asked.public_id}/sign/",
        json.dumps(answer),
        content_type="application/json",
        headers={"accept": "application/json"},
    )


def test_an_officer_invites_sees_and_decides(at, check, cast):
    meera = at("meera")
    inbox = meera.get("/console/").content.decode()
    assert "Decide who recorded this clip: Asha Baruah" in inbox
    page = meera.get(f"/console/identity/{check.public_id}/").content.decode()
    for expected in (
        "Head turns in order, in time",
        "not run",
        "What these checks cannot tell you",
        "identity.verified",
    ):
        assert expected in page
    part = meera.get(f"/console/identity/{check.public_id}/clip", headers={"range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    meera.post(f"/console/identity/{check.public_id}/", {"decision": "accept"})
    check.refresh_from_db()
    assert check.state == "accepted"
    again = meera.post(f"/console/identity/{check.public_id}/", {"decision": "refuse"})
    assert again.status_code == 409
    assert "Somebody else decided" in again.content.decode()
    # The accepted person can be suspended with a reason, and not without one.
    subject = check.subject_public_id
    meera.post(f"/console/subjects/{subject}/suspend/", {"reason": ""})
    assert IdentityCheck.objects.get().consent.state == "in_force"
    meera.post(f"/console/subjects/{subject}/suspend/", {"reason": "A caller complained."})
    assert IdentityCheck.objects.get().consent.state == "suspended"
    meera.post(f"/console/subjects/{subject}/resume/", {"reason": "Cleared."})
    assert IdentityCheck.objects.get().consent.state == "in_force"
    # Nobody without the right gets a page of it, and another organisation's people do not even learn that it exists.
    paths = [f"/console/identity/{check.public_id}/", f"/console/identity/{check.public_id}/clip",
             f"/console/identity/{check.public_id}/poster.jpg", f"/console/subjects/{subject}/",
             f"/console/subjects/{subject}/picture.jpg"]  # fmt: skip
    assert [at("mallory").get(path).status_code for path in paths] == [404] * 5
    assert [at("dev").get(path).status_code for path in paths] == [403] * 5
    assert [Client().get(path).status_code for path in paths] == [302] * 5
    assert at("mallory").post(paths[0], {"decision": "refuse"}).status_code == 404
    assert at("erin").post(paths[0], {"decision": "refuse"}).status_code == 403
    assert at("mallory").post(f"/console/subjects/{subject}/suspend/", {"reason": "no"}).status_code == 404
    assert "Asha" not in at("mallory").get("/console/subjects/").content.decode()
    assert "Asha" not in at("mallory").get("/console/?show=all").content.decode()


def test_inviting_shows_the_link_once(at):
    meera = at("meera")
    form = {"name": "Carol Byrne", "email": "carol@studio.example", "asked_for": "Wellbeing coach", "language": "hi"}
    page = meera.get(meera.post("/console/subjects/", form).url)
    link = page.context["link_once"]
    assert Client().get(link).status_code == 200
    assert not meera.get(page.wsgi_request.path).context["link_once"]
    assert at("meera").post("/console/subjects/", form | {"email": "no"}).status_code == 422
    assert at("erin").post("/console/subjects/", form).status_code == 403


def test_two_people_sign_over_http(at, asked, cast):
    jonas_key, meera_key = give_passkey(cast.jonas), give_passkey(cast.meera)
    page = at("jonas").get(f"/console/approvals/{asked.public_id}/").content.decode()
    assert "I approve replica version 3 of Asha." in page
    assert "approval.signed" in page
    assert sign_over_http(at("jonas"), asked, jonas_key).json()["state"] == "half_signed"
    assert (
        "Jonas reads the same four words" in at("meera").get(f"/console/approvals/{asked.public_id}/").content.decode()
    )
    assert sign_over_http(at("meera"), asked, meera_key).json()["state"] == "approved"


def test_signatures_that_do_not_count_answer_in_one_shape(at, asked, cast):
    key = give_passkey(cast.jonas)
    for person, status, code in (
        ("farah", 403, "permission.missing"),
        ("mallory", 404, "not_found"),
        ("erin", 403, "permission.missing"),
    ):
        answer = sign_over_http(at(person), asked, key)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    stale = sign_over_http(at("jonas"), asked, key, statement_sha256="0" * 64)
    assert (stale.status_code, stale.json()["code"]) == (409, "approval.statement_changed")
    broken = [b"{", b"[]", json.dumps({"nonce": 1}).encode(), b"x" * 30_000]
    for body in broken:
        answer = at("jonas").post(f"/console/approvals/{asked.public_id}/sign/", body, content_type="application/json",
                                  headers={"accept": "application/json"})  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
    assert ApprovalRequest.objects.get().state == "open"


def test_an_api_key_signs_nothing(asked, cast):
    _, secret = api_keys.create(actor=Actor.user(cast.dev), organisation=cast.organisation, created_by=cast.dev,
                                name="Helpdesk", scope=["replica.view", "conversation.create"])  # fmt: skip
    for path in ("challenge/", "sign/", "send-back/"):
        answer = Client().post(f"/console/approvals/{asked.public_id}/{path}", headers={"x-api-key": secret})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission.missing")


def test_sending_back_needs_a_reason(at, asked):
    jonas = at("jonas")
    jonas.post(f"/console/approvals/{asked.public_id}/send-back/", {"reason": ""})
    assert ApprovalRequest.objects.get().state == "open"
    jonas.post(f"/console/approvals/{asked.public_id}/send-back/", {"reason": "The mouth is late."})
    assert ApprovalRequest.objects.get().state == "sent_back"
    assert "The mouth is late." in jonas.get(f"/console/approvals/{asked.public_id}/").content.decode()


def test_a_withdrawn_person_is_not_shown(at, cast, monkeypatch):
    from consent.services import consents

    consent = in_force(cast, monkeypatch)
    path = f"/console/subjects/{consent.subject_public_id}/picture.jpg"
    assert at("meera").get(path).status_code == 200
    consents.withdraw(actor=Actor.subject(consent.subject_public_id), consent=consent)
    assert at("meera").get(path).status_code == 404


def test_a_hold_is_placed_and_lifted_with_a_reason_and_a_known_person_is_invited_again(at, cast):
    consent = agreed(cast)
    base, meera = f"/console/subjects/{consent.subject_public_id}/", at("meera")
    meera.post(f"{base}hold/", {"act": "place", "reason": ""})
    assert not holds.in_force(consent.subject_public_id)
    meera.post(f"{base}hold/", {"act": "place", "reason": "Court order 7"})
    assert holds.in_force(consent.subject_public_id)
    meera.post(f"{base}hold/", {"act": "lift", "reason": "Lifted by the court"})
    assert not holds.in_force(consent.subject_public_id)
    assert meera.post(f"{base}hold/", {"act": "lift", "reason": "Once more"}).status_code == 403
    page = meera.get(meera.post(f"{base}invite/", {"asked_for": "Renewals desk"}).url)
    assert page.context["link_once"]
    assert consent.subject.invitations.count() == 2
    for path in ("hold/", "invite/", "resume/"):
        assert at("mallory").post(f"{base}{path}", {"act": "place", "reason": "mine"}).status_code == 404
        assert at("erin").post(f"{base}{path}", {"act": "place", "reason": "mine"}).status_code == 403
