"""What every template knows about the request: permissions to decide what to show (never what to allow)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def request_context(request: HttpRequest) -> dict[str, Any]:
    return {
        "organisation": getattr(request, "organisation", None),
        "held_permissions": {str(permission) for permission in getattr(request, "permissions", ())},
        "roles": sorted({membership.role for membership in getattr(request, "memberships", ())}),
        "is_demo": settings.DEMO,
    }
