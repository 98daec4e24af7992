"""The auditor's browser checks a log entry by itself, and says so when a byte of the proof is wrong."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, Route, sync_playwright

from tests.common.cast import Cast
from trustcore.audit.models import Entry
from trustcore.audit.sequencer import settle

pytestmark = pytest.mark.django_db(transaction=True)
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
def page(live_server: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Erin's browser, signed in."""
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Chromium from Debian")
    # Playwright's loop makes Django take this thread for an asynchronous one.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    settle()
    client = Client()
    client.force_login(cast.erin)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
        yield context.new_page()
        browser.close()


def verdict(page: Page) -> str:
    """What the panel of an entry says once it has finished."""
    seq = Entry.objects.filter(event__tenant="studio").latest("seq").seq
    page.goto(f"/audit/entries/{seq}/")
    page.wait_for_selector(".notice.ok, .notice.bad, .notice.warn")
    return page.inner_text("[data-verdict]")


def changing(change: Callable[[dict[str, Any]], None]) -> Callable[[Route], None]:
    """A network that changes the proof on its way."""

    def answer(route: Route) -> None:
        proof = route.fetch().json()
        change(proof)
        route.fulfill(json=proof)

    return answer


def test_proof_holds_and_every_kind_of_change_is_seen(page: Page) -> None:
    assert verdict(page).startswith("In the log, proven.")

    def body(proof: dict[str, Any]) -> None:
        proof["body"] = proof["body"].replace("done", "gone")

    def leaf(proof: dict[str, Any]) -> None:
        proof["leaf"] = json.dumps({**json.loads(proof["leaf"]), "v": 2})

    def path(proof: dict[str, Any]) -> None:
        proof["path"][0] = "00" * 32

    def root(proof: dict[str, Any]) -> None:
        lines = proof["checkpoint"].split("\n")
        lines[2] = "A" * 43 + "="
        proof["checkpoint"] = "\n".join(lines)

    def key(proof: dict[str, Any]) -> None:
        proof["log_key"] = "A" * 43

    for change, words in (
        (body, "not those the log names"), (leaf, "does not fit the checkpoint"), (path, "does not fit the checkpoint"),
        (root, "does not fit the checkpoint"), (key, "did not sign"),
    ):
        page.route("**/proof.json", changing(change))
        assert words in verdict(page), change.__name__
        page.unroute("**/proof.json")
