"""The log: numbering, proofs, chains, checkpoints; and every single change to it is found."""

import json
import threading

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections, transaction

from trustcore.audit import recording, selectors
from trustcore.audit.errors import EntryMissing, SequencerBusy
from trustcore.audit.management.commands.verify_audit import verify
from trustcore.audit.models import Checkpoint, Entry, Event, QueuedEvent
from trustcore.audit.sequencer import BATCH_ROWS, LEADER_LOCK, Sequencer, log_key, settle
from trustcore.primitives import merkle
from trustcore.primitives.errors import ProofInvalid, SignatureInvalid
from trustcore.primitives.log_entries import ScopeHead, open_proof, scope_leaf

SYSTEM = recording.Actor.system("test")


@pytest.fixture(autouse=True)
def _log_key_is_made(db: None) -> None:
    """Making the key is an event of its own; have it done before anything is counted."""
    with transaction.atomic():
        log_key()
        transaction.set_rollback(True)


def _happen(count: int, tenant: str = "studio", subject: str = "") -> None:
    for number in range(count):
        obj = recording.ObjectRef("persona", f"p{number}", tenant=tenant, subject=subject)
        with recording.recording(actor=SYSTEM, action=recording.Action.PERSONA_CREATED, obj=obj) as event:
            event.add(number=number)


@pytest.mark.django_db
def test_numbers_follow_without_gap_and_the_queue_empties() -> None:
    _happen(5)
    assert Sequencer().drain() == 5
    _happen(2)
    assert Sequencer().drain() == 2
    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(7))
    assert not QueuedEvent.objects.exists()
    assert verify().size == 7


@pytest.mark.django_db
def test_more_than_one_batch_and_memory_agree_with_a_fresh_start() -> None:
    sequencer = Sequencer()
    _happen(3)
    sequencer.drain()
    _happen(BATCH_ROWS + 10)
    assert sequencer.drain() == BATCH_ROWS + 10
    _happen(1)
    Sequencer().drain()
    report = verify()
    leaves = [bytes(row) for row in Entry.objects.order_by("seq").values_list("leaf_hash", flat=True)]
    assert report.root == merkle.root(leaves) == bytes(Checkpoint.objects.latest("size").root)
    assert report.checkpoints == 3 and report.unsigned_tail == 0


@pytest.mark.django_db
def test_every_inclusion_and_consistency_proof_verifies() -> None:
    sequencer, sizes = Sequencer(), []
    for count in (1, 2, 4, 6):
        _happen(count)
        sequencer.drain()
        sizes.append(selectors.size())
    key, newest = log_key().verify_key, Checkpoint.objects.latest("size")
    for seq in range(newest.size):
        proof = selectors.inclusion_proof(seq)
        assert open_proof(proof.to_text(), selectors.entry(seq).leaf, settings.LOG_ORIGIN, key)[0] == seq
    roots = {row.size: bytes(row.root) for row in Checkpoint.objects.all()}
    for old in sizes:
        for new in sizes:
            if old <= new:
                merkle.verify_consistency(old, new, roots[old], roots[new], selectors.consistency_proof(old, new))


@pytest.mark.django_db
def test_proof_of_one_entry_does_not_prove_another() -> None:
    _happen(6)
    Sequencer().drain()
    key = log_key().verify_key
    with pytest.raises(ProofInvalid):
        open_proof(selectors.inclusion_proof(2).to_text(), selectors.entry(3).leaf, settings.LOG_ORIGIN, key)
    with pytest.raises(EntryMissing):
        selectors.inclusion_proof(6)


@pytest.mark.django_db
def test_a_subjects_export_proves_that_it_is_whole() -> None:
    _happen(3, subject="s1")
    _happen(4, tenant="elsewhere", subject="s2")
    _happen(2, subject="s1")
    Sequencer().drain()
    checkpoint, scope = Checkpoint.objects.latest("size"), selectors.scope_of_subject("s1")
    chain = selectors.entries_of_scope(scope)
    proof = selectors.scope_proof(scope, checkpoint)
    assert proof["n"] == len(chain) == 5
    assert proof["last"] == chain[-1].leaf_hash.hex()
    leaf = scope_leaf(scope, ScopeHead(proof["n"], bytes.fromhex(proof["last"])))
    path = [bytes.fromhex(value) for value in proof["hashes"]]
    merkle.verify_inclusion(merkle.leaf_hash(leaf), proof["index"], proof["size"], path, bytes(checkpoint.scopes_root))
    links = [link for entry in chain for link in json.loads(entry.leaf)["scopes"] if link["scope"] == scope]
    assert [link["n"] for link in links] == [1, 2, 3, 4, 5]
    assert [link["prev"] for link in links] == ["", *(entry.leaf_hash.hex() for entry in chain[:-1])]


@pytest.mark.django_db
def test_search_stays_inside_its_tenant() -> None:
    _happen(2)
    _happen(3, tenant="elsewhere")
    Sequencer().drain()
    assert len(selectors.search(tenant="studio")) == 2
    assert {entry.body["tenant"] for entry in selectors.search(tenant="elsewhere", action="persona.")} == {"elsewhere"}
    assert selectors.search(tenant="studio", object_id="p2") == []


