"""A program of its own around libespeak-ng (GPL-3): JSON order on stdin, JSON line and raw sound on stdout.

Nothing of this project imports it and it imports nothing of this project, so the licence stays in this process.
Order: {"text", "language"} and, where wanted, "variant", "words_per_minute", "pitch", "pitch_range" (0..100),
"is_markup" (SSML).
Answer: {"rate_hz", "phonemes": [[IPA, start s], ...]} and a line end, then int16 samples.
"""

import ctypes
import json
import sys
from pathlib import Path
from typing import Any

import espeakng_loader

SYNCHRONOUS, PHONEME_EVENTS, IPA = 2, 1, 2
EVENT_END_OF_LIST, EVENT_PHONEME = 0, 7
UTF8, MARKUP, END_PAUSE = 1, 0x10, 0x1000
RATE, PITCH, RANGE = 1, 3, 4
BUFFER_MS = 200


class EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position_ms", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", EventId),
    ]  # fmt: skip


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def main() -> int:
    """Say the one order on stdin."""
    order = json.load(sys.stdin)
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate_hz = library.espeak_Initialize(
        SYNCHRONOUS, BUFFER_MS, espeakng_loader.get_data_path().encode(), PHONEME_EVENTS | IPA
    )
    variant = order.get("variant")
    if variant and not (Path(espeakng_loader.get_data_path()) / "voices" / "!v" / Path(variant).name).exists():
        return 1  # the library would speak without it and say nothing
    name = order["language"] + (f"+{variant}" if variant else "")
    if rate_hz <= 0 or library.espeak_SetVoiceByName(name.encode()) != 0:
        return 1
    for parameter, key in ((RATE, "words_per_minute"), (PITCH, "pitch"), (RANGE, "pitch_range")):
        if order.get(key) and library.espeak_SetParameter(parameter, int(order[key]), 0) != 0:
            return 1
    sound = bytearray()
    phonemes = []

    def take(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            sound.extend(ctypes.string_at(samples, count * 2))
        index = 0
        while events[index].type != EVENT_END_OF_LIST:
            if events[index].type == EVENT_PHONEME:
                symbol = bytes(events[index].id.string).split(b"\0")[0].decode("utf-8", "ignore")
                phonemes.append((symbol, events[index].audio_position_ms / 1000))
            index += 1
        return 0

    callback = Callback(take)
    library.espeak_SetSynthCallback(callback)
    text = order["text"].encode()
    form = UTF8 | END_PAUSE | (MARKUP if order.get("is_markup") else 0)
    if library.espeak_Synth(text, len(text) + 1, 0, 1, 0, form, None, None) != 0:
        return 1
    sys.stdout.buffer.write(json.dumps({"rate_hz": rate_hz, "phonemes": phonemes}).encode() + b"\n" + bytes(sound))
    return 0


if __name__ == "__main__":
    sys.exit(main())
