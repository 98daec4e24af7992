"""Every way to an emotion leads through one door: request, message, tag and brain meet the same clamp, and are told."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.tags import parse_tagged_text, without_tags
from rendering.protocol import EmotionShown, Lease
from rendering.speech.voices import VoiceFault
from rendering.worker.audio import SoundLine
from rendering.worker.loading import own_smile_most
from rendering.worker.reports import SessionReports
from rendering.worker.stage import Shown, Stage, clamp_emotion
from rendering.worker.talk import Talk
from tests.common.still_face import StillFace
from trustcore.policy.clamp import DEFAULT_MILLI, EMOTION_WORDS
from trustcore.primitives.grants import EMOTIONS

LIMITS = {"joy": 500, "surprise": 900, "neutral": 1000}
CAPS = dict.fromkeys(EMOTIONS, 1000) | {"surprise": 700}


class QuickVoice:
    """A voice that says everything in no time and remembers what it was given."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> Any:
        self.said.append(text)
        return SimpleNamespace(pcm=np.zeros(160, np.int16), rate_hz=16_000, visemes=())


class Room:
    """A talk with its brain, a still face and a quick voice."""

    def __init__(self, persona: dict[str, Any] | None = None, caps: dict[str, int] | None = CAPS) -> None:
        self.face, self.voice = StillFace(), QuickVoice()
        self.events: list[dict[str, Any]] = []
        self.told: list[tuple[Shown, float]] = []
        self._loop_start: float | None = None
        self._until: str | None = None
        self.talk = Talk(
            brain=ScriptedBrain(persona or {}, "Asha"), voice=self.voice, stage=Stage(self.face, LIMITS, caps),
            line=SoundLine(), executor=ThreadPoolExecutor(1), conversation_id="c1", media_now_s=self._now_s,
            emit=self._emit,
            on_shown=lambda shown, at_s: self.told.append((shown, at_s)))

    def _emit(self, text: str) -> None:
        self.events.append(json.loads(text))
        last = self.events[-1]
        is_over = last["event_type"] == "conversation.stopped_speaking"
        if is_over if self._until is None else last["properties"].get("speech") == self._until:
            self._spoken.set()

    def _now_s(self) -> float:
        try:
            now_s = asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0
        self._loop_start = now_s if self._loop_start is None else self._loop_start
        return now_s - self._loop_start

    def play(self, act: Any, until: str | None = None) -> None:
        """Run the talk until it has said what `act` made it say, or told the words `until`."""
        self._until = until

        async def story() -> None:
            self._spoken = asyncio.Event()
            act(self.talk)
            running = asyncio.create_task(self.talk.run())
            await self._spoken.wait()
            running.cancel()

        asyncio.run(asyncio.wait_for(story(), 20))

    def emotions(self) -> list[dict[str, Any]]:
        return [event["properties"] for event in self.events if event["event_type"] == "trustcore.emotion"]

    def captions(self) -> list[str]:
        return [event["properties"]["speech"] for event in self.events
                if event["event_type"] == "conversation.utterance" and event["properties"]["role"] == "replica"]


SCRIPT = {"context": 'Q: the weather\nA: <emotion value="elated" intensity="900"/>It is sunny today.'}
PATHS = {
    "request": (lambda talk: (talk.show("joy", 900, "request"), talk.echo("Hello.")), {}),
    "message": (lambda talk: talk.hear("Who are you?", "happiness", 900), {}),
    "channel": (lambda talk: talk.on_channel_message(json.dumps({
        "event_type": "conversation.respond",
        "properties": {"text": "Who are you?", "emotion": "joy", "milli": 900}})), {}),
    "tag": (lambda talk: talk.hear("the weather"), SCRIPT),
}


@pytest.mark.parametrize("path", PATHS)
def test_every_path_meets_the_same_clamp_and_tells_what_is_shown(path: str) -> None:
    act, persona = PATHS[path]
    room = Room(persona)
    room.play(act)
    told = room.emotions()[0]
    assert (told["emotion"], told["shown_milli"], told["asked"], told["asked_milli"]) == ("joy", 500, "joy", 900)
    assert (told["clamped"], told["limited_by"]) == (True, "policy")
    assert told["source"] == ("message" if path == "channel" else path)
    assert told["media_time_s"] >= 0.0
    assert ("joy", 500) in room.face.shown
    assert max(milli for _, milli in room.face.shown) == 500
    shown, at_s = room.told[0]
    assert (shown.shown_milli, round(at_s, 3)) == (500, told["media_time_s"])


