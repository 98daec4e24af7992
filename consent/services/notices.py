"""Publish the notices that ship with the product. A published notice never changes; new words are a new version."""

import json
from pathlib import Path
from typing import Any

from consent.errors import NoticeMissing
from consent.models import Notice
from trustcore.audit import recording
from trustcore.primitives.hashing import statement_sha256

FOLDER = Path(__file__).resolve().parent.parent / "notices"
PUBLISHER = recording.Actor.system("notices")


def current(language: str) -> Notice:
    """The newest notice in this language, else in English. Publishes it when this database does not hold it yet."""
    path = _newest_file(language) or _newest_file("en")
    if path is None:
        raise NoticeMissing("The notices are missing. Reinstall the service.")
    version, file_language = path.stem.split(".")
    found = Notice.objects.filter(version=int(version), language=file_language).first()
    return found or _publish(int(version), file_language, json.loads(path.read_text(encoding="utf-8")))


def languages() -> tuple[str, ...]:
    """The languages a notice exists in."""
    return tuple(sorted({path.stem.split(".")[1] for path in FOLDER.glob("*.json")}))


def _newest_file(language: str) -> Path | None:
    files = sorted(FOLDER.glob(f"*.{language}.json"), key=lambda path: int(path.stem.split(".")[0]))
    return files[-1] if files else None


def _publish(version: int, language: str, body: dict[str, Any]) -> Notice:
    digest = statement_sha256({"version": version, "language": language, "body": body})
    notice = Notice(version=version, language=language, body=body, sha256=digest)
    with recording.recording(actor=PUBLISHER, action=recording.Action.NOTICE_PUBLISHED, obj=notice):
        notice.save()
    return notice
