"""The quality report as people read it: each figure against its floor. PURE: a report in, rows out."""

import json
import math
from dataclasses import dataclass
from typing import Any

from rendering.training import model_card
from trustcore.policy.clamp import MAX_MILLI
from trustcore.primitives.grants import EMOTIONS


@dataclass(frozen=True)
class Floor:
    """What one figure should reach, what it must reach before anybody may approve, and where its scale runs."""

    part: str  # of the report: quality[part][key], or quality[key] for ""
    key: str
    name: str
    what: str
    unit: str
    warn: float  # worse than this is a warning to the people who sign
    block: float  # worse than this, or unknown where it `must_be_known`, is not put before them at all
    low: float
    high: float
    less_is_better: bool = False
    must_be_known: bool = True

    def value(self, quality: dict[str, Any]) -> float | None:
        found = (quality.get(self.part) or {}).get(self.key) if self.part else quality.get(self.key)
        is_number = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
        return float(found) if is_number else None

    def is_worse(self, value: float, than: float) -> bool:
        return value > than if self.less_is_better else value < than


# Warnings: what an ordinary training on real footage reaches (docs/benchmarks.md). Blocks: pictures so far from the
# person that nobody can say from them what they would approve; a replica that copying filmed frames would equal.
FLOORS = (
    Floor("held_out", "psnr_full_db", "Whole picture", "PSNR, held-out frames", "dB", 27.0, 24.0, 15.0, 40.0),
    Floor("held_out", "psnr_face_db", "Face", "PSNR", "dB", 27.0, 23.0, 15.0, 40.0),
    Floor("held_out", "psnr_mouth_db", "Mouth", "PSNR", "dB", 27.0, 22.0, 15.0, 40.0),
    Floor("held_out", "ssim", "Structure", "SSIM", "", 0.85, 0.8, 0.5, 1.0),
    Floor("", "gain_full_db", "Better than copying", "over the nearest filmed frame", "dB", 3.0, 1.0, -5.0, 15.0),
    Floor("redetected", "redetected_share", "A face is found", "share of the redrawn frames", "",
          0.95, 0.5, 0.0, 1.0, must_be_known=False),
    Floor("redetected", "landmark_error_pct", "Features in place", "landmarks found again, of the eyes' distance", "%",
          1.5, 5.0, 0.0, 8.0, less_is_better=True, must_be_known=False),
    Floor("redetected", "jitter_ratio", "Steadiness", "trembling against the filmed clip", "",
          1.5, 3.0, 0.0, 4.0, less_is_better=True, must_be_known=False),
)  # fmt: skip
# What a figure can be at all, by its key. A training redraws frames of film, which no fit does beyond 60 dB.
CAN_BE = {
    "psnr_full_db": (0.0, 60.0), "psnr_face_db": (0.0, 60.0), "psnr_mouth_db": (0.0, 60.0), "ssim": (-1.0, 1.0),
    "gain_full_db": (-60.0, 60.0), "redetected_share": (0.0, 1.0), "landmark_error_pct": (0.0, 1000.0),
    "jitter_ratio": (0.0, 1000.0),
}  # fmt: skip
ROUNDED_DB = 0.02  # that a difference of rounded figures may be off
MOST_DIGITS = 15
SAID_TWICE = ("calibration", "quality")  # parts of both the manifest and the report
# The files of a training that people may look at, and what they are. A worker may hand in others; nobody is shown them.
SHOWN_FILES = {
    "held_out.png": "image/png", "portrait.png": "image/png",
    **{f"emotion_{name}.png": "image/png" for name in EMOTIONS if name != "neutral"},
    "error_map.png": "image/png", "lips_and_sound.png": "image/png", "comparison.mp4": "video/mp4",
}