@pytest.mark.parametrize(
    ("granted", "supported", "most"), [(500, 1000, 0.5), (500, 40, 0.04), (0, 1000, 0.0), (500, None, 0.0)]
)
def test_a_smile_of_life_s_own_keeps_to_grant_and_footage(granted: int, supported: int | None, most: float) -> None:
    caps = {} if supported is None else {"joy": supported}
    assert own_smile_most({"joy": granted}, caps) == most


def test_an_answer_whose_sound_fails_half_way_is_told_once_and_on_both_sides() -> None:
    room, faults = Room(), []
    room.talk._on_fault = faults.append
    say = room.voice.say

    def fails_at_the_second(text: str) -> Any:
        if text == "Two.":
            raise VoiceFault("The voice program did not answer.")
        return say(text)

    room.voice.say = fails_at_the_second  # type: ignore[method-assign]
    room.play(lambda talk: talk.echo("One. Two. Three."), until="Three.")
    assert room.captions() == ["One.", "Two.", "Three."]
    assert [fault.code for fault in faults] == [VoiceFault.code]
    assert "trustcore.sound_failed" in [event["event_type"] for event in room.events]


def test_a_viewer_who_comes_later_learns_what_the_face_shows_since_before() -> None:
    room = Room()
    room.play(lambda talk: (talk.show("joy", 900, "request"), room.events.clear(), talk.greet()))
    assert (room.emotions()[0]["emotion"], room.emotions()[0]["source"]) == ("joy", "request")
    assert len([one for one in room.told if one[0].source == "request"]) == 1


def test_the_brain_chooses_too_and_says_that_it_was_the_brain() -> None:
    room = Room()
    room.play(lambda talk: talk.hear("Thank you!"))
    assert [(one["source"], one["emotion"], one["shown_milli"]) for one in room.emotions()] == [("brain", "joy", 500)]


def test_what_the_footage_does_not_support_is_lowered_and_told_apart_from_the_policy() -> None:
    within = clamp_emotion("surprised", 650, LIMITS, CAPS)
    beyond = clamp_emotion("surprised", 850, LIMITS, CAPS)
    forbidden = clamp_emotion("anger", 850, LIMITS, CAPS)
    unknown = clamp_emotion("Glee" * 20, 850, LIMITS, CAPS)
    assert (within.shown_milli, within.limited_by) == (650, "")
    assert (beyond.shown_milli, beyond.limited_by) == (700, "replica")
    assert (forbidden.emotion, forbidden.shown_milli, forbidden.limited_by) == ("neutral", 0, "policy")
    assert (unknown.emotion, unknown.shown_milli, unknown.limited_by) == ("neutral", 0, "unknown")
    assert len(unknown.word) <= 24
    assert clamp_emotion("joy", 400, LIMITS, {}).limited_by == "replica"  # a replica without calibration shows nothing


@settings(max_examples=200, deadline=None)
@given(st.sampled_from((*EMOTION_WORDS, "glee", "")), st.integers(-5, 2000),
       st.dictionaries(st.sampled_from(EMOTIONS), st.integers(0, 1000)),
       st.dictionaries(st.sampled_from(EMOTIONS), st.integers(0, 1000)))
def test_nothing_ever_passes_grant_or_footage(
    word: str, asked: int, limits: dict[str, int], caps: dict[str, int],
) -> None:
    shown = clamp_emotion(word, asked, limits, caps)
    assert 0 <= shown.shown_milli <= min(1000, max(0, asked))
    if shown.shown_milli:
        assert shown.shown_milli <= min(limits[shown.emotion], caps[shown.emotion])
    assert shown.is_clamped == (shown.shown_milli < shown.asked_milli) or shown.asked == "neutral"


# --- tags -----------------------------------------------------------------------------------------


def test_a_tag_sets_emotion_and_intensity_until_the_next_one() -> None:
    lines = parse_tagged_text(
        'Hi. <emotion value="joy" intensity="350"/>Great! <emotion intensity=\'80\' value=\'sad\'/> Oh.'
        '<emotion value="angry"/>No.'
    )
    assert [(line.text, line.emotion, line.milli) for line in lines] == [
        ("Hi.", None, 0), ("Great!", "joy", 350), ("Oh.", "sadness", 80), ("No.", "anger", DEFAULT_MILLI)]
    assert {line.source for line in lines} == {"tag"}


