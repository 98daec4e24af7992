"""The Cedar policy files and their hash. PURE: every decision and every audit event names the policy it ran under."""

import functools
import hashlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def policy_paths() -> list[Path]:
    """The policy files and their schema, in a fixed order."""
    return sorted([*FOLDER.glob("*.cedar"), *FOLDER.glob("*.cedarschema")])


@functools.cache
def policy_sha256() -> str:
    """Hex hash over names and bytes of all policy files, lengths first so that no two sets of files collide."""
    digest = hashlib.sha256()
    for path in policy_paths():
        content = path.read_bytes()
        digest.update(f"{path.name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
