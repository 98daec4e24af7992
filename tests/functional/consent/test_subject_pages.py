"""What the invited person and the person depicted can do over HTTP, and what nobody else can."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent.models import Consent, Invitation
from consent.receipts import verify_receipt
from consent.services import invitations
from tests.common import consent_clips
from tests.common.consenting import in_force, invite
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.keys.services import signing_keys

pytestmark = pytest.mark.django_db
ANSWERS = {
    "purposes": ["support"],
    "audiences": ["adults"],
    "languages": ["en"],
    "territories": ["IN"],
    "retention_days": "90",
    "expires_on": "2027-11-01",
    "releases": ["face", "voice", "biometric"],
    "emotion_joy": "600",
}


@pytest.fixture
def link(cast):
    return f"/i/{invite(cast)[1]}/"


def agree(client, link, **changed):
    return client.post(link, ANSWERS | changed)


def ask(client, link):
    """The challenge that the page shows."""
    return client.get(f"{link}clip/").context["challenge"]


def upload(client, link, content, challenge=None, **form):
    challenge = challenge or ask(client, link)
    file = SimpleUploadedFile("clip.webm", content, content_type="video/webm")
    data = {"clip": file, "nonce": challenge["nonce"], "timed": "1"} | form
    return client.post(f"{link}clip/", data, headers={"accept": "application/json"})


def drawn_turns(challenge):
    return [turn["direction"] for turn in challenge["turns"]]


def turns_of(clip):
    return [turn.direction for turn in consent_clips.challenge(clip).turns]


def test_reading_setting_limits_and_agreeing(client, link):
    page = client.get(link)
    assert "may we make a replica of you?" in page.content.decode()
    assert Invitation.objects.get().state == "opened"
    form = client.get(f"{link}?step=limits").content.decode()
    assert "checked" not in form  # nothing is ticked beforehand
    assert agree(client, link).url == f"{link}clip/"
    receipt = json.loads(client.get(f"{link}receipt.json").content)
    body = verify_receipt(receipt, signing_keys.trusted("receipt"))
    assert body["processing"]["emotions_max_milli"] == {"joy": 600}
    assert client.get(link).url == f"{link}clip/"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"purposes": []}, "Choose at least one purpose."),
        ({"releases": ["face"]}, "A replica needs each of the three"),
        ({"expires_on": "2099-01-01"}, "at most 10 years"),
        ({"territories": ["XX"]}, "not one of the available"),
        ({"expires_on": "soon"}, "Enter a valid date"),
        ({"emotion_joy": "5000"}, "not one of the available"),
    ],
)
def test_a_scope_outside_the_lists_is_refused_beside_its_field(client, link, changed, told):
    client.get(link)
    answer = agree(client, link, **changed)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Consent.objects.exists()


def test_declining_ends_it(client, link):
    client.get(link)
    assert "You declined" in client.post(f"{link}decline/").content.decode()
    assert client.get(link).status_code == 410


def test_a_link_nobody_sent_leads_nowhere(client, db):
    for path in (
        "/i/guessed/",
        "/i/guessed/clip/",
        "/i/guessed/receipt.json",
        "/i/guessed/done/",
        "/me/enter/guessed/",
    ):
        answer = client.get(path, headers={"accept": "application/json"})
        assert answer.status_code in {404, 409, 410}, path
        assert answer.json()["code"] in {"invitation.unknown", "portal.unknown"}


def test_a_recording_that_does_not_answer_is_told_why_and_recorded_again(client, link):
    client.get(link)
    agree(client, link)
    challenge = ask(client, link)
    wrong = next(name for name in ("asha_first", "asha_second") if turns_of(name) != drawn_turns(challenge))
    answer = upload(client, link, consent_clips.media(wrong), challenge)
    assert answer.json() == {"next": f"{link}done/"}
    page = client.get(f"{link}done/").content.decode()
    assert "This recording does not count yet" in page
    assert "The turns were not the ones we asked for" in page
    assert client.post(f"{link}clip/again/").url == f"{link}clip/"
    assert Invitation.objects.get().attempts_left == 2


def test_the_invitations_link_opens_the_persons_page_in_her_own_browser_alone(client, link, cast):
    client.get(link)
    agree(client, link)
    early = client.post(f"{link}page/", headers={"accept": "application/json"})
    assert early.json()["code"] == "portal.elsewhere"  # nothing recorded yet
    upload(client, link, consent_clips.media("asha_first"))
    assert "Open my page" in client.get(f"{link}done/").content.decode()
    for user in (cast.meera, cast.mallory, None):
        other = Client()
        if user:
            other.force_login(user)
        assert "Open my page" not in other.get(f"{link}done/").content.decode()
        refused = other.post(f"{link}page/", headers={"accept": "application/json"})
        assert (refused.status_code, refused.json()["code"]) == (409, "portal.elsewhere")
        assert other.get("/me/").status_code == 409
    assert client.post(f"{link}page/").url == "/me/"
    assert "Withdraw" in client.get("/me/").content.decode()


def test_a_file_that_is_no_video_is_refused_by_name_and_nothing_is_kept(client, link):
    client.get(link)
    agree(client, link)
    answer = upload(client, link, b"GIF89a, but not really")
    assert (answer.status_code, answer.json()["code"]) == (422, "media.not_video")
    assert answer.json()["error"] == answer.json()["message"]
    again = client.post(f"{link}clip/", {"nonce": "x"}, headers={"accept": "application/json"})
    assert (again.status_code, again.json()["code"]) == (422, "clip.form_invalid")
    assert upload(client, link, b"x", nonce="0" * 32).json()["code"] == "challenge.closed"
    assert Invitation.objects.get().state == "agreed"


def test_an_upload_needs_the_form_s_token(link):
    strict = Client(enforce_csrf_checks=True)
    strict.get(link)
    assert strict.post(link, ANSWERS).status_code == 403


class TestPortal:
    @pytest.fixture
    def mine(self, cast, monkeypatch):
        consent = in_force(cast, monkeypatch)
        token = invitations.issue_portal_link(actor=Actor.subject(consent.subject_public_id), subject=consent.subject)
        client = Client()
        assert "Open my page" in client.get(f"/me/enter/{token}/").content.decode()
        assert client.post(f"/me/enter/{token}/").url == "/me/"
        return client, consent

    def test_withdrawing_is_one_press_without_a_reason(self, mine):
        client, consent = mine
        page = client.get("/me/").content.decode()
        assert "Withdraw my consent" in page
        assert client.post("/me/withdraw/").url == "/me/withdrawn/"
        consent.refresh_from_db()
        assert consent.state == "withdrawn"
        assert Event.objects.get(action="consent.withdrawn").actor_type == "subject"
        assert "You withdrew" in client.get("/me/withdrawn/").content.decode()

    def test_the_key_is_a_second_step_with_a_window(self, mine):
        client, consent = mine
        client.post("/me/withdraw/")
        client.post("/me/withdrawn/")
        consent.refresh_from_db()
        assert consent.state == "key_destruction_begun"
        assert "The key to your replica goes on" in client.get("/me/withdrawn/").content.decode()

    def test_the_records_hold_every_receipt(self, mine):
        client, consent = mine
        records = json.loads(client.get("/me/records.json").content)
        assert records["consents"][0]["receipt"]["body"]["header"]["record_id"] == consent.public_id
        assert client.get("/me/receipt.json").status_code == 200

    def test_an_older_link_stops_working(self, mine):
        _, consent = mine
        first = invitations.issue_portal_link(actor=Actor.system("tests"), subject=consent.subject)
        invitations.issue_portal_link(actor=Actor.system("tests"), subject=consent.subject)
        assert Client().get(f"/me/enter/{first}/").status_code == 409

    def test_nobody_else_sees_the_page_or_withdraws(self, mine, cast):
        _, consent = mine
        for user in (cast.mallory, cast.meera, cast.dev, None):
            client = Client()
            if user:
                client.force_login(user)
            for path in ("/me/", "/me/records.json", "/me/picture.jpg", "/me/withdrawn/"):
                assert client.get(path).status_code == 409
            assert client.post("/me/withdraw/").status_code == 409
        consent.refresh_from_db()
        assert consent.state == "in_force"

    def test_the_person_s_own_account_opens_it_too(self, mine, cast):
        _, consent = mine
        client = Client()
        client.force_login(cast.asha)
        assert consent.subject.user == cast.asha
        assert "Withdraw my consent" in client.get("/me/").content.decode()
