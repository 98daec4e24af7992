"""The worker's settings, read once from the environment. No default for anything secret."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provenance.manifests.frame_codecs import CODECS
from rendering.dialogue.choice import DialogueConfig
from rendering.worker.dialogue_config import dialogue_from
from trustcore.primitives.signing import SigningKey, VerifyKey, unb64

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD_PATHS = (
    "rendering/worker", "rendering/engine", "rendering/speech", "rendering/dialogue", "rendering/training",
    "rendering/protocol.py", "provenance/marks", "provenance/manifests", "trustcore/primitives",
)


class WorkerConfigError(ValueError):
    """A setting is missing or wrong. The worker does not start."""


@dataclass(frozen=True)
class WorkerConfig:
    """Everything a worker process knows before its first lease."""

    control_url: str
    worker_id: str
    slot_id: str
    identity: SigningKey
    grant_keys: Mapping[str, VerifyKey]  # kid -> key; pinned here, never fetched from control
    kinds: tuple[str, ...] = ("session", "training")
    size_px: int = 256
    is_tuned: bool = False  # size and splats were not given: the worker measures its machine and picks them
    most_splats: int = 100_000  # of a replica; the ones that show least are left out
    renderer: str = "auto"  # "cpu", "gpu", or the GPU where there is one
    frames_per_s: int = 30
    frame_lead_s: float = 0.030
    bit_rate_bps: int = 1_500_000  # that pictures may cost at most
    video_codec: str = "h264"
    microphone: str = "own"  # how the viewer's voice is received; "aiortc" is what benchmarks compare with
    request_timeout_s: float = 10.0
    training_threads: int = 2
    max_sessions: int = 200  # then the process ends and its supervisor starts a fresh one; aiortc leaks a little
    dialogue: DialogueConfig = DialogueConfig()  # brains, voices and ears other than the embedded ones
    build_sha256: str = ""


def from_environment(environment: Mapping[str, str] = os.environ) -> WorkerConfig:
    """Read and check every setting.

    Raises:
        WorkerConfigError: naming the variable, for anything missing, unreadable or out of range.
    """
    worker_id = _required(environment, "TRUSTCORE_WORKER_ID")
    return WorkerConfig(
        control_url=_required(environment, "TRUSTCORE_CONTROL_URL").rstrip("/"),
        worker_id=worker_id,
        slot_id=environment.get("TRUSTCORE_WORKER_SLOT_ID", f"{worker_id}-0"),
        identity=_identity(environment),
        grant_keys=_grant_keys(environment),
        kinds=_kinds(environment),
        size_px=_integer(environment, "TRUSTCORE_WORKER_SIZE_PX", 256, 64, 1024),
        is_tuned=not environment.get("TRUSTCORE_WORKER_SIZE_PX"),
        most_splats=_integer(environment, "TRUSTCORE_WORKER_SPLATS", 100_000, 1000, 100_000),
        renderer=_one_of(environment, "TRUSTCORE_WORKER_RENDERER", ("auto", "cpu", "gpu")),
        frames_per_s=_integer(environment, "TRUSTCORE_WORKER_FRAMES_PER_S", 30, 1, 60),
        bit_rate_bps=_integer(environment, "TRUSTCORE_WORKER_BIT_RATE_BPS", 1_500_000, 100_000, 5_000_000),
        video_codec=_one_of(environment, "TRUSTCORE_WORKER_VIDEO_CODEC", tuple(CODECS)),
        microphone=_one_of(environment, "TRUSTCORE_WORKER_MICROPHONE", ("own", "aiortc")),
        training_threads=_integer(environment, "TRUSTCORE_WORKER_TRAINING_THREADS", 2, 1, 64),
        max_sessions=_integer(environment, "TRUSTCORE_WORKER_MAX_SESSIONS", 200, 1, 1_000_000),
        dialogue=dialogue_from(environment, WorkerConfigError),
        build_sha256=build_sha256(),
    )


def build_sha256() -> str:
    """One hash over the worker's own source files, in name order; it goes into every claim."""
    digest = hashlib.sha256()
    for root in BUILD_PATHS:
        path = REPOSITORY / root
        for source in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(source.relative_to(REPOSITORY).as_posix().encode() + b"\x00")
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise WorkerConfigError(f"{name} is not set. The worker needs it to start.")
    return value


def _integer(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdigit() or not low <= int(text) <= high:
        raise WorkerConfigError(f"{name} must be a number from {low} to {high}, not {text!r}.")
    return int(text)


def _one_of(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The setting, which must be one of the choices; the first where it is not set."""
    value = environment.get(name, choices[0])
    if value not in choices:
        raise WorkerConfigError(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def _kinds(environment: Mapping[str, str]) -> tuple[str, ...]:
    kinds = tuple(part.strip() for part in environment.get("TRUSTCORE_WORKER_KINDS", "session,training").split(","))
    if not kinds or any(kind not in ("session", "training") for kind in kinds):
        raise WorkerConfigError("TRUSTCORE_WORKER_KINDS must name session, training or both, with a comma between.")
    return kinds


def _identity(environment: Mapping[str, str]) -> SigningKey:
    name = "TRUSTCORE_WORKER_KEY_FILE"
    path = Path(_required(environment, name))
    try:
        return SigningKey(unb64(path.read_text().strip()))
    except (OSError, ValueError) as error:
        raise WorkerConfigError(f"{name}: {path} must hold a 32-byte Ed25519 seed as URL-safe base64.") from error


def _grant_keys(environment: Mapping[str, str]) -> Mapping[str, VerifyKey]:
    name = "TRUSTCORE_GRANT_KEYS_FILE"
    path = Path(_required(environment, name))
    try:
        keys = [VerifyKey(unb64(text)) for text in json.loads(path.read_text()).values()]
    except (OSError, ValueError, AttributeError) as error:
        raise WorkerConfigError(f"{name}: {path} must be a JSON object {{kid: public key in base64}}.") from error
    if not keys or any(len(key.public_bytes) != 32 for key in keys):
        raise WorkerConfigError(f"{name}: {path} must name at least one 32-byte public key.")
    return {key.kid: key for key in keys}
