"""A whole conversation by voice with scripted parts: what is heard, what stops, what is kept, what is told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from rendering.dialogue.answer import Bounds
from rendering.dialogue.phrases import sentence
from rendering.dialogue.seams import Floor, Line, PartFailed, Said
from tests.common.scripted_talk import SOFT, Room
from tests.common.simulated_time import played

QUICK = Bounds(ears_s=0.4, brain_first_s=2.0, brain_next_s=0.5, voice_first_s=0.5, voice_next_s=0.5)


async def asked(room: Room, seconds: float = 0.6) -> None:
    """The viewer says something, and the replica's answer begins to be heard."""
    await room.hear(seconds, speaks=True)
    await room.silence_until(lambda: room.events("conversation.started_speaking"))


def test_a_question_by_voice_is_answered_by_the_clause() -> None:
    async def story() -> None:
        room = Room("what is covered")
        await asked(room)
        await room.silence_until(lambda: room.events("conversation.stopped_speaking"))
        await room.close()
        assert room.said("user") == ["what is covered"]
        assert room.said() == [f"You said what is covered, part {n} of it here." for n in range(3)]
        assert [one["kind"] for one in room.events("user.")] == [
            "conversation.user.started_speaking", "conversation.user.stopped_speaking"]
        stopped = room.events("conversation.stopped_speaking")[0]
        assert stopped["interrupted"] is False and stopped["duration"] == pytest.approx(1.8, abs=0.4)
        streamed = [one for one in room.events("utterance.streaming") if one["role"] == "user"]
        assert streamed[-1]["final"] and streamed[-1]["speech"] == "what is covered"
        names = [name for turn, name, _ in room.marks if turn == 1]
        assert names == ["user_stopped", "pause_noticed", "prepare", "words_final", "first_clause", "first_sound",
                         "floor_taken", "sound_laid"] + ["sound_laid"] * 5
        assert [at for _, _, at in room.marks][1:8] == sorted(at for _, _, at in room.marks[1:8])
        assert not room.faults and room.brain.running == 0 and room.voice.speaking == []

    played(story)


def test_what_was_prepared_for_half_a_question_is_thrown_away_unheard() -> None:
    async def story() -> None:
        room = Room("what is", "what is covered here")
        await room.hear(0.5, speaks=True)
        await room.hear(0.2, speaks=False)  # prepared by now
        assert [one.heard for one in room.brain.asked] == ["what is"]
        assert room.voice.spoken
        room.ears.next()
        await asked(room)
        assert room.said("user") == ["what is covered here"]
        assert room.said()[0].startswith("You said what is covered here")
        assert all(said.text != "You said what is, part 0 of it here." for said in room.talk._speaker.history())
        # The whole turn was understood anew, its first half included.
        assert room.ears.opened[-1].samples > 16_000
        await room.close()
        assert room.ears.open_ones == [] and room.brain.running == 0

    played(story)


def test_who_interrupts_is_heard_within_a_frame_and_what_they_did_not_hear_is_not_remembered() -> None:
    async def story() -> None:
        room = Room("what is covered", "no I mean roofs", seconds=1.6)
        await asked(room)
        await room.hear(0.4, speaks=False)
        room.ears.next()
        before = room.now_s()
        while not room.face.hushed_at_s:
            await room.hear(0.02, speaks=True)
        assert room.face.hushed_at_s[0] - before <= 0.2 + 0.06
        assert room.is_quiet()
        await room.hear(0.5, speaks=True)
        await room.silence_until(lambda: len(room.events("conversation.started_speaking")) == 2)
        stopped = room.events("conversation.stopped_speaking")[0]
        assert stopped["interrupted"] is True
        cut = stopped["interrupted_at"]
        assert cut["content_index"] == 0 and 0 < len(cut["speech"].split()) < 9
        assert "You said what is covered, part 0 of it here.".startswith(cut["speech"])
        assert list(room.brain.asked[-1].before) == [Said("user", "what is covered"), Said("replica", cut["speech"])]
        assert room.said()[-1].startswith("You said no I mean roofs")
        assert not [text for text in room.said() if "covered, part 1" in text]
        await room.close()

    played(story)


