"""The mark in the sound: what it costs, how far it lies below the sound, and what encoders leave of it.

`make bench NAME=sound_mark`. The baseline is a plain spread-spectrum mark on the same speech: white between 250 Hz and
6.5 kHz, as loud in a pause as in a word, same chips, same reader. It is made once with the power of our mark, which
shows how much louder it is to the ear's model, and once as quiet to that model as ours, which shows what is left to
read. The last line is one JSON object.
"""

import json
import platform
import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from provenance.marks.keys import MarkKey
from provenance.marks.sound import align, listen
from provenance.marks.sound.detect import read_sound
from provenance.marks.sound.embed import ChipsOf, SoundEmbedder, embed_reference
from provenance.marks.sound.transform import HOP, basis, overlapped
from provenance.marks.verdicts import Verdict
from rendering.worker.audio import PACKET_SAMPLES, RATE_HZ, Samples
from tests.common.noise_to_mask import disturbed_share, noise_to_mask_db
from tests.common.spoken import OPUS_DELAY_SAMPLES, music, slots_from, through_file, through_opus, voices, with_noise

KEY = MarkKey(bytes(range(32)), "bench")
SLOT_ID = 0x0123_4567_89AB_CDEF
FIRST_SLOT = 3
STEP_S = 3.1  # between the starts of clips, which overlap: the starts fall on all parts of a hop
BASELINE_EVERY = 2  # of these clips; a clip that cannot be read takes longest
UNMARKED_BUDGET_S = 60.0  # of processor time
BACKGROUND_SNR_DB = 45.0
KEYS_AT_ONE_PLACE = 1_000
GATE_RMS = 32768 * 10 ** (-50 / 20)


