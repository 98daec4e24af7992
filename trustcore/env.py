"""Settings come from the environment through these functions. A wrong value stops the start, with the variable's name.

Every name may be given as `NAME` (the value) or `NAME_FILE` (a file that holds it). A secret may also lie in
`<state>/secrets/<name in lower case>`, where `manage.py init_state` puts the development secrets.
"""

import os
from pathlib import Path


class SettingInvalid(ValueError):
    """A setting is missing or cannot be read. The message names the variable and says what to do."""


def env_str(name: str, default: str | None = None) -> str:
    """The text of `name`, from the variable or from the file named by `NAME_FILE`.

    Raises:
        SettingInvalid: neither is set and there is no default, or the named file cannot be read.
    """
    path = os.environ.get(f"{name}_FILE")
    if path is not None:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingInvalid(f"{name}_FILE names {path}, which cannot be read: {error}") from error
    value = os.environ.get(name, default)
    if value is None:
        raise SettingInvalid(f"{name} is not set: set {name} or {name}_FILE")
    return value


def env_bool(name: str, default: bool) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off (any case)."""
    text = env_str(name, "1" if default else "0").lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise SettingInvalid(f"{name} must be true or false, not {text!r}")


def env_int(name: str, default: int, *, minimum: int = 0) -> int:
    text = env_str(name, str(default))
    try:
        value = int(text)
    except ValueError as error:
        raise SettingInvalid(f"{name} must be a whole number, not {text!r}") from error
    if value < minimum:
        raise SettingInvalid(f"{name} must be at least {minimum}, not {value}")
    return value


def env_list(name: str, default: str) -> list[str]:
    """Comma-separated words, spaces trimmed, empty ones dropped."""
    return [word.strip() for word in env_str(name, default).split(",") if word.strip()]


def env_secret(name: str, secrets_dir: Path) -> str:
    """A secret without a default: `NAME`, else `NAME_FILE`, else the file in `secrets_dir`.

    Raises:
        SettingInvalid: no secret is found, or it is shorter than 32 characters.
    """
    stored = secrets_dir / name.lower()
    if name in os.environ or f"{name}_FILE" in os.environ:
        value = env_str(name)
    elif stored.exists():
        value = stored.read_text(encoding="utf-8").strip()
    else:
        raise SettingInvalid(
            f"{name} is not set: set {name} or {name}_FILE, "
            "or run `python manage.py init_state` to write development secrets"
        )
    if len(value) < 32:
        raise SettingInvalid(f"{name} is too short: a secret has at least 32 characters")
    return value


def env_choice(name: str, choices: tuple[str, ...]) -> str:
    """One of `choices`; the first where it is not set."""
    value = env_str(name, choices[0])
    if value not in choices:
        raise SettingInvalid(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def env_pairs(name: str, *, longest: int = 40) -> dict[str, str]:
    """`key=value` pairs with commas between; no value is longer than `longest` characters."""
    found = {}
    for part in env_list(name, ""):
        key, equals, value = (text.strip() for text in part.partition("="))
        if not equals or not key or not 0 < len(value) <= longest:
            raise SettingInvalid(f"{name} has key=value pairs with commas between, not {part!r}")
        found[key] = value
    return found
