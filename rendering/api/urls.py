"""Addresses of the /v2/ API. `faces` and `pals` are the newer Tavus words for `replicas` and `personas`."""

from django.urls import path

from rendering.api import views
from rendering.views import captions

urlpatterns = [
    path("conversations", views.conversation_list, name="v2-conversations"),
    path("conversations/<slug:conversation_id>", views.conversation_detail, name="v2-conversation"),
    path("conversations/<slug:conversation_id>/end", views.conversation_end, name="v2-conversation-end"),
    path(
        "conversations/<slug:conversation_id>/attestation",
        views.conversation_attestation,
        name="v2-conversation-attestation",
    ),
    path("conversations/<slug:conversation_id>/captions", captions.app_stream, name="v2-conversation-captions"),
    path("interactions", views.interaction_list, name="v2-interactions"),
    *(path(noun, views.replica_list, name=f"v2-{noun}") for noun in ("replicas", "faces")),
    *(path(f"{noun}/<slug:replica_id>", views.replica_detail, name=f"v2-{noun}-one") for noun in ("replicas", "faces")),
    *(path(noun, views.persona_list, name=f"v2-{noun}") for noun in ("personas", "pals")),
    *(path(f"{noun}/<slug:persona_id>", views.persona_detail, name=f"v2-{noun}-one") for noun in ("personas", "pals")),
]
