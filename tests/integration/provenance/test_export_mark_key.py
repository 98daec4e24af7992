"""Handing out a watermark key."""

import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from provenance.marks.keys import MarkKey, PresenceKey, key_from_file
from trustcore.audit.models import Event
from trustcore.keys.errors import KeyMissing
from trustcore.keys.services import mark_keys

pytestmark = pytest.mark.django_db


def test_key_is_written_once_for_its_owner_only_and_on_the_record(tmp_path: Path) -> None:
    path = tmp_path / "mark.key"
    call_command("export_mark_key", out=path)
    found = key_from_file(path.read_bytes())
    assert isinstance(found, MarkKey) and found.epoch_key == mark_keys.current().key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Event.objects.filter(action="key.unwrapped", object_type="mark_key").count() == 1
    with pytest.raises(CommandError, match="was not written"):
        call_command("export_mark_key", out=path)


def test_unknown_epoch_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing):
        call_command("export_mark_key", out=tmp_path / "x", epoch="1999")


def test_auditor_gets_a_presence_key_on_the_record(tmp_path: Path) -> None:
    path = tmp_path / "presence.key"
    call_command("export_presence_key", out=path, whom="Erin of Example Audit")
    epoch = mark_keys.current()
    found = key_from_file(path.read_bytes())
    assert isinstance(found, PresenceKey) and found.key == MarkKey(epoch.key).presence_key()
    assert epoch.key.hex() not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    event = Event.objects.get(action="key.unwrapped", object_type="mark_key")
    assert event.details["open"]["holder"] == "Erin of Example Audit"
    with pytest.raises(CommandError, match="for whom"):
        call_command("export_presence_key", out=tmp_path / "x", whom=" ")