def test_a_false_interruption_goes_on_at_the_clause_that_was_cut() -> None:
    async def story() -> None:
        room = Room("what is covered", "", seconds=0.8)
        await asked(room)
        await room.silence_until(lambda: len(room.said()) == 2)
        room.ears.next()
        await room.hear(0.4, speaks=True)  # a cough, loud and long
        assert room.events("conversation.stopped_speaking")
        await room.silence_until(lambda: len(room.said()) == 4)
        await room.close()
        assert [text.split()[6] for text in room.said()] == ["0", "1", "1", "2"]
        assert room.said("user") == ["what is covered"]
        assert len(room.brain.asked) == 1

    played(story)


def test_a_sign_of_listening_is_spoken_over() -> None:
    async def story() -> None:
        room = Room("what is covered", "mm-hm", seconds=0.8)
        await asked(room)
        room.ears.next()
        await room.hear(0.4, speaks=True, level=SOFT)
        await room.silence_until(lambda: room.events("conversation.stopped_speaking"))
        await room.close()
        assert room.events("conversation.stopped_speaking")[0]["interrupted"] is False
        assert len(room.said()) == 3 and room.said("user") == ["what is covered"]

    played(story)


def test_the_greeting_is_never_interrupted() -> None:
    async def story() -> None:
        room = Room("stop now please", flow={"replica_interruptibility": "high"}, seconds=1.2)
        room.talk.greet()
        await room.silence_until(lambda: room.events("conversation.started_speaking"))
        await room.hear(0.8, speaks=True)
        await room.silence_until(lambda: room.events("conversation.stopped_speaking"))
        assert room.events("conversation.stopped_speaking")[0]["interrupted"] is False
        await room.silence_until(lambda: room.said("user"))  # and the viewer is answered after it
        await room.close()

    played(story)


def test_a_typed_message_ends_what_was_held_back() -> None:
    async def story() -> None:
        room = Room("what is covered", "", seconds=1.0)
        await asked(room)
        room.ears.next()
        await room.hear(0.36, speaks=True)
        assert room.is_quiet()
        room.talk.hear("And roofs?")
        await room.silence_until(lambda: any("And roofs" in text for text in room.said()))
        await room.close()
        assert not [text for text in room.said() if "covered, part 1" in text]

    played(story)


@pytest.mark.parametrize(("engagement", "count"), [("off", 0), ("eager", 1)])
def test_silence_is_broken_when_the_persona_wants_it(engagement: str, count: int, monkeypatch: Any) -> None:
    monkeypatch.setattr("rendering.dialogue.floor.NUDGE_AFTER_S", {"eager": 0.4})

    async def story() -> None:
        room = Room(flow={"idle_engagement": engagement})
        await room.hear(1.0, speaks=False)
        await room.close()
        assert room.said().count(sentence("nudge", "en")) == count

    played(story)


# --- parts that stall or break ----------------------------------------------------------------------------------------


async def never() -> None:
    await asyncio.sleep(3600)


def broken(part: Any, trouble: Any = "broken") -> Callable[..., Awaitable[None]]:
    async def breaks(*_: Any) -> None:
        raise PartFailed("It broke.", part=part, trouble=trouble)

    return breaks


async def failing(room: Room, spoken: str, part: str, trouble: str) -> None:
    """What is said around the failure, and told to both sides."""
    await room.hear(0.6, speaks=True)
    await room.silence_until(lambda: spoken in room.said())
    told = [(one["part"], one["trouble"]) for one in room.events("trustcore.part_failed")]
    assert (part, trouble) in told
    assert (part, trouble) in [(fault.facts["part"], fault.facts["trouble"]) for fault in room.faults]
    assert (0, f"{part} {trouble}") in [(turn, name) for turn, name, _ in room.marks]


