"""Addresses of provenance: the public check, the auditor's pages, the public keys, and the resolution of marks."""

from django.urls import path, register_converter

from provenance.views import audit, certificates, checks, exports, resolution


class PublicId:
    """A public id in an address. Whatever else stands in its place is an address that does not exist."""

    regex = "[0-9A-Za-z-]{1,40}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PublicId, "public_id")

urlpatterns = [
    path("check/", checks.check, name="check"),
    path("check/keys/", checks.keys, name="check_keys"),
    path("check/authority.pem", checks.authority, name="check_authority"),
    path("check/language/", checks.language, name="check_language"),
    path("check/session/<slug:conversation_id>/", checks.session, name="check_session"),
    path("check/claim-signers/", certificates.signers, name="check_claim_signers"),
    path("check/claim-signers.json", certificates.signers_file, name="check_claim_signers_file"),
    path("check/claim-signers.crl", certificates.status_list, name="check_status_list"),
    path("check/<public_id:public_id>/", checks.answer, name="check_answer"),
    path("check/<public_id:public_id>/answer.json", checks.answer_file, name="check_answer_file"),
    path("check/<public_id:public_id>/progress.json", checks.progress, name="check_progress"),
    path("check/<public_id:public_id>/stop/", checks.stop, name="check_stop"),
    path("c2pa/v1/matches/byBinding", resolution.by_binding, name="c2pa_by_binding"),
    path("c2pa/v1/matches/byContent", resolution.by_content, name="c2pa_by_content"),
    path("c2pa/v1/manifests/<str:manifest_id>", resolution.manifest, name="c2pa_manifest"),
    path("c2pa/v1/manifests/<str:manifest_id>/status", resolution.status, name="c2pa_manifest_status"),
    path("c2pa/v1/services/supportedAlgorithms", resolution.algorithms, name="c2pa_algorithms"),
    path("c2pa/v1/openapi.json", resolution.openapi, name="c2pa_openapi"),
    path("audit/", audit.search, name="audit_search"),
    path("audit/entries/<int:seq>/", audit.entry, name="audit_entry"),
    path("audit/entries/<int:seq>/proof.json", audit.proof, name="audit_proof"),
    path("audit/exports/", exports.exports, name="audit_exports"),
    path("audit/exports/<public_id:public_id>/", exports.export, name="audit_export"),
    path("audit/exports/<public_id:public_id>/bundle", exports.bundle, name="audit_export_bundle"),
]
