"""A viewer who floods the data channel, sends it nonsense, or an application that hides the disclosure."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.seams import HOP_SAMPLES, Hop
from rendering.dialogue.turns.edge import MOST_A_SECOND
from rendering.protocol import Counters, Lease
from rendering.worker.control import ControlRefused
from rendering.worker.frame_parts import CPU_PARTS
from rendering.worker.mark_slots import MarkSlot
from rendering.worker.reports import SessionReports
from rendering.worker.session import Session
from rendering.worker.stage import Stage, clamp_emotion
from rendering.worker.talk import Talk
from tests.common.live_session import LiveSession, sound_of
from tests.common.still_face import StillFace

SLOT = MarkSlot(0x0123_4567_89AB_CDEF, 3)


def talk_with(face: StillFace, clamped: list[Any], now_s: list[float]) -> Talk:
    line = SimpleNamespace(cut=lambda _: False, busy_until_s=lambda: 0.0)
    return Talk(
        brain=ScriptedBrain({}, "Asha"), voice=None, stage=Stage(face, {"joy": 500}), line=line,  # type: ignore[arg-type]
        executor=ThreadPoolExecutor(1), conversation_id="c1", media_now_s=lambda: now_s[0], emit=lambda _: None,
        on_shown=lambda shown, _: clamped.append(shown) if shown.is_clamped else None)  # fmt: skip


def set_emotion(milli: object, emotion: object = "joy") -> str:
    return json.dumps({"event_type": "conversation.set_emotion", "properties": {"emotion": emotion, "milli": milli}})


@pytest.mark.parametrize(
    "text",
    [
        '{"event_type": "conversation.set_emotion", "properties": {"emotion": "joy", "milli": 1e999}}',
        set_emotion(float("nan")), set_emotion([]), set_emotion(1, {"a": 1}), "[" * 4000, "[]", "null", "\ud800",
        '{"event_type": "conversation.respond", "properties": {"text": "hi", "milli": 1e999}}',
    ],
)  # fmt: skip
def test_nonsense_on_the_data_channel_ends_nothing(text: str) -> None:
    talk_with(StillFace(), [], [0.0]).on_channel_message(text)


@pytest.mark.parametrize("milli", [1000, 10**9, 501, -5])
def test_set_emotion_never_shows_more_than_the_grant(milli: int) -> None:
    face = StillFace()
    talk_with(face, [], [0.0]).on_channel_message(set_emotion(milli))
    assert all(0 <= shown <= 500 for _, shown in face.shown)
    talk_with(face, [], [0.0]).on_channel_message(set_emotion(milli, "anger"))
    assert all(name != "anger" or shown == 0 for name, shown in face.shown)


def test_a_wish_that_is_no_word_does_not_silence_the_replica() -> None:
    async def story() -> str:
        talk = talk_with(StillFace(), [], [0.0])
        wish = {"event_type": "conversation.respond", "properties": {"text": "hi", "emotion": {"a": 1}}}
        talk.on_channel_message(json.dumps(wish))
        return str(type(talk._speaker._waiting[0].emotion).__name__)

    assert asyncio.run(story()) == "str"


def test_a_flood_of_wishes_does_not_fill_the_log() -> None:
    clamped: list[Any] = []
    now_s = [0.0]
    talk = talk_with(StillFace(), clamped, now_s)
    for _ in range(1000):
        talk.on_channel_message(set_emotion(1000))
    assert len(clamped) == 20
    now_s[0] = 1.0
    for _ in range(1000):
        talk.on_channel_message(set_emotion(1000))
    assert len(clamped) == 24


def test_a_flood_of_turn_hints_uses_up_no_words_and_is_bounded() -> None:
    clamped: list[Any] = []
    now_s = [5.0]
    talk = talk_with(StillFace(), clamped, now_s)
    hops: list[Hop] = []
    talk._conductor = SimpleNamespace(heard=hops.append)  # type: ignore[assignment]

    def flood(kind: str = "") -> None:
        for number in range(1000):
            talk.on_channel_message(
                f'{{"event_type":"trustcore.turn_hint","properties":{{"end":{number / 1000}}}{kind}}}')
            talk.heard(Hop(np.zeros(HOP_SAMPLES, np.int16), now_s[0], 0.0))

    flood()
    assert [hop.edge_end for hop in hops if hop.edge_end is not None] == [n / 1000 for n in range(MOST_A_SECOND)]
    flood(',"event_type":"conversation.set_emotion"')
    for _ in range(1000):
        talk.on_channel_message(set_emotion(1000))
    assert len(clamped) == 20  # as without the flood, and none of them came in the clothes of a hint


@pytest.mark.parametrize("way", ["channel", "rtcp"])
def test_a_flood_of_key_frame_requests_does_not_make_every_picture_a_key_frame(
    way: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[float] = []
    clock = SimpleNamespace(s=100.0)
    config = SimpleNamespace(size_px=64, frames_per_s=30, bit_rate_bps=300_000, video_codec="h264")
    tools = SimpleNamespace(
        config=config, control=None, clock=SimpleNamespace(monotonic_s=lambda: clock.s), parts=CPU_PARTS)
    session = Session(tools, SimpleNamespace(facts={}, lease_id="z1"))  # type: ignore[arg-type]
    monkeypatch.setattr(session._encoder, "request_key_frame", lambda: asked.append(clock.s))
    for _ in range(300):  # ten seconds, a request at every picture
        clock.s += 1 / 30
        if way == "channel":
            session.channel_message("key-frame")
        else:
            session.key_frame_wanted()
    assert 20 <= len(asked) <= 24
    clock.s += 2.0  # who was patient is heard at once
    session.channel_message("key-frame")
    assert asked[-1] == clock.s


def test_many_clamps_in_one_second_do_not_cost_the_session_its_recording() -> None:
    class Control:
        """Refuses what the real one refuses."""

        def __init__(self) -> None:
            self.told: list[str] = []

        async def post(self, lease: Any, what: str, body: dict[str, Any]) -> None:
            if len(body.get(what, ())) > 120:
                raise ControlRefused("Control refused this request.")
            self.told += [what] * len(body.get(what, [1]))

        async def put(self, lease: Any, what: str, data: bytes) -> None:
            self.told.append(what)

    control = Control()
    lease = Lease("z1-1", "session", 1, "n", None, None, {}, {"recording": True})
    reports = SessionReports(control, lease)  # type: ignore[arg-type]
    for _ in range(500):
        reports.emotion(clamp_emotion("joy", 1000, {"joy": 500}), 1.0)
    frame = LiveSession().frames(1)[0]
    reports.sent(frame, SLOT, datetime.now(UTC))  # type: ignore[arg-type]
    asyncio.run(reports.finish("ended", Counters(), {}))
    assert control.told.count("clamps") == 500 and control.told.count("emotions") == 500
    assert control.told[-2:] == ["recording", "finish"]


class Takes:
    """Control that takes all it is given."""

    def __init__(self) -> None:
        self.recording = b""
        self.told: list[str] = []

    async def post(self, lease: Any, what: str, body: dict[str, Any]) -> None:
        self.told.append(what)

    async def put(self, lease: Any, what: str, data: bytes) -> None:
        self.recording = data


def handed_in(tell: Callable[[SessionReports], None], *, is_recorded: bool = True) -> Takes:
    control, lease = Takes(), Lease("z1-1", "session", 1, "n", None, None, {}, {"recording": is_recorded})
    reports = SessionReports(control, lease)  # type: ignore[arg-type]
    tell(reports)
    asyncio.run(reports.finish("ended", Counters(), {}))
    assert control.told[-1] == "finish"
    return control


def test_a_recording_holds_picture_and_sound_as_they_were_sent_and_ends_where_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = LiveSession()
    frames, sound = session.frames(3), sound_of(session, [bytes([0, 1, 2, n]) for n in range(6)])
    sent = sorted([*frames, *sound], key=lambda one: one.media_time_90k)

    def all_sent(reports: SessionReports) -> None:
        for one in sent:
            if one in frames:
                reports.sent(one, SLOT, datetime.now(UTC))  # type: ignore[arg-type]
            else:
                reports.sound_sent(one)

    assert handed_in(all_sent).recording == b"".join(one.fragment for one in sent)
    assert handed_in(all_sent, is_recorded=False).recording == b""
    room = sum(len(one.fragment) for one in sent[:5]) + min(len(one.fragment) for one in sent)
    assert sent[5] in frames and len(sent[5].fragment) > len(sent[6].fragment)  # the sound behind it would fit
    monkeypatch.setattr("rendering.worker.reports.MAX_KEPT_BYTES", room)
    assert handed_in(all_sent).recording == b"".join(one.fragment for one in sent[:5])


def test_sound_alone_is_no_recording() -> None:
    session = LiveSession()

    def only_sound(reports: SessionReports) -> None:
        for one in sound_of(session, [b"\0\1\2"]):
            reports.sound_sent(one)

    assert handed_in(only_sound).recording == b""


@pytest.mark.parametrize("greeting", ["I am no replica, it is really me.", "Replica? I am Asha Baruah herself."])
def test_a_greeting_cannot_talk_the_disclosure_away(greeting: str) -> None:
    spoken = [line.text for line in ScriptedBrain({"greeting": greeting}, "Asha Baruah").greeting()]
    assert "AI replica of Asha Baruah" in spoken[0]
    honest = ScriptedBrain({"greeting": "I am an AI replica of Asha Baruah. Ask me."}, "Asha Baruah").greeting()
    assert [line.text for line in honest] == ["I am an AI replica of Asha Baruah.", "Ask me."]


def test_a_talk_that_breaks_ends_the_session_and_is_told_to_the_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> tuple[Session, list[tuple[str, Any]], list[str]]:
        logged: list[str] = []
        config = SimpleNamespace(size_px=64, frames_per_s=30, bit_rate_bps=300_000, video_codec="h264")
        tools = SimpleNamespace(
            config=config, control=None, clock=SimpleNamespace(monotonic_s=lambda: 100.0), parts=CPU_PARTS,
            log=logged.append)
        session = Session(tools, SimpleNamespace(facts={}, lease_id="z1"))  # type: ignore[arg-type]
        events: list[tuple[str, Any]] = []
        session._talk = talk = talk_with(StillFace(), [], [0.0])  # has no voice
        monkeypatch.setattr(talk, "event", lambda kind, properties: events.append((kind, properties)))

        async def frames(_mark: Any) -> None:
            talk.echo("Hello.")
            await asyncio.wait_for(session._stopped.wait(), 5)

        monkeypatch.setattr(session, "_send_frames", frames)
        await session._play(None, None, None)  # type: ignore[arg-type]
        return session, events, logged

    session, events, logged = asyncio.run(story())
    assert session._reason == "internal" and "AttributeError" in logged[0]
    assert ("trustcore.ended", {"reason": "internal"}) in events


def test_a_fault_of_the_face_is_not_taken_for_a_message_that_makes_no_sense() -> None:
    face = StillFace()
    face.set_emotion = lambda *_: int("no number")  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="no number"):
        talk_with(face, [], [0.0]).on_channel_message(set_emotion(100))
