"""`manage.py verify_audit`: read the whole log and check every number, hash, chain, detail and checkpoint."""

import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trustcore.audit.models import Checkpoint, Entry, Event, QueuedEvent
from trustcore.audit.nodes import frontier_of, with_nodes
from trustcore.audit.sequencer import log_key
from trustcore.primitives.errors import TrustcoreError
from trustcore.primitives.log_entries import LogReport, StoredEntry, verify_log
from trustcore.primitives.merkle import tree_root


def verify() -> LogReport:
    """Check the log as it is stored.

    Raises:
        ProofInvalid, SignatureInvalid: what is wrong, in one sentence.
        CommandError: the stored tree or queue does not fit the entries.
    """
    notes = list(Checkpoint.objects.order_by("size").values_list("note", flat=True))
    report = verify_log(_entries(), notes, settings.LOG_ORIGIN, log_key().verify_key)
    stored = with_nodes(lambda node: tree_root(node, report.size)) if report.size else report.root
    if stored != report.root:
        raise CommandError(f"The stored tree's right edge {frontier_of(report.size)} does not fit the entries.")
    lost = Event.objects.filter(entry=None).exclude(pk__in=QueuedEvent.objects.values("pk")).count()
    if lost:
        raise CommandError(f"{lost} events are neither in the log nor in the queue.")
    return report


def _entries() -> Iterator[StoredEntry]:
    for row in Entry.objects.select_related("event").order_by("seq").iterator(chunk_size=2000):
        yield StoredEntry(row.seq, bytes(row.leaf), bytes(row.event.body), row.event.details)


class Command(BaseCommand):
    help = "Check the whole audit log; exit 1 with the first thing that is wrong."
    requires_system_checks = ()  # they import every page, which this command never shows

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        try:
            report = verify()
        except TrustcoreError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"log holds: {report.size} entries, {report.checkpoints} checkpoints, {report.details_checked} details, "
            f"{len(report.scopes)} scopes, {report.unsigned_tail} not signed yet, root {report.root.hex()[:16]}, "
            f"{time.perf_counter() - started:.2f} s"
        )
