"""The key hierarchy on a real keystore: context binding, events of unwraps, destruction, release."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings

from trustcore.audit import recording
from trustcore.audit.models import Event
from trustcore.keys.errors import BlobDamaged, BlobMissing, KeyExists, KeyHeld, KeyMissing
from trustcore.keys.models import Blob, DataKey
from trustcore.keys.services import blobs, data_keys, holds, personal_detail, release, signing_keys, subject_keys
from trustcore.primitives.canonical import canonical_bytes, from_canonical
from trustcore.primitives.envelope import hpke_open
from trustcore.primitives.errors import EnvelopeInvalid
from trustcore.primitives.ids import new_id
from trustcore.primitives.signing import unb64

pytestmark = pytest.mark.django_db
ACTOR = recording.Actor.system("test")
SECRET = b"the face of a person" * 2000


@pytest.fixture
def subject() -> str:
    public_id = new_id("subject")
    subject_keys.create(public_id, actor=ACTOR, tenant="studio")
    return public_id


def test_blob_opens_only_as_what_it_is_and_opening_is_an_event(subject: str) -> None:
    ref = blobs.put(subject, "studio/footage/f1", SECRET, actor=ACTOR)
    assert blobs.get(ref.public_id, "studio/footage/f1", purpose="training", actor=ACTOR) == SECRET
    event = Event.objects.filter(action="key.unwrapped").latest("id")
    assert event.details["open"] == {"purpose": "training", "context": "studio/footage/f1"}
    with pytest.raises(EnvelopeInvalid):
        blobs.get(ref.public_id, "studio/footage/f2", purpose="training", actor=ACTOR)


def test_nothing_on_disk_is_in_the_clear(subject: str) -> None:
    ref = blobs.put(subject, "c", SECRET, actor=ACTOR)
    assert SECRET[:20] not in blobs.ciphertext_path(ref.public_id).read_bytes()


def test_data_key_moved_to_another_subject_or_context_does_not_open(subject: str) -> None:
    other = new_id("subject")
    subject_keys.create(other, actor=ACTOR, tenant="studio")
    mine, theirs = (data_keys.new(who, "replica/1", actor=ACTOR) for who in (subject, other))
    row = DataKey.objects.get(public_id=mine.id)
    with recording.recording(actor=ACTOR, action=recording.Action.KEY_CREATED, obj=row):
        row.wrapped = DataKey.objects.get(public_id=theirs.id).wrapped
        row.save()
    for key_id, context in ((mine.id, "replica/1"), (theirs.id, "replica/2")):
        with pytest.raises(EnvelopeInvalid):
            data_keys.unwrap(key_id, purpose="test", actor=ACTOR, context=context)
    assert data_keys.unwrap(theirs.id, purpose="test", actor=ACTOR, context="replica/1") == theirs.plaintext


def test_destroyed_key_takes_everything_with_it_and_never_comes_back(subject: str) -> None:
    ref = blobs.put(subject, "c", SECRET, actor=ACTOR)
    subject_keys.destroy(subject, actor=ACTOR, reason="withdrawn")
    assert not subject_keys.exists(subject)
    assert not (Path(settings.KEYSTORE_DIR) / "subjects" / f"{subject}.key").exists()
    with pytest.raises(KeyMissing):
        blobs.get(ref.public_id, "c", purpose="test", actor=ACTOR)
    with pytest.raises(KeyMissing):
        data_keys.new(subject, "c", actor=ACTOR)
    with pytest.raises(KeyExists):
        subject_keys.create(subject, actor=ACTOR, tenant="studio")
    acts = list(Event.objects.filter(object_id=subject).order_by("id").values_list("action", flat=True))
    assert acts == ["key.created", "key.destruction_begun", "key.destroyed"]


def test_destruction_resumes_after_a_crash_between_the_two_events(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(path: Path) -> bool:
        raise SystemExit(path)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr("trustcore.keys.keystore.remove", crash)
        subject_keys.destroy(subject, actor=ACTOR, reason="withdrawn")
    with pytest.raises(KeyMissing):  # between the two the key counts as gone
        data_keys.new(subject, "c", actor=ACTOR)
    subject_keys.destroy(subject, actor=ACTOR, reason="withdrawn")
    assert Event.objects.filter(object_id=subject, action="key.destroyed").count() == 1


def test_legal_hold_refuses_destruction(subject: str) -> None:
    hold = holds.place(subject, tenant="studio", actor=ACTOR, reason="case 12")
    with pytest.raises(KeyHeld):
        subject_keys.destroy(subject, actor=ACTOR, reason="withdrawn")
    assert subject_keys.exists(subject)
    holds.lift(hold, actor=ACTOR, reason="case closed")
    subject_keys.destroy(subject, actor=ACTOR, reason="withdrawn")
    assert not subject_keys.exists(subject)


def test_damaged_and_missing_ciphertext_are_told_apart(subject: str) -> None:
    ref = blobs.put(subject, "c", SECRET, actor=ACTOR)
    path = blobs.ciphertext_path(ref.public_id)
    stored = path.read_bytes()
    path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    with pytest.raises(BlobDamaged):
        blobs.ciphertext(ref.public_id)
    path.unlink()
    with pytest.raises(BlobMissing):
        blobs.ciphertext(ref.public_id)


def test_deleted_blob_leaves_its_row_and_no_file(subject: str) -> None:
    ref = blobs.put(subject, "c", SECRET, actor=ACTOR)
    path = blobs.ciphertext_path(ref.public_id)
    blobs.delete(ref.public_id, actor=ACTOR, reason="retention")
    assert not path.exists()
    assert Blob.objects.get(public_id=ref.public_id).deleted_at is not None
    with pytest.raises(BlobMissing):
        blobs.ciphertext(ref.public_id)


def test_release_opens_only_with_the_slots_key_and_the_same_aad(subject: str) -> None:
    ref = blobs.put(subject, "studio/replica/r1/1/model", SECRET, actor=ACTOR)
    write = data_keys.new(subject, "studio/replica/r1/2", actor=ACTOR)
    slot, aad = X25519PrivateKey.generate(), {"lease_id": "z1", "epoch": 1}
    sealed = release.seal_keys(
        actor=recording.Actor.worker("w1"),
        lease=recording.ObjectRef("lease", "z1", tenant="studio", subject=subject),
        info=b"info",
        aad=aad,
        ephemeral_public=slot.public_key().public_bytes_raw(),
        read={"model": ref.public_id},
        write_key_id=write.id,
        write_contexts={"out": "studio/replica/r1/2/out"},
        extra={"mark": None},
    )
    keys = from_canonical(hpke_open(slot, b"info", canonical_bytes(aad), unb64(sealed)))
    assert unb64(keys["write"]) == write.plaintext
    assert keys["contexts"] == {"model": "studio/replica/r1/1/model", "out": "studio/replica/r1/2/out"}
    for key, other_aad in ((X25519PrivateKey.generate(), aad), (slot, {"lease_id": "z1", "epoch": 2})):
        with pytest.raises(EnvelopeInvalid):
            hpke_open(key, b"info", canonical_bytes(other_aad), unb64(sealed))
    assert Event.objects.filter(action="key.released", object_id="z1").exists()


def test_personal_detail_of_an_event_dies_with_the_key(subject: str) -> None:
    obj = recording.ObjectRef("consent", "n1", tenant="studio", subject=subject)
    with recording.recording(actor=ACTOR, action=recording.Action.CONSENT_GIVEN, obj=obj) as event:
        event.add_personal(name="Asha Example")
    row = Event.objects.get(public_id=event.public_id)
    assert "Asha" not in str(row.details) and b"Asha" not in bytes(row.body)
    read = {"actor": ACTOR, "purpose": "audit"}
    assert b"Asha" in personal_detail.decrypt(subject, row.public_id, row.details["personal"], **read)
    subject_keys.destroy(subject, actor=ACTOR, reason="withdrawn")
    with pytest.raises(KeyMissing):
        personal_detail.decrypt(subject, row.public_id, row.details["personal"], **read)


def test_signing_keys_are_one_per_purpose_and_stay() -> None:
    assert signing_keys.get("grant").kid == signing_keys.get("grant").kid
    assert signing_keys.get("grant").kid != signing_keys.get("receipt").kid
    with pytest.raises(ValueError, match="not a purpose"):
        signing_keys.get("anything")
