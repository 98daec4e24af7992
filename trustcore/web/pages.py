"""The front door: where each kind of person is sent after signing in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse

from trustcore.accounts.permissions import Permission, public

# The first address whose permission a person has is their start; who has none of them is a subject, or nobody here.
STARTS: tuple[tuple[Permission, str], ...] = (
    (Permission.APPROVAL_VIEW, "console"),
    (Permission.API_KEY_MANAGE, "api_keys"),
    (Permission.AUDIT_VIEW, "audit_search"),
    (Permission.SIGNED_IN, "consent_portal"),
)


@public
def home(request: HttpRequest) -> HttpResponse:
    """Somebody signed in goes to where they work; everybody else reads what this is."""
    held: Any = getattr(request, "permissions", frozenset())
    for permission, name in STARTS:
        if permission in held:
            try:
                return redirect(reverse(name))
            except NoReverseMatch:
                continue
    return render(request, "home.html")
