"""A check from the question to its end: who may ask, where the clip waits, and what happens when somebody dies."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from provenance import tasks
from provenance.errors import TooManyChecks
from provenance.models import CheckRun, ClipCheck, ToldAnswer
from provenance.services import check_runs, check_spool, checks
from tests.common.checking import ask, solution, solved, verdict_of
from tests.common.moving_frames import talking_frames
from tests.common.simulators.marked_session import as_mp4
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.keys.services import mark_keys
from trustcore.primitives.clock import utc_now

pytestmark = pytest.mark.django_db
STRANGER, NEIGHBOUR, ELSEWHERE = "192.0.2.7", "192.0.2.200", "198.51.100.1"


@pytest.fixture(scope="module")
def clip() -> bytes:
    return as_mp4(list(talking_frames(10, 256, seed=5)))


@pytest.fixture(autouse=True)
def spool(settings: Any, tmp_path: Path) -> None:
    settings.CHECK_SPOOL_DIR = tmp_path / "spool"


@pytest.fixture
def nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that checks is not running."""
    monkeypatch.setattr(tasks.run_checks, "delay", lambda: None)


def send(client: Client, content: bytes, address: str = STRANGER, **more: str) -> str:
    """Where a question is answered."""
    answer = client.post("/check/", {"clip": SimpleUploadedFile("clip.mp4", content), **more}, REMOTE_ADDR=address)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return str(answer["Location"])


def refusals() -> list[str]:
    """Why checks came to nothing, as the log says it."""
    rows = Event.objects.filter(action="file.verified", outcome="refused").order_by("id")
    return [json.loads(bytes(row.body))["reason"] for row in rows]


def waiting(settings: Any) -> list[Path]:
    return list(Path(settings.CHECK_SPOOL_DIR).glob("*"))


# --- who may ask -------------------------------------------------------------------------------


def test_network_has_its_quota_and_others_have_theirs(client: Client, clip: bytes, settings: Any) -> None:
    settings.CHECKS_AN_HOUR = 2
    assert ask(client, clip).status_code == ask(client, clip, address=NEIGHBOUR).status_code == 200
    refused = ask(client, clip)
    assert refused.status_code == 429 and "Too many clips" in refused.content.decode()
    assert ask(client, clip, address=ELSEWHERE).status_code == 200
    CheckRun.objects.update(created_at=utc_now() - timedelta(hours=1, minutes=1))
    assert ask(client, clip).status_code == 200


def test_midnight_gives_no_second_quota(client: Client, settings: Any, nobody_works: None) -> None:
    settings.CHECKS_AN_HOUR_UNPROVEN = 1

    def at(hour: int, minute: int, day: int = 28) -> None:
        check_runs.submit(
            actor=Actor("anyone", ""), address=STRANGER, read=lambda: b"x", proof=check_runs.Proof(),
            now=datetime(2026, 11, day, hour, minute, tzinfo=UTC))

    at(23, 50)
    with pytest.raises(TooManyChecks):
        at(0, 10, day=29)
    at(0, 51, day=29)


def test_puzzle_of_before_midnight_counts_after_it(client: Client, nobody_works: None) -> None:
    before, after = (datetime(2026, 11, 28, 23, 55, tzinfo=UTC) + timedelta(minutes=late) for late in (0, 10))
    puzzle = check_runs.puzzle_for(STRANGER, now=before)
    run = check_runs.submit(
        actor=Actor("anyone", ""), address=STRANGER, read=lambda: b"x",
        proof=check_runs.Proof(puzzle, solution(puzzle)), now=after)
    assert run.is_proven


def test_clip_of_a_network_that_may_not_ask_is_not_read(client: Client, settings: Any) -> None:
    settings.CHECKS_AN_HOUR_UNPROVEN = 0

    def read() -> bytes:
        raise AssertionError("It was read.")

    with pytest.raises(TooManyChecks):
        check_runs.submit(
            actor=Actor("anyone", ""), address=STRANGER, read=read, proof=check_runs.Proof(), now=utc_now())


def test_without_the_puzzle_one_may_ask_less_often(client: Client, clip: bytes, settings: Any) -> None:
    settings.CHECKS_AN_HOUR_UNPROVEN = 1
    assert ask(client, clip, is_proven=False).status_code == 200
    assert ask(client, clip, is_proven=False).status_code == 429
    assert ask(client, clip).status_code == 200


def test_puzzle_is_worth_one_question_of_the_network_it_was_made_for(
    client: Client, clip: bytes, nobody_works: None
) -> None:
    proof = solved(client, STRANGER)
    send(client, clip, **proof)
    send(client, clip, **proof)
    send(client, clip, address=ELSEWHERE, **solved(client, STRANGER))
    assert list(CheckRun.objects.order_by("id").values_list("is_proven", flat=True)) == [True, False, False]