def gated(heard: Samples) -> Samples:
    """With silence for every 10 ms that is quieter than -50 dB of full scale."""
    rows = heard[: len(heard) // HOP * HOP].reshape(-1, HOP)
    is_loud = np.mean(rows.astype(np.float64) ** 2, axis=1, keepdims=True) > GATE_RMS**2
    return (rows * is_loud).astype(np.int16).reshape(-1)


CHANNELS: dict[str, tuple[float, Callable[[Samples], Samples]]] = {
    "5s_opus32": (5.0, lambda marked: through_opus(marked, 32_000)),
    "5s_opus24": (5.0, lambda marked: through_opus(marked, 24_000)),
    "10s_opus16": (10.0, lambda marked: through_opus(marked, 16_000)),
    # The voices pause in digital silence, where even a mark of a few steps can be read: so with a faint background, and
    # through a noise gate, as calls and editors have it.
    "5s_opus32_background": (5.0, lambda marked: through_opus(with_noise(marked, BACKGROUND_SNR_DB), 32_000)),
    "5s_opus32_gate": (5.0, lambda marked: gated(through_opus(marked, 32_000))),
    "5s_aac64": (5.0, lambda marked: through_file(through_opus(marked, 32_000), "aac", 64_000, "mp4")),
}


def clips(heard: Samples, seconds: float) -> Iterator[Samples]:
    """Overlapping clips of one length."""
    length, step = round(seconds * RATE_HZ), round(STEP_S * RATE_HZ)
    yield from (heard[i : i + length] for i in range(1234, len(heard) - length, step))


def exact_share(marked: list[Samples], channel: str, every: int = 1) -> tuple[float, list[float]]:
    """Share of clips whose payload was read and is the right one, and the processor time of each reading in s."""
    seconds, change = CHANNELS[channel]
    right, spent_s = [], []
    for voice in marked:
        for clip in list(clips(change(voice), seconds))[::every]:
            started = time.process_time()
            right.append(read_sound(clip, KEY).payload == SLOT_ID)
            spent_s.append(time.process_time() - started)
    print(f"{channel}: {np.mean(right):.3f} of {len(right)}", flush=True)
    return float(np.mean(right)), spent_s


def streamed(samples: Samples, chips_of: ChipsOf) -> tuple[Samples, list[float]]:
    """The sound marked 20 ms at a time, and the milliseconds each block took."""
    embedder, out, spent_ms = SoundEmbedder(chips_of), [], []
    for first in range(0, len(samples), PACKET_SAMPLES):
        started = time.perf_counter()
        out.append(embedder.embed(samples[first : first + PACKET_SAMPLES], first))
        spent_ms.append(1e3 * (time.perf_counter() - started))
    return np.concatenate([*out, embedder.embed(np.zeros(HOP, np.int16), len(samples))])[HOP:], spent_ms


def plainly_marked(samples: Samples, like: Samples) -> Samples:
    """The baseline: the same chips at one strength throughout, with the power of the mark in `like`."""
    chips_of = slots_from(KEY, SLOT_ID, FIRST_SLOT)
    waves = np.stack([chips_of(hop - 1) for hop in range(len(samples) // HOP + 1)]) @ basis(HOP)
    mark = overlapped(waves)[HOP:-HOP]
    power = np.mean((like.astype(np.float64) - samples) ** 2)
    return np.clip(np.rint(samples + mark * np.sqrt(power / np.mean(mark**2))), -32768, 32767).astype(np.int16)


def as_quiet(samples: Samples, plain: Samples, like: Samples) -> Samples:
    """The baseline made so weak that its noise-to-mask ratio is that of the mark in `like`."""
    gain = 10 ** ((noise_to_mask_db(samples, like) - noise_to_mask_db(samples, plain)) / 20)
    return np.clip(np.rint(samples + gain * (plain.astype(np.float64) - samples)), -32768, 32767).astype(np.int16)


def snr_db(sound: Samples, changed: Samples) -> float:
    """Whole power against the power of the change."""
    change = changed.astype(np.float64) - sound
    return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2) / np.mean(change**2)))


def segmental_snr_db(sound: Samples, changed: Samples) -> float:
    """Mean of the ratio in 20 ms, of those louder than -60 dB, each held to -10 .. 35 dB."""
    rows = sound[: len(sound) // 960 * 960].reshape(-1, 960).astype(np.float64)
    change = changed[: rows.size].reshape(-1, 960).astype(np.float64) - rows
    power, of_change = np.mean(rows**2, axis=1), np.maximum(np.mean(change**2, axis=1), 1e-3)
    heard = power > (32768 * 1e-3) ** 2
    return float(np.mean(np.clip(10 * np.log10(power[heard] / of_change[heard]), -10.0, 35.0)))


def mean_over(figure: Callable[[Samples, Samples], float], spoken: list[Samples], changed: list[Samples]) -> float:
    """Mean of a figure over the voices."""
    return float(np.mean([figure(one, other) for one, other in zip(spoken, changed, strict=True)]))


def quality(spoken: list[Samples], marked: list[Samples], plain: list[Samples]) -> dict[str, float]:
    """How far the marks, and Opus itself, lie below the sound and below what it masks."""
    coded = [with_opus_alone(one) for one in spoken]
    return {
        "snr_db": mean_over(snr_db, spoken, marked),
        "segmental_snr_db": mean_over(segmental_snr_db, spoken, marked),
        "noise_to_mask_db": mean_over(noise_to_mask_db, spoken, marked),
        "disturbed_frames_share": mean_over(disturbed_share, spoken, marked),
        "baseline_snr_db": mean_over(snr_db, spoken, plain),
        "baseline_segmental_snr_db": mean_over(segmental_snr_db, spoken, plain),
        "baseline_noise_to_mask_db": mean_over(noise_to_mask_db, spoken, plain),
        "baseline_disturbed_frames_share": mean_over(disturbed_share, spoken, plain),
        "opus32_itself_noise_to_mask_db": mean_over(noise_to_mask_db, spoken, coded),
        "opus32_itself_disturbed_frames_share": mean_over(disturbed_share, spoken, coded),
    }


def with_opus_alone(samples: Samples) -> Samples:
    """Opus at 32 kbit/s, with its delay and its turn of the phase taken away, so that what differs is its noise."""
    heard = np.concatenate([np.zeros(OPUS_DELAY_SAMPLES - 309, np.int16), through_opus(samples)])
    heard = np.resize(heard, len(samples))
    hertz = np.fft.rfftfreq(len(heard), 1 / RATE_HZ)
    turn = np.exp(-1j * np.deg2rad(np.interp(hertz, listen.OPUS_HZ, listen.OPUS_DEGREES)))
    return np.clip(np.rint(np.fft.irfft(np.fft.rfft(heard) * turn, len(heard))), -32768, 32767).astype(np.int16)


def unmarked(spoken: list[Samples]) -> dict[str, float]:
    """Clips without a mark, read in full until the time is up; and one place under many keys."""
    windows = [clip for voice in spoken for clip in clips(through_opus(voice), 5.0)] + list(clips(music(60.0, 1), 5.0))
    order = np.random.default_rng(1).permutation(len(windows))
    accepted, read, largest, started = 0, 0, 0.0, time.process_time()
    for number in order:
        if time.process_time() - started > UNMARKED_BUDGET_S:
            break
        reading = read_sound(windows[number], KEY)
        accepted += reading.verdict is not Verdict.NO_MARK
        largest, read = max(largest, abs(reading.z)), read + 1
    return {"false_accepts": accepted, "unmarked_windows": read, "unmarked_largest_z": largest} | one_place(windows)


def one_place(windows: list[Samples]) -> dict[str, float]:
    """The statistic of a single alignment over many keys and clips: its deviation is 1 or less by the bound."""
    seen: list[float] = []
    for number in range(KEYS_AT_ONE_PLACE):
        if number % 25 == 0:
            sound = listen.evened(listen.to_low_rate(windows[number // 25 % len(windows)].astype(np.float32)))
        key = MarkKey(number.to_bytes(32, "big"))
        seen.append(align.heard_at(sound, key, align.Alignment(float(number), 0, 1)).z)
    values: NDArray[np.float64] = np.array(seen)
    return {"one_place_tries": len(seen), "one_place_z_deviation": float(values.std()),
            "one_place_z_largest": float(np.abs(values).max())}


def main() -> None:
    """Measure and print."""
    spoken = list(voices().values())
    chips_of = slots_from(KEY, SLOT_ID, FIRST_SLOT)
    made = [streamed(one, chips_of) for one in spoken]
    marked, spent_ms = [one for one, _ in made], [ms for _, row in made for ms in row]
    plain = [plainly_marked(one, like) for one, like in zip(spoken, marked, strict=True)]
    figures: dict[str, float] = {
        "embed_ms_per_20ms": float(np.median(spent_ms)), "embed_ms_per_20ms_p99": float(np.percentile(spent_ms, 99)),
        "latency_ms": 1e3 * HOP / RATE_HZ, "speech_s": sum(map(len, spoken)) / RATE_HZ,
        "steps_from_reference": float(max(np.abs(embed_reference(one, chips_of).astype(int) - other).max()
                                          for one, other in zip(spoken, marked, strict=True))),
    }
    figures |= quality(spoken, marked, plain)
    for channel in CHANNELS:
        figures[f"share_exact_{channel}"], spent_s = exact_share(marked, channel)
        if channel == "5s_opus32":
            figures["decode_s_per_5s_clip"] = float(np.median(spent_s))
    quiet = [as_quiet(one, loud, like) for one, loud, like in zip(spoken, plain, marked, strict=True)]
    figures["baseline_as_quiet_snr_db"] = mean_over(snr_db, spoken, quiet)
    print("baseline as quiet to the model as the mark", flush=True)
    for channel in ("5s_opus32", "5s_opus32_background", "5s_opus32_gate"):
        baseline, _ = exact_share(quiet, channel, BASELINE_EVERY)
        figures |= {f"baseline_share_exact_{channel}": baseline,
                    f"ratio_share_exact_{channel}": figures[f"share_exact_{channel}"] / max(baseline, 0.01)}
    figures["ratio_noise_to_mask"] = 10 ** (
        (figures["baseline_noise_to_mask_db"] - figures["noise_to_mask_db"]) / 10)
    figures |= unmarked(spoken)
    print(json.dumps({key: round(value, 4) for key, value in figures.items()} | {"machine": platform.machine()}))


if __name__ == "__main__":
    main()
