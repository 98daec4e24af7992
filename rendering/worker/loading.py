"""Fetches the replica of a lease, decrypts it and makes it ready to draw. Plaintext stays in memory."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from rendering.engine.errors import MotionModelInvalid, ReplicaInvalid
from rendering.engine.motion.performer import Performer
from rendering.engine.renderer import Renderer
from rendering.engine.replica import Replica
from rendering.motion_models import NO_LIFE, life_model, mouth_models
from rendering.protocol import Lease
from rendering.worker.config import WorkerConfig
from rendering.worker.control import ControlClient, ReleasedKeys
from rendering.worker.frame_parts import FrameParts
from rendering.worker.sizes import Labels, sizes_from
from trustcore.policy.clamp import MAX_MILLI, clamp
from trustcore.primitives.envelope import decrypt
from trustcore.primitives.errors import Refusal
from trustcore.primitives.grants import Grant
from trustcore.primitives.hashing import sha256_hex


class ReplicaMismatch(Refusal):
    """The replica's files are not the ones that the grant names."""

    code = "replica.mismatch"


class ReplicaUndrawable(Refusal):
    """The replica's files are those of the grant, and no face can be drawn from them; train it again."""

    code = "replica.invalid"


@dataclass
class Cast:
    """A replica that is ready to be drawn."""

    renderers: dict[int, Renderer]  # by the side of their pictures, px; the largest first
    performer: Performer
    labels: Labels
    emotion_caps_milli: dict[str, int]  # what its footage supports


async def load_cast(
    lease: Lease, grant: Grant, keys: ReleasedKeys, control: ControlClient, executor: Executor, config: WorkerConfig,
    parts: FrameParts,
) -> Cast:
    """Fetch, decrypt, check and load, and draw one picture so that every kernel is warm.

    Raises:
        EnvelopeInvalid: a blob does not open with its released key in its context.
        ReplicaMismatch: the files are not those of the grant.
        ReplicaUndrawable: they are, and say what no face can do, or are of another version of the format.
    """
    names = list(lease.blobs)
    ciphertexts = await asyncio.gather(*(control.blob(lease.blobs[name]) for name in names))
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(
        executor, _load, dict(zip(names, ciphertexts, strict=True)), grant, keys, config, parts)


def _load(
    ciphertexts: dict[str, bytes], grant: Grant, keys: ReleasedKeys, config: WorkerConfig, parts: FrameParts,
) -> Cast:
    files = {
        name: decrypt(bytes(keys.read[name]), keys.contexts[name], ciphertext)
        for name, ciphertext in ciphertexts.items()
    }
    if sha256_hex(files.get("manifest.json", b"")) != grant.replica_sha256:
        raise ReplicaMismatch("The replica's files are not the ones this grant names.", replica=grant.replica_id)
    try:
        return _ready(files, grant, config, parts)
    except (ReplicaInvalid, MotionModelInvalid, np.linalg.LinAlgError) as error:
        raise ReplicaUndrawable(str(error), replica=grant.replica_id) from error


def _ready(files: dict[str, bytes], grant: Grant, config: WorkerConfig, parts: FrameParts) -> Cast:
    replica = Replica.from_files(files)  # compares every file with the hash in its manifest
    performer = Performer(
        replica, seed=_seed(grant), mouth=mouth_models(), life=life_model(), no_life=NO_LIFE,
        smile_most=own_smile_most(grant.emotion_max_milli, replica.emotion_caps_milli))
    sizes = sizes_from(config.size_px)
    renderers = {size: parts.renderer(replica, size, config.most_splats) for size in sizes}
    labels = Labels({size: parts.label(size, size, grant.language) for size in sizes})
    cast = Cast(renderers, performer, labels, replica.emotion_caps_milli)
    for size, renderer in renderers.items():
        picture = renderer.draw(cast.performer.state_at(0.0))
        if picture.shape != (size, size, 3) or picture.dtype != np.uint8:
            raise ReplicaMismatch("The replica does not draw at this slot's size.", replica=grant.replica_id)
    return cast


def own_smile_most(limits_milli: Mapping[str, int], caps_milli: Mapping[str, int]) -> float:
    """0..1: a small smile of life's own is no way around a grant that forbids joy, nor around footage without it."""
    granted = clamp("joy", MAX_MILLI, limits_milli).shown_milli
    return clamp("joy", granted, caps_milli).shown_milli / MAX_MILLI


def _seed(grant: Grant) -> int:
    """Head and eyes move differently in every conversation, and the same way when one is replayed."""
    return int(sha256_hex(grant.conversation_id.encode())[:8], 16)
