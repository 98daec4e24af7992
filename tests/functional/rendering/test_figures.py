"""What a viewer's page may report of its line, and what it may not: another's, too late, absurd, or twice."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from rendering.measuring import batch
from rendering.models import AnswerTime, Conversation, Visit
from rendering.services import figures
from tests.common.figure_reports import ANSWER, REPORT
from tests.functional.rendering.test_sessions import Talk
from trustcore.audit import recording
from trustcore.audit.actors import Actor
from trustcore.primitives.clock import utc_now

pytestmark = pytest.mark.django_db


def bound_ago(talk, seconds):
    """Let the viewer have come so long ago."""
    row = talk.row
    with recording.recording(actor=Actor.system("tests"), action=recording.Action.CONVERSATION_CHANGED, obj=row):
        row.viewer_bound_at = utc_now() - timedelta(seconds=seconds)
        row.save()


@pytest.fixture
def talk(stage):
    talk = Talk(stage)
    assert talk.join().status_code == 200 and stage.slot.claim("session").status_code == 200
    bound_ago(talk, 120)
    return talk


def report(talk, client=None, **changed):
    return talk.post("figures", {**REPORT, **changed}, client)


def test_a_report_is_kept_with_its_answers_and_the_newest_totals_count(talk, settings):
    settings.REGIONS = {"*": "Guwahati"}
    assert report(talk).status_code == 200
    later = {"number": 2, "frames": 600, "watched_ms": 20_000, "frozen_ms": 300, "received": 600, "verified": 600,
             "answers": [ANSWER, {"number": 2, "kind": "typed", "ms": 350}], "rung_ms": {"full": 20_000}}
    assert report(talk, **later).status_code == 200
    visit = Visit.objects.get()
    assert (visit.frames, visit.frozen_ms, visit.number, visit.region) == (600, 300, 2, "Guwahati")
    assert visit.organisation == talk.row.organisation and visit.conversation.public_id == talk.id
    assert list(AnswerTime.objects.order_by("number").values_list("kind", "ms")) == [("voice", 480), ("typed", 350)]


def test_nothing_of_the_person_is_kept(talk):
    talk.viewer.post(
        f"/c/{talk.id}/figures", json.dumps(REPORT), content_type="application/json", REMOTE_ADDR="203.0.113.77",
        HTTP_USER_AGENT="Mozilla/5.0 Unmistakable")
    kept = {name: str(value) for name, value in Visit.objects.values()[0].items()}
    assert not [name for name, value in kept.items() if "203.0" in value or "Mozilla" in value]
    assert not {"address", "ip", "user_agent", "browser", "viewer"} & set(kept)


def test_a_page_that_is_loaded_again_is_another_visit_of_the_same_session(talk):
    assert report(talk).status_code == 200
    assert report(talk, visit="f" * 16).status_code == 200
    assert Visit.objects.filter(conversation__public_id=talk.id).count() == 2
    for n in range(figures.MAX_REJOINS - 1):
        assert report(talk, visit=f"{n:016x}", answers=[]).status_code == 200
    assert report(talk, visit="e" * 16).status_code == 429


# --- Mallory ----------------------------------------------------------------------------------------------------------


def test_nobody_reports_of_another_ones_session(talk, stage):
    assert report(talk, Client()).status_code == 409
    other = Talk(stage)
    mallory = Client()
    assert other.join(mallory).status_code == 200  # a viewer herself, of another conversation
    mallory.cookies[f"viewer_{talk.id}"] = mallory.cookies[f"viewer_{other.id}"].value
    assert report(talk, mallory).status_code == 409
    with_header = mallory.post(
        f"/c/{talk.id}/embed/figures", json.dumps(REPORT), content_type="application/json",
        HTTP_X_VIEWER_SECRET=mallory.cookies[f"viewer_{other.id}"].value)
    assert with_header.status_code == 409
    assert not Visit.objects.exists()


def test_another_sites_form_cannot_report(talk):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = talk.viewer.cookies
    answer = strict.post(f"/c/{talk.id}/figures", json.dumps(REPORT), content_type="application/json")
    assert answer.status_code == 403 and not Visit.objects.exists()


def test_an_ended_session_takes_the_last_report_and_then_none(talk):
    assert talk.post("leave").status_code == 200
    assert report(talk, is_last=True).status_code == 200
    row = talk.row
    with recording.recording(actor=Actor.system("tests"), action=recording.Action.CONVERSATION_CHANGED, obj=row):
        row.ended_at = utc_now() - figures.GRACE - timedelta(seconds=1)
        row.save()
    late = report(talk, number=2)
    assert late.status_code == 410 and late.json()["code"] == "figures.not_taken"
    assert Visit.objects.get().number == 1


def test_the_last_report_is_the_last(talk):
    assert report(talk, is_last=True).status_code == 200
    after = report(talk, number=2, frames=300)
    assert after.status_code == 409 and Visit.objects.get().frames == REPORT["frames"]


def test_a_report_counts_once(talk):
    assert report(talk).status_code == 200
    again = report(talk)
    assert again.status_code == 409 and again.json()["code"] == "figures.replayed"
    assert report(talk, number=3, frames=300).status_code == 200
    assert report(talk, number=2, frames=300).status_code == 409  # an older one that came late
    assert AnswerTime.objects.count() == 1


def test_an_answer_keeps_its_first_word(talk):
    assert report(talk).status_code == 200
    assert report(talk, number=2, answers=[{**ANSWER, "ms": 1}]).status_code == 200
    assert AnswerTime.objects.get().ms == 480


def test_what_is_malformed_or_absurd_is_refused_whole(talk):
    for spoil, status, code in (
        ({"network": "5g"}, 400, "figures.invalid"), ({"user_agent": "Mozilla/5.0"}, 400, "figures.invalid"),
        ({"frames": 10_000}, 422, "figures.implausible"), ({"verified": 241}, 422, "figures.implausible"),
        ({"answers": [{**ANSWER, "number": 500}]}, 422, "figures.implausible"),
    ):
        answer = report(talk, **spoil)
        assert (answer.status_code, answer.json()["code"]) == (status, code), spoil
    assert not Visit.objects.exists()


def test_totals_never_shrink(talk):
    assert report(talk).status_code == 200
    for name in ("frames", "frozen_ms", "lost", "samples", "verified"):
        if REPORT[name]:
            assert report(talk, number=2, **{name: REPORT[name] - 1}).status_code == 422, name
    assert Visit.objects.get().number == 1


def test_a_page_reports_only_so_often(talk):
    for number in range(1, batch.FREE_REPORTS + 1):
        assert report(talk, number=number).status_code == 200
    assert report(talk, number=batch.FREE_REPORTS + 1).status_code == 429
    assert report(talk, number=batch.FREE_REPORTS + 1, is_last=True).status_code == 200


def test_a_body_is_bounded(talk):
    assert report(talk, visit="0" * 9000).status_code == 413
    assert talk.viewer.post(f"/c/{talk.id}/figures", b"[", content_type="application/json").status_code == 400
    assert talk.viewer.get(f"/c/{talk.id}/figures").status_code == 405


def test_where_nothing_is_measured_nothing_is_taken(talk, settings):
    settings.VIEWER_FIGURES = "off"
    assert report(talk).json()["code"] == "figures.not_taken" and not Visit.objects.exists()


def test_figures_have_an_end(talk, settings):
    assert report(talk).status_code == 200
    settings.FIGURES_DAYS = 30
    assert figures.forget_old(now=utc_now() + timedelta(days=29)) == 0
    assert figures.forget_old(now=utc_now() + timedelta(days=31)) == 1
    assert not AnswerTime.objects.exists() and Conversation.objects.filter(public_id=talk.id).exists()