def test_puzzles_get_harder(client: Client, clip: bytes, nobody_works: None) -> None:
    def bits() -> int:
        found = re.search(r'value="1\.\d+\.(\d+)\.', client.get("/check/", REMOTE_ADDR=STRANGER).content.decode())
        assert found is not None
        return int(found[1])

    before = bits()
    for _ in range(4):
        send(client, clip)
    assert bits() == before + 1


def test_addresses_are_not_kept(client: Client, clip: bytes, nobody_works: None) -> None:
    send(client, clip)
    row = CheckRun.objects.values().get()
    assert STRANGER not in str(row) and "192.0.2" not in str(row)
    assert not Event.objects.filter(body__contains=b"192.0.2").exists()


def test_everybody_together_has_a_limit_too(client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_runs, "MAX_CHECKS_A_MINUTE", 1)
    assert ask(client, clip).status_code == 200
    for _ in range(3):
        assert ask(client, clip, address=ELSEWHERE).status_code == 429
    assert Event.objects.filter(action="file.verified", outcome="refused").count() == 1  # one a minute


def test_queue_has_an_end(
    client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch, nobody_works: None
) -> None:
    monkeypatch.setattr(check_runs, "MAX_WAITING", 1)
    send(client, clip)
    assert client.post("/check/", {"clip": SimpleUploadedFile("c.mp4", clip)}).status_code == 429


# --- waiting -------------------------------------------------------------------------------


def test_clip_waits_encrypted_and_for_its_owner_only(
    client: Client, clip: bytes, settings: Any, nobody_works: None
) -> None:
    send(client, clip)
    (file,) = waiting(settings)
    encrypted = file.read_bytes()
    assert len(encrypted) > len(clip) and b"ftyp" not in encrypted
    assert Path(settings.CHECK_SPOOL_DIR).stat().st_mode & 0o077 == 0
    with pytest.raises(Exception, match="gone"):
        check_spool.take(CheckRun.objects.get().public_id, b"k" * 32)
    assert waiting(settings) == []


def test_page_of_a_check_shows_how_far_it_is_with_and_without_script(
    client: Client, clip: bytes, nobody_works: None
) -> None:
    first = send(client, clip)
    second = send(client, clip, **solved(client, STRANGER))
    page = client.get(first).content.decode()
    assert '<noscript><meta http-equiv="refresh"' in page and "<progress" in page and "Waiting for its turn" in page
    # Who solved the puzzle comes first.
    assert "Checks before yours: 1." in page and "Checks before yours" not in client.get(second).content.decode()
    told = client.get(f"{first}progress.json").json()
    assert told == {"is_over": False, "step": "Waiting for its turn", "note": "Checks before yours: 1.", "share": 0,
                    "at": 0}
    tasks.run_checks()
    assert client.get(f"{first}progress.json").json()["is_over"]
    assert verdict_of(client.get(first)) == verdict_of(client.get(second)) == "no_mark"
    assert ClipCheck.objects.order_by("id").first().public_id in second


