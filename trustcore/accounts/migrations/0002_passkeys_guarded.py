from django.db import migrations

# A passkey is somebody's sign-in and signature: one that appears, changes or goes without an event would be somebody
# else's. The table is the sign-in library's and has no public id, so the key of the event is made from the credential,
# as `trustcore.accounts.services.passkeys` makes it. When a passkey was last used may change without an event.
FUNCTION = """
CREATE FUNCTION trustcore_accounts_require_passkey_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    credential_id text := CASE WHEN TG_OP = 'DELETE' THEN OLD.data ELSE NEW.data END -> 'credential' ->> 'id';
    object_key text := 'passkey:' || left(encode(sha256(convert_to(coalesce(credential_id, ''), 'UTF8')), 'hex'), 32);
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM trustcore_audit_event
        WHERE xid = pg_current_xact_id()::text::bigint AND object_key = ANY (objects_covered)
    ) THEN
        RAISE EXCEPTION 'unaudited % of % in %: no event about it in this transaction', TG_OP, object_key, TG_TABLE_NAME
            USING ERRCODE = 'TC001', HINT = 'Use trustcore.accounts.services.passkeys.';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER mfa_authenticator_audited
    AFTER INSERT OR DELETE OR UPDATE OF data, user_id, type ON mfa_authenticator
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION trustcore_accounts_require_passkey_event();
ALTER TABLE mfa_authenticator ENABLE ALWAYS TRIGGER mfa_authenticator_audited;
"""
AWAY = """
DROP TRIGGER mfa_authenticator_audited ON mfa_authenticator;
DROP FUNCTION trustcore_accounts_require_passkey_event;
"""


class Migration(migrations.Migration):
    """No passkey without its event."""

    dependencies = [
        ("trustcore_accounts", "0001_initial"),
        ("trustcore_audit", "0001_initial"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunSQL(FUNCTION, AWAY)]
