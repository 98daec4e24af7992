"""The rings around governed rows: the Python guard (early, readable) and the database guard (final).

`AuditedModel` refuses a write outside a recording. `GuardTable`, a migration operation, installs the deferred
constraint trigger that refuses the commit of any changed row without an event about it in the same transaction. Only
the second is proof: raw SQL, the shell and a careless migration pass the first.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, ClassVar

from django.db import models
from django.db.migrations.operations.base import Operation

from trustcore.audit.errors import UnauditedWrite

# Keys ("type:public id") of the objects that the recordings open in this context cover.
open_objects: ContextVar[tuple[str, ...]] = ContextVar("trustcore_open_objects", default=())


def _require_recording(audit_type: str, public_id: str | None, act: str) -> None:
    covered = open_objects.get()
    if public_id is None:
        allowed = any(key.split(":", 1)[0] == audit_type for key in covered)
    else:
        allowed = f"{audit_type}:{public_id}" in covered
    if not allowed:
        raise UnauditedWrite(
            f"{act} of {audit_type} {public_id or '(several)'} outside `with recording.recording(...)` for it",
            audit_type=audit_type,
            public_id=public_id or "",
        )


class AuditedQuerySet(models.QuerySet[Any]):
    """A query set whose writes need an open recording for an object of its type."""

    def _guard(self, act: str, fields: Iterable[str] | None = None) -> None:
        model: Any = self.model
        if fields is None or model.is_guarded_write(fields):
            _require_recording(model.audit_type, None, act)

    def update(self, **fields: Any) -> int:
        self._guard("update", fields)
        return super().update(**fields)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._guard("delete")
        return super().delete()

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        rows = list(objs)
        for row in rows:
            _require_recording(row.audit_type, row.public_id, "create")
        return super().bulk_create(rows, *args, **kwargs)

    def bulk_update(self, objs: Iterable[Any], fields: Iterable[str], *args: Any, **kwargs: Any) -> int:
        rows, names = list(objs), list(fields)
        for row in rows:
            if row.is_guarded_write(names):
                _require_recording(row.audit_type, row.public_id, "update")
        return super().bulk_update(rows, names, *args, **kwargs)


class AuditedModel(models.Model):
    """A governed row. Give it a unique `public_id`, an `audit_type`, and the fields whose change the event shows.

    `audited_fields`: their values before and after go into the event. `guarded_fields`: None means that every column
    is governed; a tuple lets the other columns (last use, last sign-in) change without an event. Pass the same tuple
    as `columns` to `GuardTable`.
    """

    audit_type: ClassVar[str] = ""
    audited_fields: ClassVar[tuple[str, ...]] = ()
    guarded_fields: ClassVar[tuple[str, ...] | None] = None

    objects: ClassVar[Any] = AuditedQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding or self.is_guarded_write(kwargs.get("update_fields")):
            _require_recording(self.audit_type, str(self.public_id), "write")  # type: ignore[attr-defined]
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        _require_recording(self.audit_type, str(self.public_id), "delete")  # type: ignore[attr-defined]
        return super().delete(*args, **kwargs)

    @classmethod
    def is_guarded_write(cls, fields: Iterable[str] | None) -> bool:
        """Whether writing these fields (None: all of them) needs a recording."""
        if cls.guarded_fields is None or fields is None:
            return True
        names = set(fields)
        return any(name in names or f"{name}_id" in names for name in cls.guarded_fields)


class GuardTable(Operation):
    """Migration operation: no commit of a changed row in `db_table` without its event.

    Args:
        db_table: the governed table; it has a `public_id` column.
        audit_type: the type its events name.
        columns: None guards every column; else only inserts, deletes and updates that set one of these.

    The migration must depend on ("trustcore_audit", "0001_initial"), which holds the trigger's function.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, db_table: str, audit_type: str, columns: tuple[str, ...] | None = None) -> None:
        self.db_table, self.audit_type, self.columns = db_table, audit_type, columns

    @property
    def trigger(self) -> str:
        return f"{self.db_table}_audited"

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models do not change."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        quote = schema_editor.connection.ops.quote_name
        update = "UPDATE" if self.columns is None else "UPDATE OF " + ", ".join(quote(c) for c in self.columns)
        table, trigger = quote(self.db_table), quote(self.trigger)
        schema_editor.execute(
            f"CREATE CONSTRAINT TRIGGER {trigger} AFTER INSERT OR DELETE OR {update} ON {table} "
            f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
            f"EXECUTE FUNCTION trustcore_audit_require_event({schema_editor.quote_value(self.audit_type)})"
        )
        # ALWAYS: the guard holds for a session that calls itself a replication replica, too.
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        quote = schema_editor.connection.ops.quote_name
        schema_editor.execute(f"DROP TRIGGER {quote(self.trigger)} ON {quote(self.db_table)}")

    def describe(self) -> str:
        return f"Guard {self.db_table}: no change without an event about its {self.audit_type}"

    @property
    def migration_name_fragment(self) -> str:
        return f"guard_{self.db_table}"