def test_steps_are_told_while_it_runs(
    client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = check_runs._SignsOfLife.__call__

    def spying(self: Any, step: str, done: int, total: int) -> None:
        real(self, step, done, total)
        seen.append(CheckRun.objects.get().step)

    monkeypatch.setattr(check_runs._SignsOfLife, "__call__", spying)
    ask(client, clip)
    assert list(dict.fromkeys(seen)) == ["manifest", "reading", "mark", "comparing"]


def test_stopped_while_it_waits(client: Client, clip: bytes, settings: Any, nobody_works: None) -> None:
    where = send(client, clip)
    assert client.post(f"{where}stop/").status_code == 302
    assert waiting(settings) == []
    assert refusals() == ["check.stopped"]
    page = client.get(where)
    assert page.status_code == 200 and "You stopped this check." in page.content.decode()
    assert tasks.run_checks() == 0 and not ClipCheck.objects.exists()


def test_stopped_while_it_is_looked_at(client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    real = checks.clip_reading.look

    def stopped_meanwhile(*given: Any) -> Any:
        check_runs.stop(CheckRun.objects.get().public_id, now=utc_now())
        return real(*given)

    monkeypatch.setattr(checks.clip_reading, "look", stopped_meanwhile)
    page = ask(client, clip)
    assert "You stopped this check." in page.content.decode()
    assert not ClipCheck.objects.exists() and not ToldAnswer.objects.exists()
    assert refusals() == ["check.stopped"]


def test_stopping_a_search_asks_nothing_for_free(
    client: Client, clip: bytes, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sees that a search begins has seen that nothing is told of the mark as it lies: that is the answer."""
    settings.MARK_SEARCH_S = 30
    mark_keys.current()
    monkeypatch.setattr(check_runs, "SIGN_OF_LIFE_S", 0.0)

    def stopped(_planes: Any, _key: Any, on_progress: Any) -> Any:
        on_progress(0.1)
        run = CheckRun.objects.get()
        assert run.step == "search"
        check_runs.stop(run.public_id, now=utc_now())
        on_progress(0.5)

    monkeypatch.setattr(checks.clip_reading, "search", stopped)
    page = ask(client, clip)
    assert "You stopped this check." in page.content.decode()
    assert refusals() == ["check.stopped"]
    assert [told.verdict for told in ToldAnswer.objects.all()] == ["no_mark"]


def test_answer_that_was_given_cannot_be_stopped(client: Client, clip: bytes) -> None:
    page = ask(client, clip)
    where = page.request["PATH_INFO"]
    client.post(f"{where}stop/")
    assert verdict_of(client.get(where)) == "no_mark"


# --- dying -------------------------------------------------------------------------------


def killed_while_looking(client: Client, clip: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """The process ends in the middle of a check, without a word."""
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    where = send(client, clip)
    with monkeypatch.context() as patch:
        patch.setattr(checks.clip_reading, "look", die)
        with pytest.raises(Killed):
            tasks.run_checks()
    return where


def test_killed_process_leaves_no_clip_and_a_check_that_says_so(
    client: Client, clip: bytes, settings: Any, nobody_works: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = killed_while_looking(client, clip, monkeypatch)
    assert waiting(settings) == []
    assert "Looking at your clip" in client.get(where).content.decode()
    assert tasks.run_checks() == 0  # what was begun is not begun again: the clip is gone
    CheckRun.objects.update(touched_at=utc_now() - check_runs.LOST_AFTER - timedelta(seconds=1))
    page = client.get(where)
    assert page.status_code == 422 and "We could not finish this check." in page.content.decode()
    assert refusals() == ["check.unfinished"]
    assert CheckRun.objects.get().state == "unfinished"


def test_sweep_closes_what_nobody_works_on_and_forgets(
    client: Client, clip: bytes, settings: Any, nobody_works: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_looking(client, clip, monkeypatch)
    left = send(client, clip)
    stray = Path(settings.CHECK_SPOOL_DIR) / "V-stray.clip"
    stray.write_bytes(b"x")
    later = utc_now() + check_runs.WAITS_AT_MOST + timedelta(seconds=1)
    assert check_runs.sweep(now=later) == 2
    assert refusals() == ["check.unfinished", "check.unfinished"]
    assert [file.name for file in waiting(settings)] == [stray.name]
    assert "We could not finish this check." in client.get(left).content.decode()
    assert check_spool.drop_old(later.timestamp() + check_spool.MAX_AGE_S) == 1
    check_runs.sweep(now=later + check_runs.KEPT_FOR)
    assert not CheckRun.objects.exists() and not ToldAnswer.objects.exists()


def test_clip_that_vanished_is_told(client: Client, clip: bytes, settings: Any, nobody_works: None) -> None:
    where = send(client, clip)
    for file in waiting(settings):
        file.unlink()
    tasks.run_checks()
    assert "We could not finish this check." in client.get(where).content.decode()
    assert Event.objects.filter(action="file.verified", outcome="refused").count() == 1


def test_check_runs_once_however_often_it_is_woken(client: Client, clip: bytes, nobody_works: None) -> None:
    send(client, clip)
    assert [tasks.run_checks(), tasks.run_checks()] == [1, 0]
    assert ClipCheck.objects.count() == 1


def test_questions_sent_at_one_moment_are_counted_one_by_one(
    client: Client, clip: bytes, settings: Any, nobody_works: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a clip is taken in, another question of the network came first: the count is made again."""
    settings.CHECKS_AN_HOUR_UNPROVEN = 1
    real = check_spool.put

    def slowly(public_id: str, content: bytes) -> bytes:
        monkeypatch.setattr(check_spool, "put", real)
        send(client, clip)
        return real(public_id, content)

    monkeypatch.setattr(check_spool, "put", slowly)
    assert client.post(
        "/check/", {"clip": SimpleUploadedFile("c.mp4", clip)}, REMOTE_ADDR=STRANGER).status_code == 429
    assert CheckRun.objects.count() == len(waiting(settings)) == 1
