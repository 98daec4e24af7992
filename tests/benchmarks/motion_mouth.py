"""The mouth on a voice that it never met (flite awb), on unseen texts, and on the synthetic person `asha`.

Truth of awb: our table of shapes in four styles that were never trained on. Of asha: the coefficients that drew her.
Baselines of the same run: the table with a random style, and the jaw that follows loudness. Movements that are wrong on
purpose must each miss a bar; the run ends with an error when one does not.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from rendering.engine.motion import expression
from rendering.engine.motion.controls import INDEX
from rendering.engine.motion.mouth import hearing
from rendering.engine.motion.mouth.features import FRAMES_PER_S, RATE_HZ
from rendering.engine.motion.mouth.motion import LOOK_AHEAD as MOTION_LOOK_AHEAD
from rendering.engine.motion.mouth.motion import MEAN_STYLE
from rendering.engine.motion.mouth.recogniser import LOOK_AHEAD as RECOGNISER_LOOK_AHEAD
from rendering.engine.motion.mouth.release import MouthModels
from rendering.engine.motion.mouth.spoken import SpokenMouth
from rendering.engine.motion.visemes import CLOSURE, MOUTH, VISEMES
from rendering.motion_models import mouth_models
from rendering.speech import VisemeSpan
from rendering.speech.voices import FliteVoice
from rendering.training import lip_sound
from rendering.training.mouth import augment, corpus, evaluate, measures, style, texts
from rendering.training.mouth.corpus import Speech
from rendering.training.mouth.evaluate import Judged, failed_bars, from_text, negative_controls, through
from rendering.training.mouth.movement import JAW, opening

SUBJECT = Path(__file__).resolve().parents[3] / "shared/data/subjects/asha"
FIT_S = 60.0
SESSIONS = 4
OTHER_SOUNDS = 24  # pieces of 5 s that are no speech
Array = np.ndarray[Any, np.dtype[Any]]


def measure() -> dict[str, Any]:
    """Every figure of the mouth.

    Raises:
        SystemExit: a movement that is wrong on purpose passes all bars.
    """
    models = mouth_models()
    if models is None:
        raise SystemExit("No models of the mouth are installed; build them with python -m rendering.training.mouth.")
    print("speaking", flush=True)
    speech = corpus.spoken_by(FliteVoice(corpus.HELD_OUT_VOICE), texts.test_sentences("en"))
    judged = Judged.of(speech)
    scores = evaluate.report(models, speech)
    heard = hearing.hear(models.recogniser, speech.samples, has_motion_model=True)
    assert heard.rows is not None
    text, audio = from_text(models.motion.exact, speech), through(models.motion.heard, heard.rows[: speech.frames])
    gated = judged.score(audio)
    figures: dict[str, Any] = {"seconds": scores["seconds"], "bilabials": scores["bilabials"]}
    figures |= _named("tts", scores["text"]) | _named("audio", gated.rounded())
    figures |= {
        "tts_rmse_known_style": scores["text_known_style"]["rmse"],
        "driver_random_style_rmse": scores["driver_random_style"]["rmse"],
        "loudness_rmse": scores["loudness"]["rmse"], "loudness_closure_share": scores["loudness"]["closure_share"],
        "viseme_accuracy_in_speech": scores["viseme_accuracy_in_speech"],
        "variance_ratio": scores["text"]["variance_ratio"], "jitter_ratio": scores["text"]["jitter_ratio"],
    }  # fmt: skip
    figures |= _sync("tts", text, speech) | _sync("audio", audio, speech)
    figures["ea_peak"] = max(figures["tts_ea_peak"], figures["audio_ea_peak"])
    figures["ea_margin"] = min(figures["tts_ea_margin"], figures["audio_ea_margin"])
    figures["lag_ms"] = max((figures["tts_lag_ms"], figures["audio_lag_ms"]), key=abs)
    print("controls", flush=True)
    figures["controls_missed_bars"] = _controls(judged, audio, speech)
    figures |= _diversity(models, judged, text) | _fitted(models, judged) | _emotion(models) | _other_sounds(models)
    figures |= _cost(models, speech) | {"look_ahead_ms": _look_ahead_ms(models, speech), "tts_look_ahead_ms": 0}
    if SUBJECT.exists():
        print("asha", flush=True)
        figures |= _asha(models)
    figures |= {"model_bytes": models.facts["bytes"], "model_sha256": models.facts["sha256"]}
    return figures


def _named(prefix: str, quality: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in quality.items()}


def _sync(prefix: str, moved: Array, speech: Speech) -> dict[str, float]:
    found = lip_sound.agreement(opening(moved), FRAMES_PER_S, speech.samples, RATE_HZ)
    return {
        f"{prefix}_ea_peak": round(found.peak, 3), f"{prefix}_ea_margin": round(found.margin, 3),
        f"{prefix}_ea_lag_ms": round(found.lag_ms, 1),
    }  # fmt: skip


def _controls(judged: Judged, audio: Array, speech: Speech) -> dict[str, list[str]]:
    """The bars that each wrong movement misses, made from the audio path, whose bars are the softer ones."""
    missed = {}
    for name, moved in negative_controls(audio, speech).items():
        sync = lip_sound.agreement(opening(moved), FRAMES_PER_S, speech.samples, RATE_HZ)
        missed[name] = failed_bars(judged.score(moved), sync.peak, sync.margin, is_text=False)
    passed = [name for name, bars in missed.items() if not bars]
    if passed:
        raise SystemExit(f"These movements are wrong and pass every bar: {', '.join(passed)}.")
    return missed


def _diversity(models: MouthModels, judged: Judged, text: Array) -> dict[str, float]:
    """What the wandering of each session adds: spread beside that of the truth, and what it does to closing."""
    moved = [evaluate.wandered(models.motion.unevenness, text, seed) for seed in range(SESSIONS)]
    found = [judged.score(one) for one in moved]
    truths = evaluate.uneven_truths(judged.speech, SESSIONS)
    return {
        "wandering_spread_ratio": round(evaluate.spread(moved) / evaluate.spread(truths), 3),
        "wandering_closure_share": round(float(np.min([f.closure_share for f in found])), 3),
        "wandering_false_closures_per_min": round(float(np.max([f.false_closures_per_min for f in found])), 3),
        "wandering_jitter_ratio": round(float(np.max([f.jitter_ratio for f in found])), 3),
        "wandering_rmse": round(float(np.mean([f.rmse for f in found])), 3),
    }


def _fitted(models: MouthModels, judged: Judged) -> dict[str, float]:
    """The text path in styles fitted to 60 s of each person's movement and sound, judged on the rest."""
    count = round(FIT_S * FRAMES_PER_S)
    late = judged.speech.bilabials_s[judged.speech.bilabials_s > FIT_S] - FIT_S
    found = []
    for wanted in judged.wanted:
        fitted = style.fit(models, wanted[:count], FRAMES_PER_S, judged.speech.samples[: round(FIT_S * RATE_HZ)])
        moved = from_text(models.motion.exact, judged.speech, fitted.vector)
        found.append(measures.compare(moved[count:], wanted[count:], late))
    return {
        "tts_rmse_fitted_60_s": round(float(np.mean([f.rmse for f in found])), 3),
        "tts_closure_share_fitted_60_s": round(float(np.mean([f.closure_share for f in found])), 3),
    }


