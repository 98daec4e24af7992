"""Hearing: what a lost packet costs, what speech detection costs, and how many spoken questions get the right answer.

`make bench NAME=hearing`. Baselines in the same run: aiortc's own jitter buffer on the same packets, holes left silent
and filled with the last packet fading, the rule of energy beside the network, and pocketsphinx without hints. The
voices are flite's; people are not. The last line is one JSON object.
"""

import asyncio
import json
import platform
import re
import time
from collections.abc import Callable, Sequence

import numpy as np
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket

from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.hearing.expected import sentences_for
from rendering.dialogue.hearing.microphone_line import OpusLine
from rendering.dialogue.hearing.opus import OpusDecoder
from rendering.dialogue.hearing.receive_buffer import Packet, ReceiveBuffer
from rendering.dialogue.hearing.sphinx import SphinxEars
from rendering.dialogue.hearing.voice_activity import (
    EnergyVoiceActivity,
    SileroVoiceActivity,
    VoiceActivity,
)
from rendering.dialogue.seams import Heard
from rendering.speech.voices import FliteVoice
from tests.common.speech_edges import SpeechEdges
from tests.common.voice_packets import packets, speech

HOP = 320
VOICES = ("slt", "rms", "awb")
SCRIPT = (
    "What happened to my claim?", "What do I have to send?", "How long does it take?", "Can I talk to a person?",
    "How do I renew my policy?", "Is my house insured against floods?", "When will I be paid?", "Where is your office?",
    "What does the policy cost?", "Can I cancel the policy?", "How do I change my address?",
    "Do you insure motorcycles?",
)  # fmt: skip
PERSONA = {
    "name": "Rina", "context": "\n".join(f"Q: {asked}\nA: Answer number {n}." for n, asked in enumerate(SCRIPT)),
    "documents": [{"name": "Crop insurance", "text": (
        "Crop insurance pays when hail or drought destroys the harvest. The premium is two percent of the insured "
        "sum. Farmers register before the monsoon.")}],
}
SMALL_TALK = ("Are you a real person?", "Hello, good morning.", "Thank you very much.", "What can you do?")
IN_OTHER_WORDS = (
    "What has happened with my claim?", "Tell me what I have to send.", "How long will it take?",
    "May I talk to a real person please?", "How can I renew the policy?", "Is the house insured against a flood?",
    "When do I get paid?", "Where can I find your office?", "How much does the policy cost?",
    "I want to cancel my policy.", "My address has changed.", "Is my motorcycle insured?",
    "When does crop insurance pay?", "Who are you?",
)  # fmt: skip
QUESTIONS = (*SCRIPT, *SMALL_TALK, *IN_OTHER_WORDS)  # 30; a voice reads each
ABOUT_SOMETHING_ELSE = (
    "Who won the football match yesterday?", "What is the weather in Delhi?", "How tall is mount Everest?",
    "I like to eat fish with rice.", "Can you sing a song for my daughter?", "Which bus goes to the railway station?",
)  # fmt: skip


def behind_after_one_loss() -> dict[str, float]:
    """How far behind each buffer is, 6 s after one lost packet, in ms."""
    ours, theirs = ReceiveBuffer(lambda payload: 960), JitterBuffer(capacity=16, prefetch=4)
    last_ours = last_theirs = 0
    for number in (n for n in range(400) if n != 100):
        ours.push(Packet(number, number * 960, number.to_bytes(2, "big")), number * 0.02)
        for piece in ours.take(number * 0.02):
            if piece.kind == "packet":
                last_ours = int.from_bytes(piece.payload, "big")
        one = RtpPacket(sequence_number=number, timestamp=number * 960)
        one._data = b"x"
        _, frame = theirs.add(one)
        last_theirs = frame.timestamp // 960 if frame is not None else last_theirs
    return {"behind_ms": (399 - last_ours) * 20.0, "aiortc_behind_ms": (399 - last_theirs) * 20.0}


def fading_repetition(before: np.ndarray) -> np.ndarray:
    return (before[-HOP:] * np.linspace(1.0, 0.5, HOP)).astype(np.int16)


def hole_snr_db(fill: Callable[[OpusDecoder, bytes, np.ndarray], np.ndarray] | None, whole: np.ndarray) -> float:
    """Signal to error over a voice that lost every tenth packet."""
    decoder, out = OpusDecoder(), [np.zeros(HOP, np.int16)]
    made = packets(speech())
    for number, packet in enumerate(made):
        if number % 10 == 8:
            continue
        if number % 10 == 9:
            out.append(np.zeros(HOP, np.int16) if fill is None else fill(decoder, packet, out[-1]))
        out.append(decoder.decode(packet, 960)[0])
    heard = np.concatenate(out[1:]).astype(float)[: len(whole)]
    reference = whole[: len(heard)].astype(float)
    return round(float(10 * np.log10(np.sum(reference**2) / np.sum((reference - heard) ** 2))), 1)


def holes() -> dict[str, float]:
    decoder = OpusDecoder()
    whole = np.concatenate([decoder.decode(packet, 960)[0] for packet in packets(speech())])
    return {
        "fec_snr_db": hole_snr_db(lambda opus, packet, _: opus.recover(packet, 960), whole),
        "conceal_snr_db": hole_snr_db(lambda opus, packet, _: opus.conceal(960), whole),
        "fading_repetition_snr_db": hole_snr_db(lambda opus, packet, before: fading_repetition(before), whole),
        "silence_snr_db": hole_snr_db(None, whole)}


def noisy(pcm: np.ndarray, snr_db: float) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0, np.std(pcm) * 10 ** (-snr_db / 20), len(pcm))
    return np.clip(pcm + noise, -32768, 32767).astype(np.int16)