def test_an_unknown_emotion_in_a_tag_falls_to_neutral_and_is_reported() -> None:
    room = Room({"context": 'Q: the weather\nA: <emotion value="ecstatic"/>It is sunny today.'})
    room.play(lambda talk: talk.hear("the weather"))
    told = room.emotions()[0]
    assert (told["word"], told["emotion"], told["shown_milli"]) == ("ecstatic", "neutral", 0)
    assert (told["limited_by"], told["clamped"], told["source"]) == ("unknown", True, "tag")
    assert room.face.shown == [("neutral", 0)]


MALFORMED = (
    '<emotion value="joy" intensity="5000"/>', '<emotion value="joy" intensity="-1"/>', '<emotion value=joy/>',
    '<emotion value="joy" intensity="0.5"/>', '<emotion value="joy">', "</emotion>", "<emotion/>", "<emotion>",
    '<emotion value="joy" value="anger"/>', '<EMOTION VALUE="joy" colour="red"/>', '< emotion value="joy" />',
    '<emotion value="joy', '<emotion value="joy"', "<emotion",
    '<emotion value="<b>joy</b>"/>', '<emotion value="joy" intensity="600"', "<emotion value='joy\" />",
)  # fmt: skip


@pytest.mark.parametrize("tag", MALFORMED)
def test_a_malformed_tag_is_stripped_and_changes_nothing(tag: str) -> None:
    lines = parse_tagged_text(f"Before. {tag} The rest stays.")
    spoken = " ".join(line.text for line in lines)
    assert "emotion" not in spoken.lower()
    assert "value" not in spoken.lower()
    assert spoken.startswith("Before.")
    assert spoken.endswith("rest stays.")
    assert {line.emotion for line in lines} == {None}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(
    (*MALFORMED, '<emotion value="joy"/>', "Hello.", "<", ">", '"', "emotion", "<emotion <emotion", "/>", " ")
), max_size=8))  # fmt: skip
def test_whatever_is_written_no_tag_is_left_to_be_spoken(parts: list[str]) -> None:
    text = "".join(parts)
    left = without_tags(text)
    for line in parse_tagged_text(text):
        assert "<emotion" not in without_tags(line.text).lower().replace(" ", "")
    assert "<emotion" not in left.lower().replace(" ", "")


def test_no_tag_reaches_voice_or_captions_whoever_wrote_it() -> None:
    # The name of a persona goes into the brain's own sentences, which are not read for tags.
    room = Room({"name": 'Helper <emotion value="anger"/>', "greeting": 'Hi <emotion value="joy" there.'})
    room.play(lambda talk: (talk.hear("Who are you?"),))
    assert room.voice.said
    assert all("<" not in text and "emotion" not in text for text in room.voice.said + room.captions())
    assert room.face.shown == []
    greeted = Room({"greeting": 'Hi <emotion value="joy" there.'})
    greeted.play(lambda talk: talk.greet())
    assert all("<" not in text and "value" not in text for text in greeted.voice.said + greeted.captions())


# --- reports --------------------------------------------------------------------------------------


def test_what_is_shown_is_told_to_control_and_a_clamp_besides() -> None:
    posted: dict[str, list[dict[str, Any]]] = {}

    class Control:
        async def post(self, lease: Any, what: str, body: dict[str, Any]) -> None:
            posted.setdefault(what, []).extend(body[what])

    reports = SessionReports(Control(), Lease("z1-1", "session", 1, "n", None, None, {}))  # type: ignore[arg-type]
    reports.emotion(clamp_emotion("joy", 400, LIMITS, CAPS, "tag"), 1.25)
    reports.emotion(clamp_emotion("joy", 900, LIMITS, CAPS, "brain"), 2.5)
    asyncio.run(reports.flush())
    assert [EmotionShown(**one) for one in posted["emotions"]] == [
        EmotionShown("joy", 400, "joy", 400, "tag", "", 1.25),
        EmotionShown("joy", 500, "joy", 900, "brain", "policy", 2.5)]
    assert posted["clamps"] == [{"emotion": "joy", "asked_milli": 900, "shown_milli": 500, "media_time_s": 2.5}]
    assert reports.clamped == 1
