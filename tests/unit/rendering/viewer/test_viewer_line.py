"""What a viewer is told of their line, and how long their page waits for a packet that is sent again. In node."""

import json
from pathlib import Path
from typing import Any

from rendering import protocol
from tests.common.in_node import address, in_node, needs_node

TEMPLATE = Path(__file__).resolve().parents[4] / "templates/rendering/viewer.html"
pytestmark = needs_node
PICTURE = {"has_picture": True, "has_sound": True}
COUNTS = {"received": 100, "verified": 100, "unattested": 0, "invalid": 0, "late": 0, "replayed": 0, "gap": 0}


def node(module: str, expression: str) -> Any:
    imported = address(f"viewer/{module}")
    return in_node(f"import * as page from {imported};\nconsole.log(JSON.stringify({expression}));")


def judged(**verdict: Any) -> dict[str, Any]:
    whole = {"state": "verified", "share": 1, "hide": True, "counts": COUNTS, **verdict}
    found: dict[str, Any] = node("verdict.js", f"page.judge({json.dumps(whole)})")
    return found


def test_there_are_words_for_every_rung_but_the_full_one() -> None:
    page = TEMPLATE.read_text(encoding="utf-8")
    line = page[page.index('data-part="line"') : page.index("data-wanted")]
    assert [name for name in protocol.RUNG_NAMES if f"data-{name}=" in line] == list(protocol.RUNG_NAMES[1:])


def test_nothing_is_said_of_the_low_beginning_nor_of_a_good_line() -> None:
    words = json.dumps({"small": "slow", "audio": "weak", "wanted": "as asked"})
    for told, said in (
        ({"rung": "small", "why": "start", "is_top": False}, ""),
        ({"rung": "small", "why": "loss", "is_top": False}, "slow"),
        ({"rung": "full", "why": "quiet", "is_top": True}, ""),
        ({"rung": "audio", "why": "start", "is_top": True}, "as asked"),
        ({"rung": "audio", "why": "loss", "is_top": False}, "weak"),
    ):
        assert node("line.js", f"page.wordsFor({json.dumps(told)}, {words})") == said


def test_pictures_wait_for_what_is_sent_again_only_on_a_far_line() -> None:
    assert node("line.js", "[0, 79, 100, 240, 900, NaN].map(page.waitMs)") == [0, 0, 190, 372, 450, 0]
    assert node("line.js", "[33, 200, 201].map(page.frozenMs)") == [0, 0, 201]


def test_sound_alone_is_verified_by_the_sound_and_captions_alone_are_not() -> None:
    sound = {"counts": COUNTS, "share": 1, "stillMs": 0}
    alone = judged(sound=sound, carries={"has_picture": False, "has_sound": True})
    assert (alone["state"], alone["words"]) == ("verified", "voice")
    silent = judged(sound={**sound, "stillMs": 3000}, carries={"has_picture": False, "has_sound": True})
    assert silent["state"] == "hidden"
    partly = judged(sound={**sound, "share": 0.5}, carries={"has_picture": False, "has_sound": True})
    assert partly["state"] == "partial"
    none = judged(sound=sound, carries={"has_picture": False, "has_sound": False})
    assert (none["state"], none["words"]) == ("checking", "captions")


def test_a_revoked_signer_is_said_on_every_rung() -> None:
    for carries in (PICTURE, {"has_picture": False, "has_sound": True}, {"has_picture": False, "has_sound": False}):
        told = judged(sound=None, carries=carries, signer={"state": "revoked"})
        assert (told["state"], told["words"]) == ("hidden", "revoked")
