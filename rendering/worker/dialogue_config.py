"""Which services, programs and models take part in conversations, read once from the environment.

Nothing set means the embedded parts. A key stands in a file, never in a setting: settings are printed and inherited.
"""

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from rendering.dialogue.choice import DialogueConfig
from rendering.dialogue.service import Bounds, Service

MAX_KEY_CHARS = 4096
LONGEST_WAIT_S = 120.0
LEAST_SIGNING_KEY_CHARS = 32

Wrong = Callable[[str], ValueError]  # makes the error for a setting that is wrong


def dialogue_from(environment: Mapping[str, str], wrong: Wrong) -> DialogueConfig:
    """Read and check every setting of the conversation. Raises what `wrong` makes, naming the variable."""
    usual = DialogueConfig()
    read = _Reader(environment, wrong)
    chat = read.service(
        "TRUSTCORE_CHAT_URL", "TRUSTCORE_CHAT_MODEL", "TRUSTCORE_CHAT_KEY_FILE")
    speech = read.service(
        "TRUSTCORE_SPEECH_URL", "TRUSTCORE_SPEECH_MODEL", "TRUSTCORE_SPEECH_KEY_FILE")
    transcription = read.service(
        "TRUSTCORE_TRANSCRIPTION_URL", "TRUSTCORE_TRANSCRIPTION_MODEL", "TRUSTCORE_TRANSCRIPTION_KEY_FILE")
    return DialogueConfig(
        chat=chat, chat_bounds=read.bounds("TRUSTCORE_CHAT_BOUNDS_S", usual.chat_bounds),
        chat_addresses=read.addresses("TRUSTCORE_CHAT_ADDRESSES"),
        speech=speech, speech_bounds=read.bounds("TRUSTCORE_SPEECH_BOUNDS_S", usual.speech_bounds),
        speech_voice=read.text("TRUSTCORE_SPEECH_VOICE"), speech_form=read.form("TRUSTCORE_SPEECH_FORM"),
        voice_command=read.command("TRUSTCORE_VOICE_COMMAND"),
        voice_rate_hz=read.rate_hz("TRUSTCORE_VOICE_RATE_HZ", usual.voice_rate_hz),
        voice_bounds=read.bounds("TRUSTCORE_VOICE_BOUNDS_S", usual.voice_bounds),
        transcription=transcription,
        transcription_bounds=read.bounds("TRUSTCORE_TRANSCRIPTION_BOUNDS_S", usual.transcription_bounds),
        whisper_folder=read.folder("TRUSTCORE_WHISPER_FOLDER"),
        whisper_within_s=read.seconds("TRUSTCORE_WHISPER_WITHIN_S", usual.whisper_within_s),
        tools_address=read.webhook("TRUSTCORE_TOOLS_URL", "TRUSTCORE_TOOLS_KEY_FILE"),
        tools_key=read.signing_key("TRUSTCORE_TOOLS_KEY_FILE"),
        tools_bounds=read.bounds("TRUSTCORE_TOOLS_BOUNDS_S", usual.tools_bounds))


class _Reader:
    def __init__(self, environment: Mapping[str, str], wrong: Wrong) -> None:
        self._environment, self._wrong = environment, wrong

    def text(self, name: str) -> str:
        return self._environment.get(name, "").strip()

    def service(self, url_name: str, model_name: str, key_name: str) -> Service | None:
        """None where no address is set."""
        if not self.text(url_name):
            if self.text(key_name):
                raise self._wrong(f"{key_name} is set without {url_name}. Set both or neither.")
            return None
        key = self._key(key_name) if self.text(key_name) else ""
        return Service(self._address(url_name, self.text(url_name)), self.text(model_name) or "default", key)

    def webhook(self, url_name: str, key_name: str) -> str:
        """An address that is asked with signed requests alone; "" where none is set."""
        if bool(self.text(url_name)) != bool(self.text(key_name)):
            raise self._wrong(f"{url_name} and {key_name} belong together. Set both or neither.")
        return self._address(url_name, self.text(url_name)) if self.text(url_name) else ""

    def signing_key(self, name: str) -> bytes:
        key = self._key(name).encode() if self.text(name) else b""
        if key and len(key) < LEAST_SIGNING_KEY_CHARS:
            raise self._wrong(f"{name}: a key of less than {LEAST_SIGNING_KEY_CHARS} characters can be guessed.")
        return key

    def addresses(self, name: str) -> tuple[str, ...]:
        return tuple(self._address(name, one.strip()) for one in self.text(name).split(",") if one.strip())

    def bounds(self, name: str, usual: Bounds) -> Bounds:
        """Seconds until the first piece, between two pieces, and in all."""
        if not self.text(name):
            return usual
        try:
            first_s, between_s, total_s = (float(part) for part in self.text(name).split(","))
        except ValueError as error:
            raise self._wrong(f"{name} must be three numbers of seconds, such as 3,2,30.") from error
        if not all(0.1 <= wait_s <= LONGEST_WAIT_S for wait_s in (first_s, between_s, total_s)):
            raise self._wrong(f"{name} must hold seconds from 0.1 to {LONGEST_WAIT_S:.0f}.")
        return Bounds(first_s, between_s, total_s)

    def seconds(self, name: str, usual: float) -> float:
        try:
            wait_s = float(self.text(name) or usual)
        except ValueError as error:
            raise self._wrong(f"{name} must be a number of seconds, such as 5.") from error
        if not 0.1 <= wait_s <= LONGEST_WAIT_S:
            raise self._wrong(f"{name} must hold seconds from 0.1 to {LONGEST_WAIT_S:.0f}.")
        return wait_s

    def command(self, name: str) -> tuple[str, ...]:
        """Program and arguments, quoted as in a shell, which never sees them."""
        try:
            return tuple(shlex.split(self.text(name)))
        except ValueError as error:
            raise self._wrong(f"{name} has a quote that does not end.") from error

    def form(self, name: str) -> Literal["pcm", "wav"]:
        value = self.text(name) or "pcm"
        if value == "pcm":
            return "pcm"
        if value == "wav":
            return "wav"
        raise self._wrong(f"{name} must be pcm or wav, not {value!r}.")

    def rate_hz(self, name: str, usual: int) -> int:
        value = self.text(name) or str(usual)
        if not value.isdigit() or not 8_000 <= int(value) <= 96_000:
            raise self._wrong(f"{name} must be a number from 8000 to 96000, not {value!r}.")
        return int(value)

    def folder(self, name: str) -> Path | None:
        if not self.text(name):
            return None
        path = Path(self.text(name))
        if not path.is_dir():
            raise self._wrong(f"{name}: {path} is no folder.")
        return path

    def _address(self, name: str, value: str) -> str:
        try:
            parts = urlsplit(value)
            is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_whole = False
        if not is_whole or "@" in parts.netloc or parts.query or parts.fragment:
            raise self._wrong(f"{name} must be http:// or https:// addresses without user, query or fragment.")
        return value.rstrip("/")

    def _key(self, name: str) -> str:
        path = Path(self.text(name))
        try:
            key = path.read_text().strip()
        except (OSError, ValueError) as error:
            raise self._wrong(f"{name}: {path} cannot be read{_because(error)}.") from error
        if not key or len(key) > MAX_KEY_CHARS or not (key.isascii() and key.isprintable()) or " " in key:
            raise self._wrong(f"{name}: {path} must hold one key and nothing else.")
        return key


def _because(error: Exception) -> str:
    return f": {os.strerror(error.errno)}" if isinstance(error, OSError) and error.errno else ""
