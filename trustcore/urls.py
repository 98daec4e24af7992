"""Every address of the control plane. Each view declares a permission or is public (tests/architecture)."""

import importlib.util

from django.urls import URLPattern, URLResolver, include, path

from trustcore.web import health, pages

handler400 = "trustcore.web.errors.bad_request"
handler403 = "trustcore.web.errors.forbidden"
handler404 = "trustcore.web.errors.not_found"
handler500 = "trustcore.web.errors.server_error"


def _packages() -> list[URLPattern | URLResolver]:
    names = ("consent", "provenance", "rendering")
    return [path("", include(f"{name}.urls")) for name in names if importlib.util.find_spec(f"{name}.urls")]


urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("health/", health.health, name="health"),
    path("", include("trustcore.accounts.urls")),
    path("", include("trustcore.audit.urls")),
    *_packages(),
]
