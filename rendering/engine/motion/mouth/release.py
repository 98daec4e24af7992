"""The base models as files: a manifest that names one file of tensors by hash, and the models that are read from it.

Tensors are float16. Reading checks the hash, the type and shape of every tensor and that all numbers are finite.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors import numpy as safetensors_numpy

from rendering.engine.errors import MotionModelInvalid
from rendering.engine.motion.expression import EMOTIONS
from rendering.engine.motion.mouth.features import INPUTS
from rendering.engine.motion.mouth.layers import TAPS, Block, Network
from rendering.engine.motion.mouth.motion import STYLE, MotionModel, Motions
from rendering.engine.motion.mouth.recogniser import HEARD, Recogniser
from rendering.engine.motion.mouth.unevenness import LONGEST_MEMORY, Unevenness
from rendering.engine.motion.visemes import CLOSURE, MOUTH, VISEMES

Array = np.ndarray[Any, np.dtype[Any]]

FORMAT, VERSION = "trustcore-mouth", 2
MODEL_FILE, MANIFEST_FILE = "mouth.safetensors", "mouth.json"
MOST_BYTES = 5_000_000


@dataclass(frozen=True)
class MouthModels:
    """One release of the base models."""

    recogniser: Recogniser
    motion: Motions
    facts: dict[str, Any]  # release, training, scores: JSON values

    @property
    def release(self) -> dict[str, str]:
        """What a record keeps of the models: name, release and hash."""
        return {"name": "mouth", "release": str(self.facts["release"]), "sha256": str(self.facts["sha256"])}

    def to_files(self) -> dict[str, bytes]:
        """The two files."""
        tensors = {name: value.astype(np.float16) for name, value in _tensors(self).items()}
        model = safetensors_numpy.save(tensors)
        manifest = {
            **self.facts, "format": FORMAT, "version": VERSION, "file": MODEL_FILE, "bytes": len(model),
            "sha256": hashlib.sha256(model).hexdigest(), "visemes": list(VISEMES), "controls": list(MOUTH),
            "style": list(STYLE), "emotions": list(EMOTIONS),
            "dilations": {part: [b.dilation for b in net.blocks] for part, net in _networks(self).items()},
        }  # fmt: skip
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return {MODEL_FILE: model, MANIFEST_FILE: text.encode() + b"\n"}

    @staticmethod
    def from_files(unverified_files: dict[str, bytes]) -> MouthModels:
        """Read and check a release.

        Raises:
            MotionModelInvalid: a file is missing or changed, it is of another version, or its tensors are not those of
                this one.
        """
        manifest = _manifest(unverified_files)
        model = unverified_files[MODEL_FILE]
        if hashlib.sha256(model).hexdigest() != manifest.get("sha256"):
            raise MotionModelInvalid("The mouth's model file is not the one its manifest names; install it again.")
        try:
            tensors = {name: value.astype(np.float32) for name, value in safetensors_numpy.load(model).items()}
        except (SafetensorError, ValueError) as error:
            raise MotionModelInvalid("The mouth's model file is not readable; install it again.") from error
        if not all(np.isfinite(value).all() for value in tensors.values()):
            raise MotionModelInvalid("The mouth's model file holds values that are not finite.")
        return _assemble(tensors, manifest)


def _manifest(files: dict[str, bytes]) -> dict[str, Any]:
    if not {MODEL_FILE, MANIFEST_FILE} <= set(files):
        raise MotionModelInvalid(f"The mouth's models need the files {MODEL_FILE} and {MANIFEST_FILE}.")
    if sum(len(content) for content in files.values()) > MOST_BYTES:
        raise MotionModelInvalid("The mouth's model files are larger than 5 MB.")
    try:
        manifest = json.loads(files[MANIFEST_FILE])
    except ValueError as error:
        raise MotionModelInvalid("The mouth's manifest is not JSON.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise MotionModelInvalid(f"The mouth's manifest is not one of {FORMAT}.")
    if manifest.get("version") != VERSION:
        raise MotionModelInvalid(
            f"The mouth's models are of format {str(manifest.get('version'))[:20]}, and this program reads format "
            f"{VERSION}; install the models that belong to it, or build them again."
        )
    words = {"visemes": VISEMES, "controls": MOUTH, "style": STYLE, "emotions": EMOTIONS}
    for key, own in words.items():
        if manifest.get(key) != list(own):
            raise MotionModelInvalid(f"The mouth's models were made for other {key}; build them again.")
    return manifest


def _networks(models: MouthModels) -> dict[str, Network]:
    return {
        "recogniser": models.recogniser.network, "exact": models.motion.exact.network,
        "heard": models.motion.heard.network,
    }  # fmt: skip


def _tensors(models: MouthModels) -> dict[str, Array]:
    out = {
        "recogniser.mean": models.recogniser.mean, "recogniser.deviation": models.recogniser.deviation,
        "unevenness.factor": models.motion.unevenness.factor,
        "unevenness.memory": np.array([models.motion.unevenness.memory]),
    }  # fmt: skip
    for part, network in _networks(models).items():
        out[f"{part}.net.enter"], out[f"{part}.net.enter_bias"] = network.enter, network.enter_bias
        out[f"{part}.net.leave"], out[f"{part}.net.leave_bias"] = network.leave, network.leave_bias
        for index, block in enumerate(network.blocks):
            for name in ("convolve", "bias", "project"):
                out[f"{part}.net.{index}.{name}"] = getattr(block, name)
    for part, model in (("exact", models.motion.exact), ("heard", models.motion.heard)):
        out[f"{part}.enter"], out[f"{part}.enter_bias"] = model.enter, model.enter_bias
        for index, (matrix, bias) in enumerate(model.films):
            out[f"{part}.film.{index}.matrix"], out[f"{part}.film.{index}.bias"] = matrix, bias
    return out


def _assemble(tensors: dict[str, Array], manifest: dict[str, Any]) -> MouthModels:
    try:
        dilations = {part: [int(d) for d in manifest["dilations"][part]] for part in ("recogniser", "exact", "heard")}
        recogniser = Recogniser(
            _network(tensors, "recogniser", INPUTS, HEARD, dilations["recogniser"]),
            _shaped(tensors, "recogniser.mean", INPUTS), _shaped(tensors, "recogniser.deviation", INPUTS),
        )  # fmt: skip
        exact = _motion(tensors, "exact", len(VISEMES), dilations["exact"])
        heard = _motion(tensors, "heard", HEARD, dilations["heard"])
        if exact.window_frames != heard.window_frames:
            raise ValueError("windows of different lengths")
        memory = float(_shaped(tensors, "unevenness.memory", 1)[0])
        if not 0.0 <= memory <= LONGEST_MEMORY:
            raise ValueError("memory out of range")
        unevenness = Unevenness(_shaped(tensors, "unevenness.factor", CLOSURE, CLOSURE), memory)
    except (KeyError, TypeError, ValueError) as error:
        raise MotionModelInvalid("The mouth's model file lacks a tensor, or one has another shape.") from error
    models = MouthModels(recogniser, Motions(exact, heard, unevenness), manifest)
    if len(tensors) != len(_tensors(models)):
        raise MotionModelInvalid("The mouth's model file holds a tensor too many.")
    return models


def _motion(tensors: dict[str, Array], part: str, inputs: int, dilations: list[int]) -> MotionModel:
    network = _network(tensors, part, inputs, len(MOUTH), dilations)
    hidden, width = len(tensors[f"{part}.enter_bias"]), len(network.enter_bias)
    films = tuple(
        (_shaped(tensors, f"{part}.film.{i}.matrix", hidden, 2 * width),
         _shaped(tensors, f"{part}.film.{i}.bias", 2 * width))
        for i in range(len(dilations))
    )  # fmt: skip
    enter = _shaped(tensors, f"{part}.enter", len(STYLE) + len(EMOTIONS), hidden)
    return MotionModel(network, enter, tensors[f"{part}.enter_bias"], films)


def _network(tensors: dict[str, Array], part: str, inputs: int, outputs: int, dilations: list[int]) -> Network:
    if not dilations or min(dilations) < 1 or max(dilations) > 64:
        raise ValueError("dilations out of range")
    width = len(tensors[f"{part}.net.enter_bias"])
    blocks = tuple(
        Block(
            dilation,
            _shaped(tensors, f"{part}.net.{i}.convolve", TAPS * width, width),
            _shaped(tensors, f"{part}.net.{i}.bias", width),
            _shaped(tensors, f"{part}.net.{i}.project", width, width),
        )
        for i, dilation in enumerate(dilations)
    )
    return Network(
        _shaped(tensors, f"{part}.net.enter", inputs, width), _shaped(tensors, f"{part}.net.enter_bias", width), blocks,
        _shaped(tensors, f"{part}.net.leave", width, outputs), _shaped(tensors, f"{part}.net.leave_bias", outputs),
    )  # fmt: skip


def _shaped(tensors: dict[str, Array], name: str, *shape: int) -> Array:
    if tensors[name].shape != shape:
        raise ValueError(name)
    return tensors[name]
