"""Addresses of provenance: the public check, the auditor's pages, and the public keys."""

from django.urls import path

from provenance.views import audit, checks, exports

urlpatterns = [
    path("check/", checks.check, name="check"),
    path("check/keys/", checks.keys, name="check_keys"),
    path("check/authority.pem", checks.authority, name="check_authority"),
    path("check/language/", checks.language, name="check_language"),
    path("check/session/<slug:conversation_id>/", checks.session, name="check_session"),
    path("check/<str:public_id>/", checks.answer, name="check_answer"),
    path("check/<str:public_id>/answer.json", checks.answer_file, name="check_answer_file"),
    path("check/<str:public_id>/progress.json", checks.progress, name="check_progress"),
    path("check/<str:public_id>/stop/", checks.stop, name="check_stop"),
    path("audit/", audit.search, name="audit_search"),
    path("audit/entries/<int:seq>/", audit.entry, name="audit_entry"),
    path("audit/entries/<int:seq>/proof.json", audit.proof, name="audit_proof"),
    path("audit/exports/", exports.exports, name="audit_exports"),
    path("audit/exports/<str:public_id>/", exports.export, name="audit_export"),
    path("audit/exports/<str:public_id>/bundle", exports.bundle, name="audit_export_bundle"),
]
