"""Write the development secrets: `python manage.py init_state`. Safe to run twice: what exists is left alone."""

import os
import secrets
import warnings
from pathlib import Path

from trustcore.primitives.errors import Fault

REPOSITORY = Path(__file__).resolve().parent.parent

# One file each under <state>/secrets; settings read them by the same names.
SECRET_NAMES = ("trustcore_secret_key", "trustcore_root_kek")
FOLDERS = ("secrets", "keystore", "blobs", "broker", "cache")


class StateUnwritable(Fault):
    """The state directory cannot be written."""

    code = "state.unwritable"


class DevelopmentSecretsWarning(UserWarning):
    """Secrets lie in plain files beside the data they protect."""


def state_dir() -> Path:
    """Where everything this installation knows is kept: TRUSTCORE_STATE_DIR, else `var` in the checkout."""
    return Path(os.environ.get("TRUSTCORE_STATE_DIR", REPOSITORY / "var")).resolve()


def write_missing(state: Path) -> list[str]:
    """Create the folders and the secrets that are missing. Returns the names of the secrets written now."""
    written = []
    try:
        for folder in FOLDERS:
            (state / folder).mkdir(parents=True, exist_ok=True)
        for private in ("secrets", "keystore"):
            (state / private).chmod(0o700)
        for name in SECRET_NAMES:
            if _write_once(state / "secrets" / name, secrets.token_hex(32)):
                written.append(name)
    except OSError as error:
        raise StateUnwritable(
            f"The state directory {state} cannot be written: {error}. Set TRUSTCORE_STATE_DIR."
        ) from error
    return written


def _write_once(path: Path, text: str) -> bool:
    """Create the file for its owner only. Exclusive creation, so two set-ups at once agree on one secret."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return True


def main() -> None:
    state = state_dir()
    for name in write_missing(state):
        warnings.warn(
            f"wrote development secret {state / 'secrets' / name}: never use it in production",
            DevelopmentSecretsWarning,
            stacklevel=2,
        )
    print(f"state is ready in {state}")  # noqa: T201 (a command of its own)
