"""The SQL that keeps the log append-only and every governed change accounted for. Run by migration 0001."""

# The transaction id is the database's own word, so that an event cannot claim another transaction's change.
EVENT_STAMP = """
CREATE FUNCTION trustcore_audit_stamp_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER trustcore_audit_event_stamped BEFORE INSERT ON trustcore_audit_event
    FOR EACH ROW EXECUTE FUNCTION trustcore_audit_stamp_event();
ALTER TABLE trustcore_audit_event ENABLE ALWAYS TRIGGER trustcore_audit_event_stamped;

CREATE FUNCTION trustcore_audit_queue_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trustcore_audit_queue (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER trustcore_audit_event_queued AFTER INSERT ON trustcore_audit_event
    FOR EACH ROW EXECUTE FUNCTION trustcore_audit_queue_event();
ALTER TABLE trustcore_audit_event ENABLE ALWAYS TRIGGER trustcore_audit_event_queued;
"""

# Deferred to commit: the event may come before or after the change, but it must be there in the end. A record rolled
# back with its savepoint is not there.
REQUIRE_EVENT = """
CREATE FUNCTION trustcore_audit_require_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    object_key text := TG_ARGV[0] || ':' || CASE WHEN TG_OP = 'DELETE' THEN OLD.public_id ELSE NEW.public_id END;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM trustcore_audit_event
        WHERE xid = pg_current_xact_id()::text::bigint AND object_key = ANY (objects_covered)
    ) THEN
        RAISE EXCEPTION 'unaudited % of % in %: no event about it in this transaction', TG_OP, object_key, TG_TABLE_NAME
            USING ERRCODE = 'TC001', HINT = 'Make the change inside audit.recording(...) for this object.';
    END IF;
    RETURN NULL;
END $$;
"""

# Statement level, so that an UPDATE that matches no row fails as loudly as one that does.
APPEND_ONLY_FUNCTION = """
CREATE FUNCTION trustcore_audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the log is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'TC002';
END $$;
"""

# Numbers have no gap and no fork: an entry's number is the count of those before it.
ENTRY_CHECK = """
CREATE FUNCTION trustcore_audit_check_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    expected bigint := (SELECT coalesce(max(seq) + 1, 0) FROM trustcore_audit_entry);
BEGIN
    IF NEW.seq <> expected THEN
        RAISE EXCEPTION 'log entry % refused: the next one is %', NEW.seq, expected USING ERRCODE = 'TC003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trustcore_audit_entry_in_order BEFORE INSERT ON trustcore_audit_entry
    FOR EACH ROW EXECUTE FUNCTION trustcore_audit_check_entry();
ALTER TABLE trustcore_audit_entry ENABLE ALWAYS TRIGGER trustcore_audit_entry_in_order;
"""

APPEND_ONLY_TABLES = (
    "trustcore_audit_event",
    "trustcore_audit_entry",
    "trustcore_audit_node",
    "trustcore_audit_checkpoint",
)


def append_only(table: str) -> str:
    """SQL that refuses UPDATE, DELETE and TRUNCATE of `table`, whoever asks, short of dropping the trigger."""
    return (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION trustcore_audit_refuse_change(); "
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only;"
    )


INSTALL = "\n".join(
    [
        EVENT_STAMP,
        REQUIRE_EVENT,
        APPEND_ONLY_FUNCTION,
        ENTRY_CHECK,
        *(append_only(table) for table in APPEND_ONLY_TABLES),
    ]
)
REMOVE = "\n".join(
    [
        *(f"DROP TRIGGER {table}_append_only ON {table};" for table in APPEND_ONLY_TABLES),
        "DROP FUNCTION trustcore_audit_stamp_event CASCADE;",
        "DROP FUNCTION trustcore_audit_queue_event CASCADE;",
        "DROP FUNCTION trustcore_audit_check_entry CASCADE;",
        "DROP FUNCTION trustcore_audit_require_event;",
        "DROP FUNCTION trustcore_audit_refuse_change;",
    ]
)
