"""The log's public face, checked with nothing but what it publishes."""

import base64

import pytest
from django.test import Client

from trustcore.audit import recording, selectors
from trustcore.audit.sequencer import Sequencer, log_key
from trustcore.primitives.checkpoints import open_checkpoint
from trustcore.primitives.merkle import verify_consistency
from trustcore.primitives.signing import VerifyKey

pytestmark = pytest.mark.django_db


def _happen(count: int) -> None:
    for number in range(count):
        obj = recording.ObjectRef("persona", f"p{number}", tenant="studio")
        with recording.recording(actor=recording.Actor.system("t"), action=recording.Action.PERSONA_CREATED, obj=obj):
            pass


def _published_key() -> tuple[str, VerifyKey]:
    origin, _, encoded = Client().get("/log/key").content.decode().strip().split("+", 2)
    return origin, VerifyKey(base64.b64decode(encoded)[1:])


def test_two_published_checkpoints_prove_consistent_with_the_published_key() -> None:
    log_key()
    assert Client().get("/log/checkpoint", headers={"accept": "application/json"}).status_code == 404
    notes, sequencer = [], Sequencer()
    for count in (3, 6):
        _happen(count)
        sequencer.drain()
        notes.append(Client().get("/log/checkpoint").content.decode())
    origin, key = _published_key()
    old, new = (open_checkpoint(note, origin, key) for note in notes)
    lines = Client().get(f"/log/consistency/{old.size}/{new.size}").content.split()
    verify_consistency(old.size, new.size, old.root, new.root, [base64.b64decode(line) for line in lines])
    assert new.size == selectors.size() > old.size
    headers = {"accept": "application/json"}
    assert Client().get(f"/log/consistency/{old.size}/{new.size + 1}", headers=headers).status_code == 404
    assert Client().get(f"/log/consistency/0/{new.size}", headers=headers).status_code == 404


def test_the_log_tells_strangers_nothing_about_what_happened() -> None:
    _happen(2)
    Sequencer().drain()
    for path in ("/log/checkpoint", "/log/key", "/log/consistency/1/2"):
        content = Client().get(path).content
        assert b"persona" not in content and b"studio" not in content
