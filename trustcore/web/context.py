"""What every template knows about the request: permissions to decide what to show (never what to allow)."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from trustcore.accounts.permissions import Permission
from trustcore.audit import health


@dataclass(frozen=True)
class NavigationItem:
    """One line of the console's side navigation. `count`: how many things wait there, 0 shows none."""

    url: str
    label: str
    is_current: bool
    count: int = 0


# (address name, label, the permission that makes it useful). A package that is not installed has no address.
SECTIONS: tuple[tuple[str, Any, Permission], ...] = (
    ("console", _("Decisions"), Permission.APPROVAL_VIEW),
    ("consent_subjects", _("Subjects"), Permission.SUBJECT_VIEW),
    ("rendering_replicas", _("Replicas"), Permission.REPLICA_VIEW),
    ("rendering_policies", _("Emotion policies"), Permission.POLICY_VIEW),
    ("rendering_live", _("Live"), Permission.CONVERSATION_VIEW),
    ("rendering_levels", _("Service levels"), Permission.LEVELS_VIEW),
    ("audit_search", _("Audit log"), Permission.AUDIT_VIEW),
    ("members", _("Members"), Permission.MEMBER_VIEW),
    ("api_keys", _("API keys"), Permission.API_KEY_MANAGE),
    ("mfa_list_webauthn", _("Your passkeys"), Permission.SIGNED_IN),
)


def request_context(request: HttpRequest) -> dict[str, Any]:
    return {
        "organisation": getattr(request, "organisation", None),
        "held_permissions": {str(permission) for permission in getattr(request, "permissions", ())},
        "roles": sorted({membership.role for membership in getattr(request, "memberships", ())}),
        "is_demo": settings.DEMO,
        "navigation": SimpleLazyObject(lambda: _navigation(request)),
        "log_health": SimpleLazyObject(lambda: health.of_log() if Permission.AUDIT_VIEW in _held(request) else None),
    }


def _held(request: HttpRequest) -> frozenset[Permission]:
    held: frozenset[Permission] = getattr(request, "permissions", frozenset())
    return held


def _navigation(request: HttpRequest) -> list[NavigationItem]:
    items = []
    for name, label, permission in SECTIONS:
        if permission in _held(request) and (url := _address(name)):
            is_current = request.path == url or (name != "console" and request.path.startswith(url))
            items.append(NavigationItem(url, label, is_current))
    return items


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