@pytest.mark.parametrize("how", ["stalled", "broken", "garbage"])
def test_a_brain_that_fails_is_spoken_around(how: str) -> None:
    async def story() -> None:
        room = Room("what is covered", bounds=QUICK)
        if how == "garbage":
            room.brain.clauses = 0
        elif how == "stalled":
            room.brain.before_clause = lambda number: never()
        else:
            room.brain.before_clause = broken("brain")
        await failing(room, sentence("sorry", "en"), "brain", how)
        if how == "stalled":
            assert room.said().index(sentence("moment", "en")) < room.said().index(sentence("sorry", "en"))
        # It answers again when it can.
        room.brain.clauses, room.brain.before_clause = 3, lambda number: asyncio.sleep(0)
        await room.hear(0.6, speaks=True)
        await room.silence_until(lambda: any("part 2" in text for text in room.said()))
        await room.close()
        assert room.brain.running == 0

    played(story)


def test_a_brain_that_stalls_in_the_middle_has_said_what_it_had() -> None:
    async def story() -> None:
        room = Room("what is covered", bounds=QUICK)
        room.brain.before_clause = lambda number: never() if number == 2 else asyncio.sleep(0)
        await failing(room, sentence("sorry", "en"), "brain", "stalled")
        assert [text for text in room.said() if "part" in text][:2] == [
            f"You said what is covered, part {n} of it here." for n in range(2)]
        await room.close()

    played(story)


@pytest.mark.parametrize("how", ["stalled", "broken"])
def test_a_voice_that_fails_leaves_the_answer_to_read_and_says_so_aloud(how: str) -> None:
    async def story() -> None:
        room = Room("what is covered", bounds=QUICK)
        room.talk.say([Line("Hello.")])  # after this the fixed sentences are prepared
        await room.silence_until(lambda: len(room.voice.spoken) >= 7)
        await room.silence_until(lambda: not room.voice.speaking and room.is_quiet())
        room.voice.before_piece = (lambda text, number: never()) if how == "stalled" else broken("voice")
        laid_until_s = room.line.busy_until_s()
        await failing(room, sentence("mute", "en"), "voice", how)
        assert [text for text in room.said() if "part" in text] == [
            f"You said what is covered, part {n} of it here." for n in range(3)]
        assert room.line.busy_until_s() > laid_until_s  # heard, not only read
        await room.close()

    played(story)


@pytest.mark.parametrize("how", ["stalled", "broken"])
def test_ears_that_fail_leave_what_they_had_understood(how: str) -> None:
    async def story() -> None:
        room = Room("what is covered here", bounds=QUICK)
        room.ears.before_finish = never if how == "stalled" else broken("ears")
        await room.hear(0.6, speaks=True)
        await room.silence_until(lambda: room.said("user"))
        assert room.said("user")[0] and "what is covered here".startswith(room.said("user")[0])
        assert ("ears", how) in [(one["part"], one["trouble"]) for one in room.events("trustcore.part_failed")]
        await room.close()

    played(story)


def test_ears_that_understood_nothing_ask_again() -> None:
    async def story() -> None:
        room = Room("", bounds=QUICK)
        room.ears.before_finish = broken("ears", "refused")
        await failing(room, sentence("pardon", "en"), "ears", "refused")
        assert room.said("user") == [] and room.brain.asked == []
        await room.close()

    played(story)


def test_the_replica_s_own_sign_of_listening_is_a_nod_and_no_sound() -> None:
    class Nodding:
        def push(self, *_: Any, **__: Any) -> Floor:
            return Floor("backchannel", 0.0)

        def reset(self, *, asked: str = "") -> None:
            return

    async def story() -> None:
        room = Room("a long story", turn_taker=Nodding())
        await room.hear(9.0, speaks=True)
        assert len(room.face.nodded_at_s) == 2  # however often it is decided
        assert room.line.busy_until_s() == 0.0 and room.said() == []
        assert not room.events("replica") and not room.events("conversation.started_speaking")
        await room.close()

    played(story)


def test_a_turn_taker_that_fails_is_replaced_by_silence() -> None:
    class Broken:
        def push(self, *_: Any, **__: Any) -> Floor:
            raise PartFailed("It broke.", part="turn", trouble="broken")

        def reset(self, *, asked: str = "") -> None:
            return

    async def story() -> None:
        room = Room("what is covered", turn_taker=Broken())
        await asked(room)
        await room.close()
        assert [one["part"] for one in room.events("trustcore.part_failed")] == ["turn"]

    played(story)


# --- cancelled anywhere -----------------------------------------------------------------------------------------------


