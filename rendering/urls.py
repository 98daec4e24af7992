"""Addresses of rendering: the API, the worker protocol, the viewer's page, the console's pages about replicas and sessions."""

from django.urls import include, path

from rendering.views import viewer, worker

_lease = "worker/v1/leases/<slug:lease_id>"

urlpatterns = [
    path("v2/", include("rendering.api.urls")),
    path("worker/v1/slots", worker.slots, name="worker-slots"),
    path("worker/v1/claim", worker.claim, name="worker-claim"),
    path(f"{_lease}/key", worker.key, name="worker-key"),
    path(f"{_lease}/renew", worker.renew, name="worker-renew"),
    path(f"{_lease}/events", worker.events, name="worker-events"),
    path(f"{_lease}/answer", worker.answer, name="worker-answer"),
    path(f"{_lease}/manifest", worker.manifest, name="worker-manifest"),
    path(f"{_lease}/segments", worker.segments, name="worker-segments"),
    path(f"{_lease}/clamps", worker.clamps, name="worker-clamps"),
    path(f"{_lease}/recording", worker.recording, name="worker-recording"),
    path(f"{_lease}/finish", worker.finish, name="worker-finish"),
    path(f"{_lease}/progress", worker.progress, name="worker-progress"),
    path(f"{_lease}/checkpoint", worker.checkpoint, name="worker-checkpoint"),
    path(f"{_lease}/artefact/<str:name>", worker.artefact, name="worker-artefact"),
    path("worker/v1/blobs/<slug:public_id>", worker.blob, name="worker-blob"),
    path("c/<slug:conversation_id>/", viewer.page, name="viewer"),
    path("c/<slug:conversation_id>/offer", viewer.offer, name="viewer-offer"),
    path("c/<slug:conversation_id>/message", viewer.message, name="viewer-message"),
    path("c/<slug:conversation_id>/leave", viewer.leave, name="viewer-leave"),
    path("c/<slug:conversation_id>/state", viewer.state, name="viewer-state"),
]
