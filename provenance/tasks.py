"""Celery wakes; the rows are the truth. Each task takes ids or nothing, may run twice, and calls one service."""

from provenance.services import check_runs, claim_certificates, exports
from trustcore.audit.actors import Actor
from trustcore.celery import app
from trustcore.primitives.clock import utc_now


@app.task(name="provenance.build_export")  # type: ignore[untyped-decorator]
def build_export(public_id: str) -> None:
    """Build a requested evidence bundle."""
    exports.build(public_id, now=utc_now())


@app.task(name="provenance.run_checks")  # type: ignore[untyped-decorator]
def run_checks() -> int:
    """Do the checks that wait, in a process of its own (queue "checks"). Returns how many there were."""
    return check_runs.run_waiting(clock=utc_now)


@app.task(name="provenance.sweep_checks")  # type: ignore[untyped-decorator]
def sweep_checks() -> int:
    """Close checks whose process is gone, forget what need not be known any more, and wake whoever checks when one
    waits: its own message may be lost. Returns how many were closed.
    """
    closed = check_runs.sweep(now=utc_now())
    if check_runs.is_one_waiting():
        run_checks.delay()
    return closed


@app.task(name="provenance.keep_up_certificates")  # type: ignore[untyped-decorator]
def keep_up_certificates() -> None:
    """Let old claim-signing keys go, and issue the status list again before it is out of date."""
    claim_certificates.keep_up(actor=Actor.system("signer"), now=utc_now())
