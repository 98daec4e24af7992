"""Who may act as the person depicted: nobody by inviting again, by another house, or by a prepared session."""

import json
from datetime import timedelta

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent import intake
from consent.identity.results import CheckResult
from consent.intake import Intake
from consent.models import Consent, Subject
from consent.services import consents, invitations
from tests.common import consenting
from tests.functional.consent.test_subject_pages import ANSWERS
from trustcore.accounts.services import people
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.keys.services import subject_keys
from trustcore.primitives.clock import utc_now

pytestmark = pytest.mark.django_db


def test_an_officer_who_invites_again_does_not_get_the_verified_persons_page(cast, monkeypatch):
    first = consenting.in_force(cast, monkeypatch)
    link_of_hers = invitations.issue_portal_link(actor=Actor.subject(first.subject_public_id), subject=first.subject)
    other_face = CheckResult(
        name="same_face", verdict="fail", method="m", version="1", score=9.0, threshold=1.0, measure="other face",
        need="n", decided_by="method")
    found = Intake([other_face], b"", np.zeros(60, np.float32), b"jpeg", 20.0)
    monkeypatch.setattr(intake, "run_checks", lambda *_, **__: found)
    officer = Client()
    officer.force_login(cast.meera)
    officer.post(f"/console/subjects/{first.subject_public_id}/invite/")
    link = "/i/" + officer.session["invitation_link_once"].split("/i/")[1]
    officer.get(link)
    officer.post(link, ANSWERS)
    challenge = officer.get(f"{link}clip/").context["challenge"]
    clip = SimpleUploadedFile("c.webm", b"any face", content_type="video/webm")
    officer.post(f"{link}clip/", {"clip": clip, "nonce": challenge["nonce"], "timed": "1"})
    assert officer.post(f"{link}page/", headers={"accept": "application/json"}).json()["code"] == "portal.elsewhere"
    assert officer.get("/me/", headers={"accept": "application/json"}).status_code == 409
    assert Client().post(f"/me/enter/{link_of_hers}/").url == "/me/"  # her own link still works
    assert Consent.objects.get(pk=first.pk).state == "in_force"


def test_another_house_cannot_take_the_persons_account(cast):
    own = people.create_user(actor=Actor.system("test"), email="person@studio.example", display_name="Asha Baruah")
    elsewhere = people.create_organisation(actor=Actor.system("test"), slug="evil", name="Evil")
    invitations.send(
        actor=Actor.user(cast.mallory), organisation=elsewhere, invited_by=cast.mallory, name="whoever",
        email=own.email, language="en", asked_for="x")
    invitation, _ = consenting.invite(cast, email=own.email)
    assert invitation.subject.user == own
    client = Client()
    client.force_login(own)
    assert invitation.subject.organisation.name in client.get("/me/").content.decode()


def test_an_account_sees_its_own_page_whatever_link_was_opened(cast, monkeypatch):
    asha = consenting.in_force(cast, monkeypatch)
    token = invitations.issue_portal_link(actor=Actor.subject(asha.subject_public_id), subject=asha.subject)
    client = Client()
    assert client.post(f"/me/enter/{token}/").url == "/me/" and client.get("/me/").status_code == 200
    client.force_login(cast.meera)  # an officer signs in on the shared computer
    assert client.get("/me/", headers={"accept": "application/json"}).status_code == 409
    client.post(f"/me/enter/{token}/")  # and a private link signs her out again
    assert client.get("/me/").status_code == 200 and client.get("/console/").status_code == 302


def test_following_a_private_link_alone_changes_nothing(cast, monkeypatch):
    asha = consenting.in_force(cast, monkeypatch)
    token = invitations.issue_portal_link(actor=Actor.subject(asha.subject_public_id), subject=asha.subject)
    client = Client()
    assert "Open my page" in client.get(f"/me/enter/{token}/").content.decode()
    assert client.get("/me/", headers={"accept": "application/json"}).status_code == 409


def test_nothing_is_agreed_under_a_key_that_goes(cast, monkeypatch):
    first = consenting.in_force(cast, monkeypatch)
    me = Actor.subject(first.subject_public_id)
    consents.withdraw_all(actor=me, subject=first.subject)
    waiting, token = consenting.invite(cast, subject=first.subject)
    first.refresh_from_db()
    consents.begin_key_destruction(actor=me, consent=first)
    client = Client(headers={"accept": "application/json"})
    client.get(f"/i/{token}/")
    assert client.post(f"/i/{token}/", ANSWERS).json()["code"] == "consent.key_going"
    with pytest.raises(invitations.KeyGoing):
        consenting.invite(cast, subject=first.subject)
    assert consents.destroy_due_keys(now=utc_now() + timedelta(hours=25)) == [first.public_id]
    assert not subject_keys.exists(first.subject_public_id)


def test_a_key_in_use_is_not_destroyed(cast, monkeypatch):
    first = consenting.in_force(cast, monkeypatch)
    me = Actor.subject(first.subject_public_id)
    consents.withdraw_all(actor=me, subject=first.subject)
    second = consenting.in_force(cast, monkeypatch, subject=first.subject)
    first.refresh_from_db()
    consents.begin_key_destruction(actor=me, consent=first)
    assert consents.destroy_due_keys(now=utc_now() + timedelta(hours=25)) == []
    assert second.state == "in_force" and subject_keys.exists(first.subject_public_id)


def test_erasure_takes_the_name_out_of_the_receipt(cast, monkeypatch):
    first = consenting.in_force(cast, monkeypatch)
    me = Actor.subject(first.subject_public_id)
    kept = json.dumps(first.receipt)
    consents.withdraw_all(actor=me, subject=first.subject)
    first.refresh_from_db()
    consents.begin_key_destruction(actor=me, consent=first, is_stepped_up=True)
    consents.finish_key_destruction(actor=me, consent=first)
    first.refresh_from_db()
    assert "Asha" in kept and first.receipt == {} and first.receipt_sha256
    assert Subject.objects.get(pk=first.subject_id).name == "Erased person"


def test_a_stranger_does_not_make_the_log_grow(cast):
    before = Event.objects.count()
    for number in range(50):
        assert Client().get("/v2/replicas", headers={"x-api-key": f"tc_x{number}_y"}).status_code == 401
    assert Event.objects.count() == before + 1
