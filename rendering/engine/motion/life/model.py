"""The life model: network, code and tables, read from two files that belong together; and a chunk in the making."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors_numpy

from rendering.engine.errors import MotionModelInvalid
from rendering.engine.motion.life import codec as codes
from rendering.engine.motion.life import context, equaliser, network, schedule
from rendering.engine.motion.life.channels import CHUNK, SMOOTH
from rendering.engine.motion.life.codec import Codec, Habit
from rendering.engine.motion.life.network import Network
from rendering.engine.motion.life.person import STYLE

Array = np.ndarray[Any, np.dtype[Any]]

FORMAT, VERSION = "trustcore-life", 2
PERSON_VERSION = 2
WEIGHTS_FILE, MANIFEST_FILE = "life.safetensors", "life.json"
MOST_BYTES = 2 * 1024 * 1024
VISITED = (980, 600, 270, 50)  # steps of the schedule, close together where little noise is left
STEPS = len(VISITED)
ETA = 1.0
FARTHEST = 6.0  # deviations of a context number from its mean
LONGEST_GAP_S = 3600.0  # between two blinks, or two jumps of the eyes
_TABLES: dict[str, tuple[int, ...]] = {
    "codec.event_shares": (2,),
    "context.middle": (context.WIDTH + STYLE,), "context.spread": (context.WIDTH + STYLE,),
    "usual.style": (STYLE,), "usual.speed": (len(SMOOTH),),
    "usual.predictor": (len(SMOOTH), codes.HISTORY + 1, CHUNK), "usual.strays": (len(SMOOTH), CHUNK),
    "usual.tails": (len(SMOOTH), CHUNK), "usual.directions": (len(SMOOTH), CHUNK, CHUNK),
    "usual.distances": (codes.DISTANCES,), "usual.blink_gaps_s": (codes.GAPS,), "usual.jump_gaps_s": (codes.GAPS,),
    "usual.equaliser": (len(SMOOTH), equaliser.TAPS),
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """What the model knows of whom it moves."""

    style: Array  # [STYLE]
    speed: Array  # [12]
    distances: Array  # [DISTANCES] quantiles of how far glances go, in the usual distance
    blink_gaps_s: Array  # [GAPS] quantiles of the gaps between blinks
    jump_gaps_s: Array  # [GAPS] of the gaps between jumps of the eyes
    habit: Habit
    equaliser: Array  # [12, TAPS] brings what the model makes of this person to the person's own spectrum

    def expected_events(self, since_blink_s: Array, since_jump_s: Array) -> Array:
        """[B, 2] chance of a blink and of a jump of the eyes within the next chunk, by the gaps alone."""
        pairs = ((since_blink_s, self.blink_gaps_s), (since_jump_s, self.jump_gaps_s))
        return np.stack([codes.expected_events(since_s, gaps_s) for since_s, gaps_s in pairs], axis=1)

    def parts(self) -> dict[str, Array]:
        """All numbers by name."""
        habit = {name: getattr(self.habit, name) for name in ("predictor", "directions", "strays", "tails")}
        return {
            "style": self.style, "speed": self.speed, "distances": self.distances, "blink_gaps_s": self.blink_gaps_s,
            "jump_gaps_s": self.jump_gaps_s, "equaliser": self.equaliser, **habit,
        }  # fmt: skip

    @staticmethod
    def of(parts: Mapping[str, Array]) -> Person:
        """The inverse of `parts`."""
        habit = Habit(*(parts[name] for name in ("predictor", "directions", "strays", "tails")))
        own = ("style", "speed", "distances", "blink_gaps_s", "jump_gaps_s")
        return Person(*(parts[name] for name in own), habit, parts["equaliser"])

    def to_json(self, weights_sha256: str) -> dict[str, Any]:
        """Plain lists for a replica's manifest; the weights are those that the equaliser was measured with."""
        parts = {name: [float(f"{number:.5g}") for number in value.ravel()] for name, value in self.parts().items()}
        return {"version": PERSON_VERSION, "weights_sha256": weights_sha256, **parts}

    @staticmethod
    def from_json(unverified: Any, weights_sha256: str) -> Person | None:
        """The inverse of `to_json`, for the weights that will move this person; other weights get no equaliser.

        None for a person of another version, who then moves like a usual one until trained again.

        Raises:
            MotionModelInvalid: it is no object, or a part is missing, of another shape, not finite or out of range.
        """
        if not isinstance(unverified, Mapping):
            raise MotionModelInvalid("The replica's manner of moving is not an object.")
        if unverified.get("version", 1) != PERSON_VERSION:
            return None
        shapes = {name.removeprefix("usual."): shape for name, shape in _TABLES.items() if name.startswith("usual.")}
        try:
            parts = {name: np.array(unverified[name], np.float32).reshape(shapes[name]) for name in shapes}
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise MotionModelInvalid("The replica's manner of moving is not readable.") from error
        if not all(np.isfinite(value).all() for value in parts.values()):
            raise MotionModelInvalid("The replica's manner of moving holds values that are not finite.")
        if not _can_be_lived(parts):
            raise MotionModelInvalid("The replica's manner of moving is none that a person can have; train it again.")
        if unverified.get("weights_sha256") != weights_sha256:
            parts["equaliser"] = equaliser.flat()
        return Person.of(parts)


def _can_be_lived(parts: Mapping[str, Array]) -> bool:
    """False for finite numbers out of which motion that is not finite would be made, or none at all."""
    gaps = (parts["blink_gaps_s"], parts["jump_gaps_s"])
    return bool(
        (parts["speed"] > 0).all()
        and ((parts["tails"] >= 0) & (parts["tails"] <= codes.HEAVIEST + 1e-3)).all()
        and all((gaps_s > 0).all() and (np.diff(gaps_s) >= 0).all() and gaps_s[-1] <= LONGEST_GAP_S for gaps_s in gaps)
    )