def read_report(unverified: bytes) -> dict[str, Any]:
    """The report of a training, as a worker handed it in.

    Raises:
        ValueError: it is no JSON object, a number in it is not finite, or a part that decisions stand on has another
            form. Figures may be missing: those count as not measured.
    """
    report = _read(unverified)
    quality = _object(report, "quality")
    for part in sorted({floor.part for floor in FLOORS if floor.part}):
        _object(quality, part)
    _demand_possible(quality)
    caps = _object(_object(report, "calibration"), "emotion_caps_milli")
    if not all(name in EMOTIONS and type(milli) is int and 0 <= milli <= MAX_MILLI for name, milli in caps.items()):
        raise ValueError("The report's limits are not emotions in thousandths.")
    shown = _object(report, "film")
    errors = shown.get("errors") or []
    if not isinstance(errors, list) or not all(type(number) in (int, float) for number in (
            *errors, *(shown.get(key, 0) for key in ("fps", "start_s")))):
        raise ValueError("The report's film is not told in numbers.")
    try:
        model_card.sections(report)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("The report's coverage or training is not told as a model card needs it.") from error
    return report


def _demand_possible(quality: dict[str, Any]) -> None:
    """What one worker says of its own work can be bounded here, not proved.

    Raises:
        ValueError: a figure cannot be, or figures contradict each other.
    """
    for floor in FLOORS:
        value, (least, most) = floor.value(quality), CAN_BE[floor.key]
        if value is not None and not least <= value <= most:
            raise ValueError(f"The report's {floor.key} is {value:g}, which cannot be.")
    own, copied = (_object(quality, part).get("psnr_full_db") for part in ("held_out", "nearest_frame"))
    gain = quality.get("gain_full_db")
    figures = [figure for figure in (own, copied, gain) if type(figure) in (int, float)]
    if len(figures) == 3 and abs(figures[0] - figures[1] - figures[2]) > ROUNDED_DB:
        raise ValueError("The report's gain is not the difference of the figures it is made of.")


def check_manifest(unverified: bytes, report: dict[str, Any]) -> None:
    """The replica itself says what the report says of it: people sign the report, and sessions obey the manifest.

    Raises:
        ValueError: the manifest is no JSON object, or states other limits or figures than the report.
    """
    manifest = _read(unverified)
    for key in SAID_TWICE:
        if not report.get(key) or manifest.get(key) != report[key]:
            raise ValueError(f"The replica's manifest and its report say different things under {key!r}.")


def _read(unverified: bytes) -> dict[str, Any]:
    try:
        found = json.loads(unverified, parse_constant=_refused, parse_float=_finite, parse_int=_whole)
    except RecursionError as error:
        raise ValueError("The file is nested too deep.") from error
    if not isinstance(found, dict):
        raise ValueError("The file is not an object.")
    return found


def _object(found: Any, key: str) -> dict[str, Any]:
    part = found.get(key)
    if part is not None and not isinstance(part, dict):
        raise ValueError(f"The report's part {key!r} is not an object.")
    return part or {}