def _emotion(models: MouthModels) -> dict[str, float]:
    """Share of p, b and m that close under each emotion's overlay at full intensity: the lowest of all emotions."""
    speech = corpus.spoken_by(FliteVoice("slt"), texts.test_sentences("en")[:20])
    plain = evaluate.table_driver(speech, MEAN_STYLE)
    shares = []
    for name in expression.EMOTIONS[1:]:
        amounts = expression.amounts(name, 1000)
        feeling = np.zeros(len(expression.EMOTIONS), np.float32)
        feeling[expression.EMOTIONS.index(name)] = 1.0
        moved = from_text(models.motion.exact, speech, MEAN_STYLE, feeling)
        moved[:, JAW] += amounts[INDEX["jaw"]] * expression.SPEECH_FACTORS[INDEX["jaw"]]
        shares.append(measures.compare(moved, plain, speech.bilabials_s).closure_share)
    return {"emotion_closure_share": round(min(shares), 3)}


def _other_sounds(models: MouthModels) -> dict[str, float]:
    """Share of frames with an open mouth over sounds that are no speech, behind the voice gate."""
    random = np.random.default_rng(77)
    opened = []
    for _ in range(OTHER_SOUNDS):
        heard = hearing.hear(models.recogniser, augment.not_speech(5 * RATE_HZ, random), has_motion_model=True)
        assert heard.rows is not None
        opened.append(float(np.mean(opening(through(models.motion.heard, heard.rows)) > 0.1)))
    return {"other_sounds_open_share": round(float(np.mean(opened)), 3)}