async def cut_after(after_s: float, end: str) -> None:
    room = Room("what is covered", "something else", seconds=0.3)
    room.brain.before_clause = lambda number: asyncio.sleep(0.05)
    room.voice.before_piece = lambda text, number: asyncio.sleep(0.03)
    room.ears.before_finish = lambda: asyncio.sleep(0.04)
    await room.hear(0.3, speaks=True)
    silence = asyncio.create_task(room.hear(1.2, speaks=False))
    await asyncio.sleep(after_s)
    silence.cancel()
    if end == "close":
        await room.close()
    elif end == "interrupt":
        room.talk.interrupt()
    else:
        room.talk.pause()
    await asyncio.sleep(0.1)
    if end != "pause":  # what a pause cut is kept
        assert room.brain.running == 0
        assert not [text for text in room.voice.speaking if "part" in text]  # but what is prepared for bad times
    assert room.ears.open_ones == []
    if end != "close":
        assert room.is_quiet()
        told = len(room.told)
        await asyncio.sleep(0.3)
        assert room.is_quiet()
        assert len(room.told) - told <= 1
        room.talk.resume()
        await room.close()


@pytest.mark.parametrize("end", ["close", "interrupt", "pause"])
def test_wherever_a_turn_is_cut_nothing_is_left_running_or_sounding(end: str) -> None:
    async def story() -> None:
        await asyncio.gather(*(cut_after(0.02 * step, end) for step in range(50)))
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.sleep(0.05)
        assert not [task for task in left if not task.done()]

    played(story)


# --- Mallory ----------------------------------------------------------------------------------------------------------


class Hours:
    """A room whose clock runs as fast as hops are given: nobody waits for ten minutes of noise."""

    def __init__(self, *texts: str, **more: Any) -> None:
        self.room = Room(*texts, **more)
        self.media_s = 0.0
        for part in (self.room.talk, self.room.talk._speaker, self.room.talk._conductor):
            for name in ("_media_now_s", "_now_s"):
                if hasattr(part, name):
                    setattr(part, name, lambda: self.media_s)

    async def hear(self, seconds: float, speaks: bool) -> None:
        from tests.common.scripted_talk import hop

        for number in range(round(seconds * 50)):
            self.media_s += 0.02
            self.room.talk.heard(hop(self.media_s, speaks=speaks))
            if number % 5 == 0:
                await asyncio.sleep(0)


def test_ten_minutes_of_noise_are_never_answered_and_hold_nothing() -> None:
    async def story() -> None:
        hours = Hours()
        await hours.hear(600.0, True)
        room = hours.room
        assert room.brain.asked == [] and room.said("user") == []
        assert room.said().count(sentence("pardon", "en")) <= 2
        assert len(room.ears.open_ones) <= 1
        assert sum(len(pcm) for pcm in room.talk._conductor._turn.pcm) <= 31 * 16_000  # type: ignore[union-attr]
        assert len(room.told) < 200
        await room.close()

    played(story)


def test_a_speech_without_end_is_understood_in_parts_and_answered_at_its_end() -> None:
    async def story() -> None:
        hours = Hours("on and on")
        await hours.hear(100.0, True)
        room = hours.room
        assert len(room.ears.open_ones) == 1
        assert max(one.samples for one in room.ears.opened) <= 31 * 16_000
        await hours.hear(1.0, False)
        for _ in range(20):
            await asyncio.sleep(0)
        assert room.brain.asked[-1].heard == "on and on on and on on and on on and on"
        await room.close()

    played(story)


def test_a_flood_of_messages_while_the_viewer_talks_waits_in_a_short_row() -> None:
    async def story() -> None:
        room = Room("what is covered", seconds=0.2)
        for number in range(200):
            room.talk.hear(f"message {number}")
        await room.hear(0.5, speaks=True)
        await room.silence_until(lambda: room.said("user")[-1] == "what is covered")
        # Who takes the floor ends what was about to be said.
        await room.silence_until(lambda: any("what is covered" in text for text in room.said()))
        assert not [text for text in room.said() if "message 1" in text]
        await room.close()
        assert len([one for one in room.brain.asked if one.heard.startswith("message")]) <= 5
        assert len(room.events("trustcore.busy")) >= 190

    played(story)
