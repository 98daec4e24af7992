"""The database guard: no governed row changes without its event, whatever door the change came through."""

import pytest
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tests.common.passkeys import give_passkey
from trustcore.accounts.models import Organisation
from trustcore.accounts.services import people
from trustcore.audit import recording
from trustcore.audit.errors import UnauditedWrite
from trustcore.audit.guards import open_objects
from trustcore.audit.models import Event

SYSTEM = recording.Actor.system("test")
pytestmark = pytest.mark.django_db(transaction=True)


def _recorded(slug: str = "one") -> Organisation:
    organisation = Organisation(slug=slug, name="One")
    with recording.recording(actor=SYSTEM, action=recording.Action.ORGANISATION_CREATED, obj=organisation):
        organisation.save()
    return organisation


def _pretend_open(*keys: str) -> None:
    """Pass the Python ring without a recording, as code that means harm would."""
    open_objects.set(keys)


@pytest.fixture(autouse=True)
def _closed_ring():
    token = open_objects.set(())
    yield
    open_objects.reset(token)


def test_recorded_create_commits_with_its_change() -> None:
    organisation = _recorded()
    event = Event.objects.get()
    assert event.objects_covered == [f"organisation:{organisation.public_id}"]
    assert event.details["open"]["changed"]["slug"] == [None, "one"]
    assert Organisation.objects.count() == 1


def test_python_ring_refuses_create_save_update_delete_and_bulk() -> None:
    organisation = _recorded()
    organisation.name = "Two"
    for write in (
        lambda: Organisation.objects.create(slug="x", name="X"),
        organisation.save,
        organisation.delete,
        lambda: Organisation.objects.update(name="X"),
        lambda: Organisation._base_manager.update(name="X"),
        lambda: Organisation.objects.all().delete(),
        lambda: Organisation.objects.bulk_create([Organisation(slug="y", name="Y")]),
        lambda: Organisation.objects.bulk_update([organisation], ["name"]),
    ):
        with pytest.raises(UnauditedWrite):
            write()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trustcore_accounts_organisation SET name = 'Mallory'",
        "DELETE FROM trustcore_accounts_organisation",
        "INSERT INTO trustcore_accounts_organisation (public_id, slug, name, created_at)"
        " VALUES ('o9', 'm', 'M', now())",
    ],
)
def test_raw_sql_is_refused_at_commit(sql: str) -> None:
    _recorded()
    with pytest.raises(DatabaseError, match="unaudited"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert Organisation.objects.get().name == "One"


def test_forgotten_create_is_refused_at_commit() -> None:
    organisation = Organisation(slug="one", name="One")
    _pretend_open(f"organisation:{organisation.public_id}")
    with pytest.raises(DatabaseError, match="unaudited"):
        organisation.save()
    assert not Organisation.objects.exists()


def test_record_about_another_object_does_not_count() -> None:
    first = _recorded("one")
    second = Organisation(slug="two", name="Two")
    about_first = recording.recording(actor=SYSTEM, action=recording.Action.ORGANISATION_CREATED, obj=first)
    with pytest.raises(DatabaseError, match="unaudited"), about_first:
        _pretend_open(f"organisation:{second.public_id}")
        second.save()
    assert Organisation.objects.count() == 1


def test_record_rolled_back_in_savepoint_while_change_is_kept_is_refused() -> None:
    organisation = _recorded()
    _pretend_open(f"organisation:{organisation.public_id}")
    with pytest.raises(DatabaseError, match="unaudited"), transaction.atomic():
        organisation.name = "Kept"
        organisation.save(update_fields=["name"])
        with pytest.raises(KeyError), transaction.atomic():
            with recording.recording(actor=SYSTEM, action=recording.Action.POLICY_EDITED, obj=organisation):
                pass
            raise KeyError
    assert Organisation.objects.get().name == "One"


def test_change_in_savepoint_with_record_outside_commits() -> None:
    organisation = _recorded()
    with (
        recording.recording(actor=SYSTEM, action=recording.Action.POLICY_EDITED, obj=organisation),
        transaction.atomic(),
    ):
        organisation.name = "Two"
        organisation.save(update_fields=["name"])
    assert Organisation.objects.get().name == "Two"


def test_covered_object_may_change_in_the_same_act() -> None:
    first, second = _recorded("one"), Organisation(slug="two", name="Two")
    with recording.recording(actor=SYSTEM, action=recording.Action.POLICY_EDITED, obj=first) as event:
        event.covers(second)
        second.save()
    assert Organisation.objects.count() == 2


def test_event_says_what_changed_not_what_the_caller_claims() -> None:
    organisation = _recorded()
    with recording.recording(actor=SYSTEM, action=recording.Action.POLICY_EDITED, obj=organisation) as event:
        event.add(changed={"name": ["One", "One"]})
        organisation.name = "Two"
        organisation.save(update_fields=["name"])
    assert Event.objects.latest("id").details["open"]["changed"] == {"name": ["One", "Two"]}


@pytest.mark.parametrize("table", ["event", "entry", "node", "checkpoint"])
@pytest.mark.parametrize("act", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_log_tables_are_append_only_even_for_no_rows(table: str, act: str) -> None:
    name = f"trustcore_audit_{table}"
    statement = act.format(name).replace("SET id = id", "SET leaf = leaf" if table == "entry" else "SET id = id")
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_replication_role_does_not_lift_the_guard() -> None:
    _recorded()
    with pytest.raises(DatabaseError, match="unaudited"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE trustcore_accounts_organisation SET name = 'Mallory'")


def test_event_cannot_claim_another_transaction() -> None:
    organisation = _recorded()
    with connection.cursor() as cursor:
        cursor.execute("SELECT xid FROM trustcore_audit_event")
        first = cursor.fetchone()[0]
        cursor.execute(
            "INSERT INTO trustcore_audit_event (public_id, xid, at, tenant, actor_type, actor_id, action, object_type,"
            " object_id, objects_covered, subject_commitment, outcome, body, details)"
            " VALUES ('x', %s, now(), '', '', '', '', '', '', '{}', '', 'done', '', '{}')",
            [first],
        )
        cursor.execute("SELECT xid FROM trustcore_audit_event WHERE public_id = 'x'")
        assert cursor.fetchone()[0] > first
    assert organisation.pk


def test_a_passkey_cannot_be_planted_changed_or_taken_without_its_event() -> None:
    user = people.create_user(actor=SYSTEM, email="jonas@studio.example", display_name="Jonas")
    give_passkey(user)
    Authenticator.objects.update(last_used_at=timezone.now())  # each sign-in does; no event
    for harm in (
        lambda: Authenticator.objects.create(user=user, type="webauthn", data={"credential": {"id": "planted"}}),
        lambda: Authenticator.objects.update(data={"credential": {"id": "mine"}}),
        lambda: Authenticator.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="unaudited"), transaction.atomic():
            harm()
    assert Authenticator.objects.count() == 1