def called_right(activity: VoiceActivity, snr_db: float) -> float:
    """Share of hops that are rightly called speech or silence, over the 30 questions with pauses between."""
    edges, right, count = SpeechEdges(), 0, 0
    for question in QUESTIONS:
        pcm = speech(question)
        is_loud = np.convolve(np.square(pcm, dtype=float), np.ones(1600) / 1600, "same") > 1e4
        sound = np.concatenate((np.zeros(8_000), pcm, np.zeros(8_000))).astype(np.int16)
        labels = np.concatenate((np.zeros(8_000, bool), is_loud, np.zeros(8_000, bool)))
        sound = noisy(sound, snr_db)
        for at in range(0, len(sound) - HOP, HOP):
            right += edges.push(activity.push(sound[at : at + HOP])) == (labels[at : at + HOP].mean() > 0.5)
            count += 1
    return round(right / count, 3)


def detection() -> dict[str, float]:
    activity, pcm = SileroVoiceActivity(), np.tile(speech(), 6)
    began_s = time.process_time()
    for at in range(0, len(pcm) - 512, 512):
        activity.push(pcm[at : at + 512])
    window_ms = (time.process_time() - began_s) / (len(pcm) // 512) * 1000
    line = OpusLine(SileroVoiceActivity())
    made = packets(pcm)
    began_s = time.process_time()
    for number, packet in enumerate(made):
        line.push(Packet(number, number * 960, packet), number * 0.02)
        line.take(number * 0.02)
    hop_ms = (time.process_time() - began_s) / len(made) * 1000
    found = {"vad_window_cpu_ms": round(window_ms, 3), "hop_cpu_ms": round(hop_ms, 3)}
    for snr_db in (30.0, 10.0):
        found[f"silero_right_{snr_db:.0f}db"] = called_right(SileroVoiceActivity(), snr_db)
        found[f"energy_right_{snr_db:.0f}db"] = called_right(EnergyVoiceActivity(), snr_db)
    return found


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def word_errors(said: str, heard: str) -> int:
    """Words put in, left out or changed (Levenshtein)."""
    before, row = words(said), list(range(len(words(heard)) + 1))
    for number, word in enumerate(before, 1):
        last, row[0] = row[0], number
        for at, other in enumerate(words(heard), 1):
            last, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, last + (word != other))
    return row[-1]


async def ask(ears: SphinxEars, voice: str, text: str, expected: Sequence[str]) -> tuple[Heard, float]:
    """The text as a voice says it, in real time, as a microphone gives it; and how long the last word took, in ms."""
    silence = np.zeros(6_400, np.int16)
    pcm = np.concatenate((silence, FliteVoice(voice).say(text).pcm, silence[:3_200]))
    listening = ears.listen(language="en", expected=expected)
    began_s = time.monotonic()
    for number, at in enumerate(range(0, len(pcm), HOP), 1):
        await asyncio.sleep(max(0.0, began_s + number * 0.02 - time.monotonic()))
        listening.push(pcm[at : at + HOP])
    ended_s = time.monotonic()
    heard = await listening.finish()
    return heard, (time.monotonic() - ended_s) * 1000


async def understanding(expected: Sequence[str], voices: Sequence[str]) -> dict[str, float]:
    """Over the questions, and with hints over those that the persona knows nothing about."""
    ears, brain = SphinxEars(), ScriptedBrain(PERSONA, "Asha Baruah")
    await ears.warm_up()
    ears.expect(language="en", expected=expected)  # as a session does
    ears.listen(language="en", expected=expected).push(speech())  # the open model is made by the first utterance
    await asyncio.sleep(6.0)
    ms, right, wrong, verbatim, errors, count = [], 0, 0, 0, 0, 0
    not_known = brain.reply("xyzzy")
    for voice in voices:
        for question in QUESTIONS:
            heard, took_ms = await ask(ears, voice, question, expected)
            ms.append(took_ms)
            is_right = brain.reply(heard.text) == brain.reply(question)
            wrong += not is_right and heard.text != "" and brain.reply(heard.text) != not_known
            right, verbatim = right + is_right, verbatim + (is_right and question in (*SCRIPT, *SMALL_TALK))
            errors, count = errors + word_errors(question, heard.text), count + len(words(question))
    unknown = [await ask(ears, voice, text, expected) for voice in voices for text in ABOUT_SOMETHING_ELSE]
    answered = [heard for heard, _ in unknown if heard.text and brain.reply(heard.text) != not_known]
    asked = len(voices) * len(QUESTIONS)
    ears.close()
    return {
        "right_of_30": round(right / asked * 30, 1),
        "wrongly_answered_of_30": round(wrong / asked * 30, 1),
        "right_verbatim": round(verbatim / len(voices) / len((*SCRIPT, *SMALL_TALK)), 3),
        "word_error_rate": round(errors / count, 3), "final_ms_p50": round(float(np.median(ms)), 1),
        "final_ms_p95": round(float(np.percentile(ms, 95)), 1), "final_ms_max": round(max(ms), 1),
        "answered_though_unknown": round(len(answered) / len(unknown), 3)}


def main() -> None:
    result: dict[str, object] = {**behind_after_one_loss(), **holes(), **detection()}
    hinted = asyncio.run(understanding(sentences_for(PERSONA, "Asha Baruah"), VOICES))
    result |= hinted
    result |= {f"open_{name}": value for name, value in asyncio.run(understanding((), VOICES[:1])).items()}
    for name, value in result.items():
        print(f"{name:28} {value}")
    print(json.dumps({"name": "hearing", **result, "machine": platform.processor() or platform.machine()}))


if __name__ == "__main__":
    main()
