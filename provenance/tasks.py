"""Celery wakes; the rows are the truth. Each task takes ids, may run twice, and calls one service."""

from provenance.services import claim_certificates, exports
from trustcore.audit.actors import Actor
from trustcore.celery import app
from trustcore.primitives.clock import utc_now


@app.task(name="provenance.build_export")  # type: ignore[untyped-decorator]
def build_export(public_id: str) -> None:
    """Build a requested evidence bundle."""
    exports.build(public_id, now=utc_now())


@app.task(name="provenance.keep_up_certificates")  # type: ignore[untyped-decorator]
def keep_up_certificates() -> None:
    """Let old claim-signing keys go, and issue the status list again before it is out of date."""
    claim_certificates.keep_up(actor=Actor.system("signer"), now=utc_now())
