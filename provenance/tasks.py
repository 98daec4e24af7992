"""Celery wakes; the rows are the truth. Each task takes ids, may run twice, and calls one service."""

from provenance.services import exports
from trustcore.celery import app
from trustcore.primitives.clock import utc_now


@app.task(name="provenance.build_export")  # type: ignore[untyped-decorator]
def build_export(public_id: str) -> None:
    """Build a requested evidence bundle."""
    exports.build(public_id, now=utc_now())