def _refused(word: str) -> float:
    raise ValueError(f"The file holds {word}.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("The file holds a number that is not finite.")
    return number


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError("The file holds a number that is too large.")
    return int(text)


@dataclass(frozen=True)
class Bar:
    """One figure against its floor. Widths are percent of the bar, 0..100."""

    name: str
    what: str
    value: str
    floor: str
    verdict: str
    width_pct: int
    floor_pct: int


def bars(report: dict[str, Any]) -> list[Bar]:
    """The figures of a report, worst first; a figure that is missing is `not_run`, never left out."""
    quality = report.get("quality") or {}
    order = {"fail": 0, "not_run": 1, "warn": 2, "pass": 3}
    return sorted((_bar(floor, floor.value(quality)) for floor in FLOORS), key=lambda row: order[row.verdict])


def _bar(floor: Floor, value: float | None) -> Bar:
    def percent(number: float) -> int:
        return round(100 * min(1.0, max(0.0, (number - floor.low) / (floor.high - floor.low))))

    fails = value is not None and floor.is_worse(value, floor.block)
    shown_floor = floor.block if fails else floor.warn  # the one that decided
    floor_text = f"{shown_floor:g} {floor.unit}".strip()
    if value is None:
        return Bar(floor.name, floor.what, "not measured", floor_text, "not_run", 0, percent(shown_floor))
    verdict = "fail" if fails else "warn" if floor.is_worse(value, floor.warn) else "pass"
    return Bar(floor.name, floor.what, _text(floor, value), floor_text, verdict, percent(value), percent(shown_floor))


def _text(floor: Floor, value: float) -> str:
    return f"{value:.1f} {floor.unit}" if floor.unit else f"{value:.3f}"


def reasons_against(report: dict[str, Any]) -> list[str]:
    """Why a version is too poor to be put before approvers, a sentence for each figure; empty when it is not."""
    quality = report.get("quality") or {}
    found = []
    for floor in FLOORS:
        value = floor.value(quality)
        least = f"{'at most' if floor.less_is_better else 'at least'} {floor.block:g} {floor.unit}".strip()
        if value is None and floor.must_be_known:
            found.append(f"{floor.name}: not measured; {least} is needed.")
        elif value is not None and floor.is_worse(value, floor.block):
            found.append(f"{floor.name}: {_text(floor, value)}; {least} is needed.")
    return found


def figures(report: dict[str, Any]) -> dict[str, str]:
    """The held-out figures as text with three decimals, for the statement that people sign."""
    quality = report.get("quality") or {}
    found = {**(quality.get("held_out") or {}), **(quality.get("redetected") or {})}
    found["gain_full_db"] = quality.get("gain_full_db")
    return {key: f"{value:.3f}" for key, value in sorted(found.items()) if isinstance(value, int | float)}


STRENGTH_STEP_MILLI = 250  # from one face of a strip to the next


@dataclass(frozen=True)
class EmotionCell:
    """What a version can show of one emotion, and what the person agreed to."""

    name: str
    measured_milli: int
    agreed_milli: int

    @property
    def picture(self) -> str:
        """The file with this emotion in five strengths; the calm face has one of its own."""
        return "portrait.png" if self.name == "neutral" else f"emotion_{self.name}.png"

    @property
    def place(self) -> int:
        """Which face of the strip is the strongest that was both measured and agreed to."""
        return min(self.measured_milli, self.agreed_milli) // STRENGTH_STEP_MILLI

    @property
    def is_open(self) -> bool:
        """A calm face is part of every consent; anything else only as far as it was agreed."""
        return self.name == "neutral" or self.agreed_milli > 0


def emotion_cells(report: dict[str, Any], consent: Any) -> list[EmotionCell]:
    """One cell per emotion the version was calibrated for. `consent`: ConsentFacts, or None when there is none."""
    caps = (report.get("calibration") or {}).get("emotion_caps_milli") or {}
    return [
        EmotionCell(name, int(caps[name]), consent.emotion_max_milli(name) if consent else 0)
        for name in EMOTIONS if name in caps
    ]


def may_be_shown(name: str, consent: Any) -> bool:
    """Whether a file of a training may be shown: an emotion's strip only where the person agreed to that emotion."""
    emotion = name.removeprefix("emotion_").removesuffix(".png")
    return name in SHOWN_FILES and (emotion not in EMOTIONS or consent.emotion_max_milli(emotion) > 0)


@dataclass(frozen=True)
class FilmBar:
    """How much one frame differs, as a bar of 0..100 from the bottom."""

    top: float
    tall: float


@dataclass(frozen=True)
class Film:
    """The comparison film: its frames' differences, and where the worst is."""

    fps: float
    start_s: float
    errors: tuple[float, ...]  # levels of 255, one per frame

    @property
    def bars(self) -> list[FilmBar]:
        most = max(max(self.errors), 1e-6)
        return [FilmBar(round(100 - 100 * error / most, 1), round(100 * error / most, 1)) for error in self.errors]

    @property
    def worst(self) -> int:
        return self.errors.index(max(self.errors))

    @property
    def last(self) -> int:
        return len(self.errors) - 1


def film(report: dict[str, Any]) -> Film | None:
    """The film of a report; None when the footage gave none."""
    told = report.get("film")
    if not told or not told.get("errors"):
        return None
    return Film(float(told["fps"]), float(told["start_s"]), tuple(float(error) for error in told["errors"]))