@dataclass(frozen=True)
class LifeModel:
    """Everything that makes chunks. Not tied to a person or session; may be shared between threads."""

    network: Network
    codec: Codec
    middle: Array  # [C + STYLE]
    spread: Array  # [C + STYLE]
    usual: Person  # somebody of whom nothing is known
    facts: dict[str, Any]  # the manifest: training data, seed, command, scores

    @staticmethod
    def from_files(unverified_files: Mapping[str, bytes]) -> LifeModel:
        """Read and check the two files.

        Raises:
            MotionModelInvalid: a file is missing, too large or changed, or holds other tensors than the format says.
        """
        facts = _manifest(unverified_files)
        content = unverified_files[WEIGHTS_FILE]
        if hashlib.sha256(content).hexdigest() != facts.get("sha256"):
            raise MotionModelInvalid("The weights of the life model are not the ones that their manifest names.")
        try:
            tensors = safetensors_numpy.load(content)
        except (SafetensorError, ValueError) as error:
            raise MotionModelInvalid("The weights of the life model are not readable; build them again.") from error
        _check(tensors)
        wide = {name: value.astype(np.float32) for name, value in tensors.items()}
        weights = {name.removeprefix("net."): value for name, value in wide.items() if name.startswith("net.")}
        usual = {name.removeprefix("usual."): value for name, value in wide.items() if name.startswith("usual.")}
        return LifeModel(
            Network(weights), Codec(wide["codec.event_shares"]), wide["context.middle"], wide["context.spread"],
            Person.of(usual), facts,
        )  # fmt: skip

    def draft(self, row: Array, style: Array, expected: Array, random: np.random.Generator) -> Draft:
        """A chunk to be made step by step for a context row [1, C], a style [STYLE] and chances of events [2]."""
        whole = np.concatenate([row, style[None]], axis=1)
        whole = np.clip((whole - self.middle) / self.spread, -FARTHEST, FARTHEST).astype(np.float32)
        return Draft(self, self.network.steer(whole), expected, random)


class Draft:
    """One chunk's code on its way from noise: `advance` until it is done."""

    def __init__(self, model: LifeModel, steering: Array, expected: Array, random: np.random.Generator) -> None:
        self._model = model
        self._steering = steering
        self._expected = expected
        self._random = random
        self._steps = schedule.pairs(VISITED)
        self._happens: Array | None = None
        self.code = random.normal(size=(1, codes.WIDTH)).astype(np.float32)  # [1, W]

    @property
    def happens(self) -> tuple[bool, bool]:
        """Whether a blink and a jump of the eyes start in the chunk."""
        assert self._happens is not None
        return bool(self._happens[0]), bool(self._happens[1])

    @property
    def is_done(self) -> bool:
        """True when `code` is clean."""
        return not self._steps

    def advance(self) -> None:
        """Take one denoising step."""
        step, kept, kept_next = self._steps.pop(0)
        clean, doubt = self._model.network.clean(self.code, step, self._steering)
        clean = np.clip(clean, -codes.LARGEST, codes.LARGEST)
        if self._happens is None:
            # At the noisiest step nothing but the context is known, so the mean of a yes or no is its very chance.
            chances = self._model.codec.chances(clean[0, codes.EVENTS], self._expected)
            self._happens = self._random.random(2) < chances
        clean[0, codes.EVENTS] = self._model.codec.event_codes(self._happens.astype(np.float32), self._expected)
        doubt[0, codes.EVENTS] = 0.0
        fresh = self._random.normal(size=self.code.shape).astype(np.float32) if self._steps else None
        code = schedule.ddim_step(self.code, clean, kept, kept_next, eta=ETA, fresh=fresh, doubt=doubt)
        self.code = code.astype(np.float32)


def to_files(tensors: Mapping[str, Array], facts: Mapping[str, Any]) -> dict[str, bytes]:
    """The two files of a trained model; the network's weights are kept as float16."""
    stored = {
        name: np.ascontiguousarray(value, np.float16 if name.startswith("net.") else np.float32)
        for name, value in tensors.items()
    }
    content = safetensors_numpy.save(stored)
    manifest = {
        "format": FORMAT, "version": VERSION, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content),
        **facts,
    }  # fmt: skip
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    return {WEIGHTS_FILE: content, MANIFEST_FILE: text.encode()}


def _manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    if not {WEIGHTS_FILE, MANIFEST_FILE} <= set(files):
        raise MotionModelInvalid(f"The life model needs the files {WEIGHTS_FILE} and {MANIFEST_FILE}.")
    if sum(len(content) for content in files.values()) > MOST_BYTES:
        raise MotionModelInvalid("The files of the life model are larger than 2 MiB.")
    try:
        facts = json.loads(files[MANIFEST_FILE])
    except ValueError as error:
        raise MotionModelInvalid("The manifest of the life model is not JSON.") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT or facts.get("version") != VERSION:
        raise MotionModelInvalid(f"The manifest is not of {FORMAT} version {VERSION}.")
    return facts


def _check(tensors: Mapping[str, Array]) -> None:
    weights = network.shapes(context.WIDTH + STYLE, codes.WIDTH)
    expected = {**_TABLES, **{f"net.{name}": shape for name, shape in weights.items()}}
    if set(tensors) != set(expected):
        raise MotionModelInvalid("The life model lacks a tensor or holds one too many.")
    for name, shape in expected.items():
        if tensors[name].shape != shape or not np.isfinite(tensors[name].astype(np.float32)).all():
            raise MotionModelInvalid(f"The life model's tensor {name} has another shape or values that are not finite.")
