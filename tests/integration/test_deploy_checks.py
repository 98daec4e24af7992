"""`manage.py check --deploy` refuses every development stand-in and a database without its guards."""

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import override_settings

pytestmark = pytest.mark.django_db


def _found(databases: list[str] | None = None) -> set[str]:
    return {problem.id for problem in run_checks(include_deployment_checks=True, databases=databases) if problem.id}


def test_every_stand_in_is_refused() -> None:
    with override_settings(DEMO=True, DEBUG=True, IS_HTTPS=False):
        assert {f"trustcore.E00{number}" for number in (1, 2, 3, 4, 5)} <= _found()
    with override_settings(DEMO=False, DEBUG=False, IS_HTTPS=True):
        assert not {"trustcore.E001", "trustcore.E002", "trustcore.E003"} & _found()


def test_a_missing_or_weakened_guard_is_found() -> None:
    assert "trustcore.E010" not in _found(["default"])
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trustcore_keys_blob ENABLE TRIGGER trustcore_keys_blob_audited")  # no longer ALWAYS
    assert "trustcore.E010" in _found(["default"])
