"""Every address of the control plane. Each view declares a permission or is public (tests/architecture)."""

from django.urls import URLPattern, URLResolver, include, path

from trustcore.web import health, log, pages

handler400 = "trustcore.web.errors.bad_request"
handler403 = "trustcore.web.errors.forbidden"
handler404 = "trustcore.web.errors.not_found"
handler500 = "trustcore.web.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("health/", health.health, name="health"),
    path("", include("trustcore.accounts.urls")),
    path("log/checkpoint", log.checkpoint, name="log_checkpoint"),
    path("log/key", log.key, name="log_key"),
    path("log/consistency/<int:old_size>/<int:new_size>", log.consistency, name="log_consistency"),
    path("", include("consent.urls")),
    path("", include("provenance.urls")),
    path("", include("rendering.urls")),
]