@pytest.mark.django_db
def test_refusal_is_an_event_with_its_reason() -> None:
    recording.refused(
        actor=SYSTEM,
        action=recording.Action.CONVERSATION_REFUSED,
        obj=recording.ObjectRef("replica", "r1", tenant="studio"),
        reason="consent.withdrawn",
        details={"reasons": ["consent.withdrawn"]},
    )
    Sequencer().drain()
    body = selectors.search(tenant="studio", outcome="refused")[0].body
    assert (body["action"], body["reason"], body["outcome"]) == ("conversation.refused", "consent.withdrawn", "refused")


_EVENT, _ENTRY = "trustcore_audit_event", "trustcore_audit_entry"
CHANGES = {
    "body": f"UPDATE {_EVENT} SET body = replace(convert_from(body, 'UTF8'), 'persona', 'replica')::bytea"
    " WHERE object_id = 'p2'",
    "details": f"UPDATE {_EVENT} SET details = jsonb_set(details, '{{open,number}}', '99') WHERE object_id = 'p2'",
    "leaf": f"UPDATE {_ENTRY} SET leaf = replace(convert_from(leaf, 'UTF8'),"
    " '\"n\":3', '\"n\":4')::bytea WHERE seq = 2",
    "deleted": f"DELETE FROM {_ENTRY} WHERE seq = 2",
    "cut": f"DELETE FROM {_ENTRY} WHERE seq = 5",
    "swapped": f"UPDATE {_ENTRY} a SET event_id = b.event_id FROM {_ENTRY} b"
    " WHERE (a.seq = 1 AND b.seq = 2) OR (a.seq = 2 AND b.seq = 1)",
    "node": "UPDATE trustcore_audit_node SET node_hash = decode(repeat('00', 32), 'hex') WHERE level = 2",
    "checkpoint": "UPDATE trustcore_audit_checkpoint SET note = replace(note, E'\\n6\\n', E'\\n5\\n')",
    "lost event": "DELETE FROM trustcore_audit_queue",
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", CHANGES)
def test_any_single_change_by_the_database_owner_is_found(name: str) -> None:
    _happen(6)
    Sequencer().drain()
    if name == "lost event":
        _happen(1)
    assert verify().size == 6
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("event", "entry", "node", "checkpoint"):
            cursor.execute(f"ALTER TABLE trustcore_audit_{table} DISABLE TRIGGER ALL")
        if name == "swapped":
            cursor.execute("ALTER TABLE trustcore_audit_entry DROP CONSTRAINT trustcore_audit_entry_event_id_key")
        cursor.execute(CHANGES[name])
    with pytest.raises((ProofInvalid, SignatureInvalid, CommandError)):
        verify()
    with pytest.raises(CommandError):
        call_command("verify_audit")


@pytest.mark.django_db(transaction=True)
def test_gap_and_fork_are_refused_by_the_database() -> None:
    _happen(2)
    Sequencer().drain()
    _happen(1)
    event_id = QueuedEvent.objects.get().event_id
    for seq in (1, 3):
        with pytest.raises(Exception, match="log entry|duplicate"), connection.cursor() as cursor:
            cursor.execute("INSERT INTO trustcore_audit_entry VALUES (%s, '', '', 'tenant/x', '', %s)", [seq, event_id])


def _raw() -> psycopg.Connection:
    wanted = connection.settings_dict
    return psycopg.connect(
        host=wanted["HOST"],
        port=wanted["PORT"],
        user=wanted["USER"],
        dbname=wanted["NAME"],
        password=wanted["PASSWORD"],
    )


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_not_skipped() -> None:
    """Row 1 is inserted first and commits last: a reader of "everything after 2" would lose it."""
    columns = (
        "(public_id, xid, at, tenant, actor_type, actor_id, action, object_type, object_id, objects_covered,"
        " subject_commitment, outcome, body, details)"
    )
    values = "VALUES (%s, 0, now(), 'studio', 's', '', 'a', 't', 'i', '{}', '', 'done', %s, '{}')"
    body = bytes(_template_body())
    with _raw() as first, _raw() as second:
        first.execute(f"INSERT INTO trustcore_audit_event {columns} {values}", ["one", body])
        second.execute(f"INSERT INTO trustcore_audit_event {columns} {values}", ["two", body])
        second.commit()
        assert Sequencer().drain() == 2  # the template's own event, and "two"
        first.commit()
    assert Sequencer().drain() == 1
    assert list(Event.objects.filter(entry__isnull=False).order_by("entry__seq").values_list("public_id", flat=True))[
        1:
    ] == ["two", "one"]


def _template_body() -> bytes:
    _happen(1)
    return Event.objects.latest("id").body


@pytest.mark.django_db(transaction=True)
def test_one_leader_at_a_time() -> None:
    _happen(1)
    with _raw() as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LEADER_LOCK])
        with pytest.raises(SequencerBusy):
            Sequencer().drain()
        with pytest.raises(SequencerBusy):
            settle(timeout_s=0.2)
    settle()
    assert verify().size == 1


@pytest.mark.django_db(transaction=True)
def test_running_sequencer_numbers_events_as_they_come_and_stops() -> None:
    stop = threading.Event()

    def run() -> None:
        Sequencer().run(stop)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        _happen(20)
        settle()
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()
    assert verify().size == 20
