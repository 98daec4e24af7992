"""What the viewer is told, from what the verifier counted. The page's own code, in node."""

import json
from typing import Any

import pytest

from tests.common.in_node import address, in_node, needs_node

VERDICT = address("viewer/verdict.js")
pytestmark = needs_node


def run(call: str, *arguments: Any) -> Any:
    return in_node(
        f"import {{ judge, secondOf }} from {VERDICT};console.log(JSON.stringify({call}(...{json.dumps(arguments)})));")


def verdict(state: str, share: float, received: int, verified: int, *, hide: bool = True) -> dict[str, Any]:
    counts = {"received": received, "verified": verified, "unattested": received - verified, "invalid": 0, "gap": 0}
    return {"state": state, "share": share, "counts": counts, "hide": hide}


@pytest.mark.parametrize(("told", "state", "good", "total"), [
    (verdict("checking", 0, 0, 0), "checking", 0, 0),
    (verdict("verified", 1, 9, 9), "checking", 9, 9),  # nothing is promised in the first moments
    (verdict("verified", 1, 10, 10), "verified", 10, 10),
    (verdict("verified", 1, 400, 400), "verified", 30, 30),
    (verdict("unattested", 26 / 30, 400, 396), "partial", 26, 30),
    (verdict("unattested", 0, 12, 0), "hidden", 0, 12),
    (verdict("invalid", 0, 0, 0), "hidden", 0, 0),
    (verdict("unattested", 0, 400, 200), "hidden", 0, 30),
    (verdict("unattested", 0, 400, 200, hide=False), "unverified", 0, 30),  # the viewer's own choice, and said so
])
def test_the_word_over_the_picture(told: dict[str, Any], state: str, good: int, total: int) -> None:
    said = run("judge", told)
    assert (said["state"], said["good"], said["total"]) == (state, good, total)


@pytest.mark.parametrize(("share", "received", "hide", "state", "words"), [
    (1, 100, True, "verified", None), (0.5, 5, True, "verified", None), (0.98, 100, True, "partial", "sound"),
    (0, 100, True, "partial", "sound"), (0.98, 100, False, "unverified", None),
])
def test_the_verdict_covers_the_sound(share: float, received: int, hide: bool, state: str, words: str | None) -> None:
    told = verdict("verified", 1, 400, 400, hide=hide)
    said = run("judge", told | {"sound": {"share": share, "counts": {"received": received}}})
    assert (said["state"], said.get("words")) == (state, words)


@pytest.mark.parametrize(("standing", "hide", "state", "words"), [
    ("good", True, "verified", None), ("asking", True, "verified", None), ("unknown", True, "verified", None),
    ("revoked", True, "hidden", "revoked"), ("revoked", False, "unverified", "revoked"),
])
def test_nothing_that_a_revoked_signer_signed_is_called_verified(
    standing: str, hide: bool, state: str, words: str | None,
) -> None:
    said = run("judge", verdict("verified", 1, 400, 400, hide=hide) | {"signer": {"state": standing}})
    assert (said["state"], said.get("words")) == (state, words)


@pytest.mark.parametrize(("still_ms", "hide", "state"), [
    (0, True, "verified"), (1900, True, "verified"), (2100, True, "partial"), (2100, False, "unverified"),
])
def test_sound_that_stands_still_is_not_called_verified(still_ms: int, hide: bool, state: str) -> None:
    sound = {"share": 1, "stillMs": still_ms, "counts": {"received": 400}}
    said = run("judge", verdict("verified", 1, 400, 400, hide=hide) | {"sound": sound})
    assert said["state"] == state


def test_one_bar_a_second() -> None:
    still = {"received": 30, "verified": 30, "gap": 0}
    assert run("secondOf", still, still) == "missing"
    assert run("secondOf", still, {"received": 60, "verified": 60, "gap": 0}) == "verified"
    assert run("secondOf", still, {"received": 60, "verified": 59, "gap": 0}) == "late"
    assert run("secondOf", still, {"received": 59, "verified": 59, "gap": 1}) == "late"


STALL = """
const parts = {};
const part = (name) => parts[name] ??= {
  dataset: { verified: "Verified", checking: "Checking", ended: "Over" }, querySelector: part, append() {},
  children: [],
};
const view = createVerdictView({ querySelector: part });
const counts = { received: 90, verified: 90, late: 0, gap: 0, unattested: 0, invalid: 0 };
const said = [];
const see = () => said.push(part('[data-part="chip"]').dataset.state);
view.update({ state: "verified", share: 1, counts, hide: true }); see();
view.stall(); see();
view.update({ state: "verified", share: 1, counts, hide: true }); see();
view.close();
console.log(JSON.stringify(said));
"""


def test_somebody_who_holds_back_all_frames_does_not_keep_the_word_verified() -> None:
    assert in_node(f"import {{ createVerdictView }} from {VERDICT};{STALL}") == ["verified", "checking", "verified"]


def test_what_an_earlier_connection_verified_says_nothing_about_this_one() -> None:
    fresh = {"received": 3, "verified": 3, "unattested": 0, "invalid": 0, "gap": 0}
    told = verdict("verified", 1, 400, 400)
    assert run("judge", told | {"fresh": fresh})["state"] == "checking"
    assert run("judge", told | {"fresh": fresh | {"received": 12, "verified": 12}})["total"] == 12
    bad = fresh | {"received": 12, "verified": 0, "invalid": 12}
    assert run("judge", verdict("invalid", 0, 412, 400) | {"fresh": bad})["state"] == "hidden"
