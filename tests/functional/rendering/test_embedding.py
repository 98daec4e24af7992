"""The viewer's page in a frame of another site: who may show it, and that it needs no cookie."""

import re
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.common.static_server import STATIC
from tests.functional.rendering.test_sessions import OFFER, Talk
from trustcore.audit.models import Event
from trustcore.web import embed_origins
from trustcore.web.deploy_checks import no_development_stand_ins

SHOP = "https://shop.example"
pytestmark = pytest.mark.django_db


@pytest.fixture
def talk(stage: Any) -> Talk:
    return Talk(stage)


@pytest.fixture(autouse=True)
def _listed(settings: Any, cast: Any) -> None:
    settings.EMBED_ORIGINS = embed_origins.read([f"{cast.organisation.slug}={SHOP}"])


def token_of(talk: Talk) -> str:
    return str(talk.link.partition("?t=")[2])


def framed(talk: Talk, client: Client | None = None, **headers: str) -> Any:
    sent = {"referer": f"{SHOP}/", "sec-fetch-dest": "iframe", **headers}
    return (client or Client()).get(f"/c/{talk.id}/embed/?t={token_of(talk)}", headers=sent)


def secret_in(answer: Any) -> str:
    found = re.search(r'data-viewer-secret="([^"]+)"', answer.content.decode())
    assert found, answer.content[:500]
    return found.group(1)


def test_a_listed_page_may_frame_it_and_no_other(talk: Talk) -> None:
    answer = framed(talk)
    assert answer.status_code == 200 and "AI replica of Asha Baruah" in answer.content.decode()
    policy = answer["Content-Security-Policy"]
    assert f"frame-ancestors {SHOP};" in policy + ";" and "'unsafe" not in policy
    assert "X-Frame-Options" not in answer
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "microphone=(self)" in answer["Permissions-Policy"] and "camera=()" in answer["Permissions-Policy"]
    assert not answer.cookies and answer["Cache-Control"] == "no-store"
    assert 'data-part="hide"' not in answer.content.decode()
    again = framed(talk)  # a used link says so inside the frame
    assert again.status_code == 409 and b"does not open a conversation" in again.content
    assert b"data-viewer-secret" not in again.content
    assert f"frame-ancestors {SHOP}" in again["Content-Security-Policy"]


def test_another_page_is_refused_and_the_link_stays_good(talk: Talk) -> None:
    for referer in ("https://mallory.example/", "http://shop.example/", "https://shop.example:8443/"):
        answer = framed(talk, referer=referer)
        assert answer.status_code == 403 and "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    for listed in ({}, embed_origins.read(["another=https://shop.example"])):
        with override_settings(EMBED_ORIGINS=listed):
            assert framed(talk).status_code == 403
    by_itself = framed(talk, **{"sec-fetch-dest": "document"})
    assert by_itself.status_code == 302 and by_itself["Location"] == f"/c/{talk.id}/?t={token_of(talk)}"
    assert talk.row.state == "waiting"
    ordinary = Client().get(by_itself["Location"], follow=True)
    assert ordinary.status_code == 200 and "frame-ancestors 'none'" in ordinary["Content-Security-Policy"]
    assert ordinary["X-Frame-Options"] == "DENY"


def test_the_secret_in_the_page_opens_the_four_addresses_and_a_cookie_does_not(talk: Talk) -> None:
    secret = secret_in(framed(talk))
    client = Client(enforce_csrf_checks=True)
    base, header = f"/c/{talk.id}/embed", {"x-viewer-secret": secret}
    assert client.get(f"{base}/state", headers=header).json()["status"] == "live" or talk.row.state == "joining"
    answer = client.post(f"{base}/message", {"text": "hi"}, content_type="application/json", headers=header)
    assert answer.status_code == 200, answer.content
    client.cookies[f"viewer_{talk.id}"] = secret
    for what in ("offer", "message", "leave"):
        wrong = client.post(f"{base}/{what}", OFFER, content_type="application/json")
        assert (wrong.status_code, wrong.json()["code"]) == (409, "conversation.join_refused")
    assert client.get(f"{base}/state").status_code == 409
    assert client.post(f"{base}/leave", headers=header).status_code == 200
    assert talk.row.end_reason == "viewer_left"


def test_nobody_is_perceived_in_a_frame_whatever_the_page_around_it_hands_on(stage: Any) -> None:
    persona = Client().post(
        "/v2/personas", {"persona_name": "Helper", "layers": {"perception": {"emotion_recognition": "full"}}},
        content_type="application/json", headers={"x-api-key": stage.api_key}).json()
    talk = Talk(stage, persona_id=persona["persona_id"])
    assert talk.row.grant["body"]["perception"] == "full"  # on its own page it would be asked for
    answer = framed(talk)
    assert answer.status_code == 200 and "perception" not in answer.content.decode()
    assert "camera=()" in answer["Permissions-Policy"]
    header = {"x-viewer-secret": secret_in(answer)}
    client = Client()
    client.cookies[f"viewer_{talk.id}"] = header["x-viewer-secret"]
    for client_headers in (header, {}):
        said = client.post(
            f"/c/{talk.id}/embed/perception", {"word": "grant"}, content_type="application/json",
            headers=client_headers)
        assert said.status_code == 404
        assert client.get(f"/c/{talk.id}/embed/perception/frame", headers=client_headers).status_code == 404
    assert not Event.objects.filter(action="perception.consented").exists()
    player = (STATIC / "js/player/trustcore-player.js").read_text()
    assert 'setAttribute("allow", "autoplay; microphone")' in player


def test_there_is_nothing_at_an_unknown_conversation() -> None:
    answer = Client().get("/c/c-nobody/embed/?t=x", headers={"referer": SHOP})
    assert answer.status_code == 409 and "frame-ancestors 'none'" in answer["Content-Security-Policy"]


def test_production_refuses_plain_pages(settings: Any) -> None:
    settings.EMBED_ORIGINS = embed_origins.read(["http://localhost:3000"])
    assert "trustcore.E006" in {error.id for error in no_development_stand_ins(None)}
    settings.EMBED_ORIGINS = embed_origins.read([SHOP])
    assert "trustcore.E006" not in {error.id for error in no_development_stand_ins(None)}
