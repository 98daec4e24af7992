"""Addresses of rendering: the API, the worker protocol, the viewer's page, the console's pages
about replicas and sessions.
"""

from django.urls import include, path

from rendering.views import (
    console_levels,
    console_live,
    console_policies,
    console_replicas,
    viewer,
    viewer_embed,
    viewer_figures,
    viewer_perception,
    worker,
)

_lease = "worker/v1/leases/<slug:lease_id>"

urlpatterns = [
    path("v2/", include("rendering.api.urls")),
    path("worker/v1/slots", worker.slots, name="worker-slots"),
    path("worker/v1/claim", worker.claim, name="worker-claim"),
    path(f"{_lease}/key", worker.key, name="worker-key"),
    path(f"{_lease}/renew", worker.renew, name="worker-renew"),
    path(f"{_lease}/events", worker.events, name="worker-events"),
    path(f"{_lease}/answer", worker.answer, name="worker-answer"),
    path(f"{_lease}/segments", worker.segments, name="worker-segments"),
    path(f"{_lease}/clamps", worker.clamps, name="worker-clamps"),
    path(f"{_lease}/emotions", worker.emotions, name="worker-emotions"),
    path(f"{_lease}/rungs", worker.rungs, name="worker-rungs"),
    path(f"{_lease}/troubles", worker.troubles, name="worker-troubles"),
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
    path("c/<slug:conversation_id>/figures", viewer_figures.report, name="viewer-figures"),
    path("c/<slug:conversation_id>/perception", viewer_perception.word, name="viewer-perception"),
    path("c/<slug:conversation_id>/perception/frame", viewer_perception.frame, name="viewer-perception-frame"),
    path("c/<slug:conversation_id>/embed/", viewer_embed.page, name="viewer-embed"),
    path("c/<slug:conversation_id>/embed/offer", viewer_embed.offer, name="viewer-embed-offer"),
    path("c/<slug:conversation_id>/embed/message", viewer_embed.message, name="viewer-embed-message"),
    path("c/<slug:conversation_id>/embed/leave", viewer_embed.leave, name="viewer-embed-leave"),
    path("c/<slug:conversation_id>/embed/figures", viewer_embed.figures, name="viewer-embed-figures"),
    path("c/<slug:conversation_id>/embed/state", viewer_embed.state, name="viewer-embed-state"),
    path("console/replicas/", console_replicas.replica_list, name="rendering_replicas"),
    path("console/replicas/<slug:replica_id>/", console_replicas.replica_detail, name="rendering_replica"),
    path(
        "console/replicas/<slug:replica_id>/suspend/",
        console_replicas.replica_suspend,
        name="rendering_replica_suspend",
    ),
    path(
        "console/replicas/<slug:replica_id>/resume/", console_replicas.replica_resume, name="rendering_replica_resume"
    ),
    path(
        "console/replicas/<slug:replica_id>/v/<int:number>/", console_replicas.version_detail, name="rendering_version"
    ),
    path(
        "console/replicas/<slug:replica_id>/v/<int:number>/send/",
        console_replicas.version_send,
        name="rendering_version_send",
    ),
    path(
        "console/replicas/<slug:replica_id>/v/<int:number>/pictures/<str:name>",
        console_replicas.version_picture,
        name="rendering_picture",
    ),
    path(
        "console/replicas/<slug:replica_id>/training/<int:number>/",
        console_replicas.training_page,
        name="rendering_training",
    ),
    path(
        "console/replicas/<slug:replica_id>/training/<int:number>/state.json",
        console_replicas.training_state,
        name="rendering_training_state",
    ),
    path("console/footage/new/", console_replicas.footage_new, name="rendering_footage_new"),
    path("console/footage/begin/", console_replicas.footage_begin, name="rendering_footage_begin"),
    path("console/footage/<slug:public_id>/", console_replicas.footage_detail, name="rendering_footage"),
    path(
        "console/footage/<slug:public_id>/piece/<int:number>/",
        console_replicas.footage_piece,
        name="rendering_footage_piece",
    ),
    path(
        "console/footage/<slug:public_id>/complete/",
        console_replicas.footage_complete,
        name="rendering_footage_complete",
    ),
    path("console/footage/<slug:public_id>/state.json", console_replicas.footage_state, name="rendering_footage_state"),
    path("console/footage/<slug:public_id>/train/", console_replicas.training_start, name="rendering_train"),
    path("console/policies/", console_policies.policy_list, name="rendering_policies"),
    path("console/policies/new/", console_policies.policy_new, name="rendering_policy_new"),
    path("console/policies/<slug:public_id>/edit/", console_policies.policy_edit, name="rendering_policy_edit"),
    path(
        "console/policies/<slug:public_id>/v/<int:number>/",
        console_policies.policy_version,
        name="rendering_policy_version",
    ),
    path(
        "console/policies/<slug:public_id>/v/<int:number>/send/",
        console_policies.policy_send,
        name="rendering_policy_send",
    ),
    path("console/live/", console_live.wall, name="rendering_live"),
    path("console/live/<slug:conversation_id>/", console_live.session, name="rendering_session"),
    path("console/live/<slug:conversation_id>/state.json", console_live.session_state, name="rendering_session_state"),
    path("console/live/<slug:conversation_id>/stop/", console_live.stop, name="rendering_stop"),
    path(
        "console/live/<slug:conversation_id>/recording.mp4",
        console_live.recording_file,
        {"part": "signed"},
        name="rendering_recording",
    ),
    path(
        "console/live/<slug:conversation_id>/fragments.mp4",
        console_live.recording_file,
        {"part": "fragments"},
        name="rendering_fragments",
    ),
    path("console/live/<slug:conversation_id>/still.jpg", console_live.still_file, name="rendering_still"),
    path("console/kill/", console_live.kill, name="rendering_kill"),
    path("console/kill/lift/", console_live.lift, name="rendering_kill_lift"),
    path("console/levels/", console_levels.levels, name="rendering_levels"),
    path("console/levels/promises/", console_levels.promises, name="rendering_levels_promises"),
    path("console/levels/reports/", console_levels.report_new, name="rendering_levels_report_new"),
    path("console/levels/reports/<slug:report_id>/", console_levels.report, name="rendering_levels_report"),
    path(
        "console/levels/reports/<slug:report_id>/bundle.zip",
        console_levels.report_bundle,
        name="rendering_levels_report_bundle",
    ),
]