def _cost(models: MouthModels, speech: Speech) -> dict[str, float]:
    """CPU ms per frame of the live paths: the spoken mouth alone, and with live sound besides."""
    mouth = SpokenMouth(models.motion)
    mouth.add(_spans(speech), 0.0)
    frames = range(30, 930)
    began = time.process_time()
    for frame in frames:
        mouth.at(frame / FRAMES_PER_S)
    moved_ms = 1000 * (time.process_time() - began) / len(frames)
    stream, piece = hearing.HearingStream(models.recogniser), RATE_HZ // 50
    began = time.process_time()
    rows = sum(len(stream.push(speech.samples[i : i + piece])) for i in range(0, 30 * RATE_HZ, piece))
    heard_ms = 1000 * (time.process_time() - began) / rows
    return {
        "mouth_tts_cpu_ms_per_frame": round(moved_ms, 3), "mouth_cpu_ms_per_frame": round(moved_ms + heard_ms, 3),
    }  # fmt: skip


def _spans(speech: Speech) -> tuple[VisemeSpan, ...]:
    rows = zip(speech.starts_s, speech.ends_s, speech.classes, strict=True)
    return tuple(VisemeSpan(VISEMES[c], float(a), float(b)) for a, b, c in rows)


def _look_ahead_ms(models: MouthModels, speech: Speech) -> float:
    """How long after a moment sound may still change the mouth at that moment; later sound is shown to change none.

    Raises:
        SystemExit: later sound does.
    """
    frames = RECOGNISER_LOOK_AHEAD + MOTION_LOOK_AHEAD
    samples, cut = speech.samples[: 6 * RATE_HZ], 3 * RATE_HZ
    other = samples.copy()
    other[cut:] = 0.1 * np.random.default_rng(3).normal(size=len(other) - cut)
    moved, otherwise = (through(models.motion.heard, models.recogniser.listen(sound)) for sound in (samples, other))
    first = int(np.flatnonzero(np.abs(moved - otherwise).max(1) > 0)[0])
    if first < cut * FRAMES_PER_S // RATE_HZ - frames + 1:
        raise SystemExit("Sound changes the mouth earlier than its look-ahead allows.")
    return round(1000 * frames / FRAMES_PER_S, 1)


def _asha(models: MouthModels) -> dict[str, float]:
    """Mean and fitted style on asha: her own sounds' times, and her recorded sound."""
    found = np.load(SUBJECT / "truth.npz")
    fps, names = float(found["fps"]), [str(name) for name in found["coef_name"]]
    wanted = _asha_mouth(found["footage.speech_coef"].astype(np.float32), names, found["footage.lip_closure"])
    times = found["footage.viseme_time"]
    spans = [
        VisemeSpan(str(v), float(a), float(b)) for v, (a, b) in zip(found["footage.viseme"], times, strict=True)
    ]
    samples = _asha_sound()
    count = round(FIT_S * fps)
    fitted = style.fit(models, wanted[:count], fps, samples[: round(FIT_S * RATE_HZ)])
    bilabials_s = found["footage.bilabial_closure"].mean(1)
    out: dict[str, float] = {"asha_style_correlation": round(fitted.correlation, 3)}
    heard = hearing.hear(models.recogniser, samples, has_motion_model=True)
    for name, vector in (("mean", MEAN_STYLE), ("fitted", fitted.vector)):
        exact, sound = SpokenMouth(models.motion, vector), SpokenMouth(models.motion, vector)
        exact.add(spans, 0.0)
        sound.follow(heard, 0.0)
        for path, mouth in (("tts", exact), ("audio", sound)):
            moved = np.stack([mouth.at(k / fps) for k in range(len(wanted))])
            late = bilabials_s[bilabials_s > FIT_S] - FIT_S
            quality = measures.compare(moved[count:], wanted[count:], late, fps)
            for key in ("rmse", "closure_share", "false_closures_per_min", "lag_ms"):
                out[f"asha_{path}_{key}_{name}"] = quality.rounded()[key]
    return out


def _asha_mouth(coefficients: Array, names: list[str], closure: Array) -> Array:
    """[T, MOUTH] her coefficients by our names."""
    one = {
        "jaw": ("jawOpen",), "pucker": ("mouthPucker",), "funnel": ("mouthFunnel",),
        "stretch": ("mouthStretch_L", "mouthStretch_R"), "upper_up": ("mouthUpperUp_L", "mouthUpperUp_R"),
        "lower_down": ("mouthLowerDown_L", "mouthLowerDown_R"), "lip_roll": ("mouthRollLower",),
        "press": ("mouthPress_L", "mouthPress_R"),
    }  # fmt: skip
    out = np.zeros((len(coefficients), len(MOUTH)), np.float32)
    for control, own in one.items():
        out[:, MOUTH.index(control)] = coefficients[:, [names.index(name) for name in own]].mean(1)
    out[:, CLOSURE] = closure
    return out


def _asha_sound() -> Array:
    import av

    with av.open(str(SUBJECT / "footage.mp4")) as file:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        parts = [out.to_ndarray()[0] for frame in file.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.float32) / 32768
