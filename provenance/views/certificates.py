"""The claim signer's certificates, for everyone: which one signs, which gave way, which are revoked."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from provenance.services import claim_certificates
from trustcore.accounts.permissions import public
from trustcore.primitives.clock import from_rfc3339, utc_now

AN_HOUR = "public, max-age=3600"
A_MINUTE = "public, max-age=60"  # viewers of live sessions ask as often


@public
@require_safe
def signers(request: HttpRequest) -> HttpResponse:
    """The certificates in words."""
    rows = [(leaf, from_rfc3339(leaf.since)) for leaf in claim_certificates.leaves()]
    return render(request, "provenance/claim_signers.html", {"rows": rows})


@public
@require_safe
def signers_file(request: HttpRequest) -> HttpResponse:
    """The same as a signed statement."""
    return JsonResponse(claim_certificates.signed_list(now=utc_now()), headers={"Cache-Control": AN_HOUR})


@public
@require_safe
def status_list(request: HttpRequest) -> HttpResponse:
    """The authority's list of revoked certificates (CRL, DER)."""
    return HttpResponse(
        claim_certificates.status_list(now=utc_now()), content_type="application/pkix-crl",
        headers={"Cache-Control": A_MINUTE},
    )
