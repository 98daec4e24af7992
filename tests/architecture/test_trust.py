"""There is no second door: addresses, guards, events, keys and settings."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from tests.architecture.test_house import REPOSITORY, holders_of
from trustcore.accounts import permissions
from trustcore.accounts.permissions import API_KEY_PERMISSIONS, Permission
from trustcore.audit.actions import Action
from trustcore.web.deploy_checks import governed_models, missing_triggers


def _views(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        where = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, where)
        else:
            yield where, pattern.callback


def test_every_address_declares_a_permission_or_is_public() -> None:
    undeclared = [
        where for where, view in _views(get_resolver().url_patterns) if not hasattr(view, permissions.DECLARATION)
    ]
    assert not undeclared, f"refused for everyone until they declare something: {undeclared}"


def test_public_addresses_are_the_known_ones() -> None:
    """Whoever adds a public address says so here too: each of them checks a token or a signature, or shows nothing
    private."""
    known = re.compile(
        r"^$|^health/|^accounts/(login|logout|passkeys/login)/|^demo/sign-in/|^i/|^me/|^c/|^worker/v1/|^check/|^embed/|^log/|^verify/"
        r"|^status/|^c2pa/|^jsi18n/|^\.well-known/"
    )
    found = {
        where
        for where, view in _views(get_resolver().url_patterns)
        if getattr(view, permissions.DECLARATION, None) == permissions.PUBLIC
    }
    assert not {where for where in found if not known.match(where)}


def test_every_permission_is_held_by_some_role_and_keys_hold_no_persons_permission() -> None:
    granted = frozenset().union(*permissions.ROLE_PERMISSIONS.values())
    assert granted == set(Permission)
    persons_only = {
        Permission.APPROVAL_SIGN,
        Permission.IDENTITY_DECIDE,
        Permission.MEMBER_MANAGE,
        Permission.API_KEY_MANAGE,
        Permission.STREAM_KILL,
        Permission.SUBJECT_SUSPEND,
        Permission.SUBJECT_INVITE,
        Permission.HOLD_MANAGE,
    }
    assert not API_KEY_PERMISSIONS & persons_only


def test_author_role_cannot_approve_and_approver_role_cannot_draft() -> None:
    table = permissions.ROLE_PERMISSIONS
    assert Permission.APPROVAL_SIGN not in table[permissions.Role.AUTHOR]
    assert Permission.POLICY_DRAFT not in table[permissions.Role.APPROVER]
    assert Permission.APPROVAL_SIGN not in table[permissions.Role.ADMIN]


@pytest.mark.django_db
def test_every_governed_table_has_its_guard_and_every_log_table_its_trigger() -> None:
    assert missing_triggers() == []


@pytest.mark.django_db
def test_guards_watch_the_columns_the_models_say() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(a.attname) FILTER (WHERE a.attname IS NOT NULL) FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid "
            "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (t.tgattr) "
            "WHERE t.tgname = c.relname || '_audited' GROUP BY c.relname"
        )
        watched = {name: None if columns is None else set(columns) for name, columns in cursor.fetchall()}
    for model in governed_models():
        fields = (
            None
            if model.guarded_fields is None
            else {model._meta.get_field(name).column for name in model.guarded_fields}
        )
        assert watched[model._meta.db_table] == fields, model.__name__


def test_governed_models_name_themselves_apart() -> None:
    names = [model.audit_type for model in governed_models()]
    assert len(names) == len(set(names)) and all(re.fullmatch(r"[a-z_]+", name) for name in names)
    for model in governed_models():
        assert model._meta.get_field("public_id").unique
        for name in model.audited_fields:
            model._meta.get_field(name)


def test_events_and_entries_are_written_in_one_place_each() -> None:
    assert holders_of(r"(?<!Lease)Event\.objects\.(bulk_)?create|trustcore_audit_event \(") == {
        "trustcore/audit/recording.py"
    }
    assert holders_of(r"trustcore_audit_entry \(|Entry\.objects\.create") == {"trustcore/audit/sequencer.py"}


def test_subject_keys_are_opened_in_one_module() -> None:
    assert holders_of(r"subject_keys\.(unwrap|wrap|derive)\b") <= {
        "trustcore/keys/services/data_keys.py",
        "trustcore/keys/services/personal_detail.py",
    }
    assert holders_of(r"\bunwrap_key\(") <= {
        "trustcore/primitives/envelope.py",
        "trustcore/keys/services/subject_keys.py",
        "trustcore/keys/providers/file.py",
    }


def test_plaintext_data_keys_have_one_door() -> None:
    """Unwrapped inside the keys package alone; outside it, a session's or a training's release sends them sealed to a
    slot."""
    outside = {
        file
        for file in holders_of(r"data_keys\.unwrap\(|\bseal_keys\(")
        if not file.startswith("trustcore/keys/services/")
    }
    assert outside == {"rendering/services/leasing.py"}
    assert holders_of(r"\bdata_keys\.new\([^)]*\)\.plaintext") == set()


def test_every_setting_is_documented() -> None:
    name = r"(?:TRUSTCORE_|DATABASE_)[A-Z_]*[A-Z]"
    told = set(re.findall(rf"`({name})`", (REPOSITORY / "docs/settings.md").read_text()))
    lent = {setting for setting in dir(settings) if setting.startswith("TRUSTCORE_")}  # bound in settings.py, not read
    read: set[str] = set()
    for package in ("trustcore", "consent", "provenance", "rendering", "deploy"):
        for path in (REPOSITORY / package).rglob("*.py"):
            read |= set(re.findall(rf'"({name})"', path.read_text()))
    assert read - told - lent == set(), "add these to docs/settings.md"
    assert told - read == set(), "these are not read any more"


def test_no_setting_has_a_default_secret() -> None:
    text = (REPOSITORY / "trustcore/settings.py").read_text()
    assert set(re.findall(r'env_secret\("(\w+)"', text)) == {
        "TRUSTCORE_SECRET_KEY", "TRUSTCORE_ROOT_KEK", "TRUSTCORE_TURN_SECRET"}
    assert not re.search(r'(SECRET|KEK|PASSWORD)\w* = "', text)


def test_what_packages_lend_each_other_is_there() -> None:
    paths = [settings.AUDIT_LOG_KEY, f"{settings.AUDIT_PERSONAL_DETAIL_CIPHER}.encrypt"]
    for name in dir(settings):
        if name.startswith("TRUSTCORE_") and name.endswith(("_DETECTOR", "_LEDGER", "_SOURCES")):
            value = getattr(settings, name)
            paths += [value] if isinstance(value, str) else list(value)
    assert len(paths) >= 6
    for path in paths:
        assert callable(import_string(path)), path


def test_every_action_tag_follows_the_grammar_and_is_written_somewhere() -> None:
    code = "\n".join(
        path.read_text()
        for package in ("trustcore", "consent", "provenance", "rendering")
        for path in (REPOSITORY / package).rglob("*.py")
        if path.name != "actions.py"
    )
    for action in Action:
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", action.value), action
    unused = [action.value for action in Action if not re.search(rf"Action\.{action.name}\b", code)]
    assert not unused, "docs/events.md promises events that nothing writes"
