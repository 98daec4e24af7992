"""The quality report as people read it: each figure against its floor. PURE: a report in, rows out."""

from dataclasses import dataclass
from typing import Any

from trustcore.primitives.grants import EMOTIONS

# Floors of an ordinary training on real footage (docs/benchmarks.md); a figure below its floor is a warning to the
# people who sign.
FLOORS: tuple[tuple[str, str, str, str, float, float, float], ...] = (
    # key, name, what, unit, floor, scale start, scale end
    ("psnr_full_db", "Whole picture", "PSNR, held-out frames", "dB", 27.0, 15.0, 40.0),
    ("psnr_face_db", "Face", "PSNR", "dB", 27.0, 15.0, 40.0),
    ("psnr_mouth_db", "Mouth", "PSNR", "dB", 27.0, 15.0, 40.0),
    ("ssim", "Structure", "SSIM", "", 0.85, 0.5, 1.0),
)
GAIN_FLOOR_DB = 0.0
# The files of a training that people may look at, and what they are. A worker may hand in others; nobody is shown them.
SHOWN_FILES = {
    "held_out.png": "image/png", "emotions.png": "image/png", "portrait.png": "image/png",
    "error_map.png": "image/png", "lips_and_sound.png": "image/png", "comparison.mp4": "video/mp4",
}


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
    held_out = quality.get("held_out") or {}
    rows = [
        _bar(name, what, held_out.get(key), unit, floor, low, high)
        for key, name, what, unit, floor, low, high in FLOORS
    ]
    rows.append(
        _bar(
            "Better than copying",
            "over the nearest filmed frame",
            quality.get("gain_full_db"),
            "dB",
            GAIN_FLOOR_DB,
            -5.0,
            15.0,
        )
    )
    order = {"not_run": 0, "warn": 1, "pass": 2}
    return sorted(rows, key=lambda row: order[row.verdict])


def _bar(name: str, what: str, value: Any, unit: str, floor: float, low: float, high: float) -> Bar:
    def percent(number: float) -> int:
        return round(100 * min(1.0, max(0.0, (number - low) / (high - low))))

    floor_text = f"{floor:g} {unit}".strip()
    if not isinstance(value, int | float):
        return Bar(name, what, "not measured", floor_text, "not_run", 0, percent(floor))
    text = f"{value:.1f} {unit}" if unit else f"{value:.3f}"
    return Bar(
        name, what, text, floor_text, "pass" if value >= floor else "warn", percent(float(value)), percent(floor)
    )


def figures(report: dict[str, Any]) -> dict[str, str]:
    """The held-out figures as text with three decimals, for the statement that people sign."""
    quality = report.get("quality") or {}
    found = {**(quality.get("held_out") or {}), "gain_full_db": quality.get("gain_full_db")}
    return {key: f"{value:.3f}" for key, value in sorted(found.items()) if isinstance(value, int | float)}


@dataclass(frozen=True)
class EmotionCell:
    """What a version can show of one emotion, and what the person agreed to. `place`: which picture
    of emotions.png it is, 0..7.
    """

    name: str
    measured_milli: int
    agreed_milli: int
    place: int = 0

    @property
    def is_open(self) -> bool:
        """A calm face is part of every consent; anything else only as far as it was agreed."""
        return self.name == "neutral" or self.agreed_milli > 0


def emotion_cells(report: dict[str, Any], consent: Any) -> list[EmotionCell]:
    """One cell per emotion the version was calibrated for. `consent`: ConsentFacts, or None when there is none."""
    caps = (report.get("calibration") or {}).get("emotion_caps_milli") or {}
    return [
        EmotionCell(name, int(caps[name]), consent.emotion_max_milli(name) if consent else 0, place)
        for place, name in enumerate(EMOTIONS) if name in caps
    ]


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
