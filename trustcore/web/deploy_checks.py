"""`manage.py check --deploy`: refuses development stand-ins, and a database whose guards are not there."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import connection

from trustcore.audit.guards import AuditedModel
from trustcore.audit.triggers import APPEND_ONLY_TABLES
from trustcore.keys import providers


@register(Tags.security, deploy=True)
def no_development_stand_ins(app_configs: Any, **kwargs: Any) -> list[Error]:
    """The demo profile, plain HTTP, debug pages, the file key provider and the embedded database are for
    development."""
    found = []
    if settings.DEMO:
        found.append(_error("TRUSTCORE_DEMO is on: anybody with a demo link is somebody else.", "E001"))
    if not settings.IS_HTTPS:
        found.append(_error("TRUSTCORE_BASE_URL is not https: passkeys and sessions need it.", "E002"))
    if settings.DEBUG:
        found.append(_error("TRUSTCORE_DEBUG is on: error pages tell everything.", "E003"))
    if not providers.root().is_secure:
        found.append(_error("TRUSTCORE_KEY_PROVIDER keeps the root key in a plain file.", "E004"))
    if str(settings.DATABASES["default"]["HOST"]).startswith(str(settings.POSTGRES_DIR)):
        found.append(
            _error("The embedded PostgreSQL runs as superuser: set DATABASE_URL with the role app_rw.", "E005")
        )
    plain = sorted({o for origins in settings.EMBED_ORIGINS.values() for o in origins if o.startswith("http:")})
    if plain:
        found.append(_error(f"TRUSTCORE_EMBED_ORIGINS lets plain HTTP pages embed: {', '.join(plain)}.", "E006"))
    return found


@register(Tags.database, deploy=True)
def guards_are_in_place(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[Error]:
    """Every governed table has its deferred guard and every log table its append-only trigger, set to ALWAYS."""
    if not databases:
        return []
    return [
        _error(f"The trigger {name} is missing or not ENABLE ALWAYS. Run migrations.", "E010")
        for name in missing_triggers()
    ]


def governed_models() -> list[type[AuditedModel]]:
    return [model for model in apps.get_models() if issubclass(model, AuditedModel)]


def missing_triggers() -> list[str]:
    """Names of the triggers that ought to be in the database and are not, or can be switched off by a session."""
    wanted = {f"{model._meta.db_table}_audited" for model in governed_models()}
    wanted |= {f"{table}_append_only" for table in APPEND_ONLY_TABLES}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A'")
        present = {row[0] for row in cursor.fetchall()}
    return sorted(wanted - present)


def _error(message: str, number: str) -> Error:
    return Error(message, id=f"trustcore.{number}")
