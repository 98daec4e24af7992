"""The sequencer: takes events that are committed and not numbered yet, and makes them the log.

One leader at a time (an advisory lock). A batch is one transaction: entries, tree nodes and scope heads are there
together or not at all. It claims the rows it can see in the queue and never asks for "everything after the last
number": identity order is not commit order, and such a reader would skip a transaction that commits late.
"""

import logging
import threading
import time
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string

from trustcore.audit import commitments, nodes
from trustcore.audit.errors import SequencerBusy
from trustcore.audit.health import LATE_AFTER
from trustcore.audit.models import Checkpoint, Entry, Event, QueuedEvent
from trustcore.audit.models import ScopeHead as ScopeHeadRow
from trustcore.primitives import checkpoints, merkle
from trustcore.primitives.clock import utc_now
from trustcore.primitives.log_entries import ScopeHead, advance, leaf_bytes, scopes_tree
from trustcore.primitives.signing import SigningKey

logger = logging.getLogger(__name__)

BATCH_ROWS = 512
POLL_S = 0.05  # a poll, not NOTIFY: a notification takes a lock that would make every commit wait for the one before
CHECKPOINT_EVERY_S = 0.5
LEADER_LOCK = 0x7472_7573_7463  # "trustc"


class Sequencer:
    """Holds the tree's right edge and the scope heads between batches; the database is the truth it reloads from."""

    def __init__(self) -> None:
        self._size = -1  # unknown until loaded
        self._frontier: dict[nodes.Coordinates, bytes] = {}
        self._heads: dict[str, ScopeHead] = {}
        self._tenant_scopes: dict[str, str] = {}

    # --- the loop ----------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Sequence until `stop` is set. Waits its turn while another process leads."""
        while not stop.is_set() and not _lead(for_transaction=False):
            stop.wait(1.0)
        signed_at = 0.0
        while not stop.is_set():
            moved = self.step()
            if time.monotonic() - signed_at >= CHECKPOINT_EVERY_S and self.sign_checkpoint():
                signed_at = time.monotonic()
            if moved < BATCH_ROWS:
                _warn_when_late()
                stop.wait(POLL_S)
        self.drain()

    def drain(self) -> int:
        """Sequence everything that is committed now, and sign. Returns how many entries were made.

        Raises:
            SequencerBusy: another process is doing it.
        """
        total = 0
        while moved := self.step():
            total += moved
        self.sign_checkpoint()
        return total

    # --- one batch ---------------------------------------------------------------------------------------------------

    def step(self) -> int:
        """Make entries of up to 512 committed events. Returns how many.

        Raises:
            SequencerBusy: another process leads.
        """
        with transaction.atomic():
            if not _lead(for_transaction=True):
                raise SequencerBusy("Another process is sequencing the log.")
            self._load()
            rows = _claim()
            if not rows:
                return 0
            first, self._size = self._size, -1  # unknown until the batch is whole: a failure makes the next one reload
            self._append(first, rows)
            return len(rows)

    def _append(self, first: int, rows: list[dict[str, Any]]) -> None:
        leaves, entries = [], []
        changed: set[str] = set()
        for offset, row in enumerate(rows):
            scopes = [self._tenant_scope(row["tenant"])]
            if row["subject_commitment"]:
                scopes.append(commitments.subject_scope(row["subject_commitment"]))
            leaf = leaf_bytes(first + offset, bytes(row["body"]), scopes, self._heads)
            leaf_hash = merkle.leaf_hash(leaf)
            advance(self._heads, scopes, leaf_hash)
            changed.update(scopes)
            leaves.append(leaf_hash)
            entries.append((first + offset, row["id"], leaf, leaf_hash, scopes[0], scopes[1] if scopes[1:] else ""))
        made = merkle.new_nodes(lambda level, index: self._frontier[level, index], first, leaves)
        _store(entries, [node for node in made if node[0] > 0], {scope: self._heads[scope] for scope in changed})
        QueuedEvent.objects.filter(event_id__in=[row["id"] for row in rows]).delete()
        known = self._frontier | {(level, index): value for level, index, value in made}
        self._size = first + len(rows)
        self._frontier = {place: known[place] for place in nodes.frontier_of(self._size)}

    # --- checkpoints -------------------------------------------------------------------------------------------------

    def sign_checkpoint(self) -> bool:
        """Sign the log as it stands. False when the last checkpoint says so already.

        Raises:
            SequencerBusy: another process leads.
        """
        with transaction.atomic():
            if not _lead(for_transaction=True):
                raise SequencerBusy("Another process is sequencing the log.")
            self._load()
            if Checkpoint.objects.filter(size=self._size).exists():
                return False
            root = merkle.tree_root(lambda level, index: self._frontier[level, index], self._size)
            scopes_root = scopes_tree(self._heads).root
            note = checkpoints.sign_checkpoint(
                checkpoints.Checkpoint(settings.LOG_ORIGIN, self._size, root, scopes_root), log_key()
            )
            Checkpoint.objects.create(size=self._size, root=root, scopes_root=scopes_root, note=note, at=utc_now())
            return True

    # --- state -------------------------------------------------------------------------------------------------------

    def _load(self) -> None:
        """Take size, right edge and scope heads from the database, unless it stands where memory does."""
        last = Entry.objects.order_by("-seq").values_list("seq", flat=True).first()
        size = 0 if last is None else last + 1
        if size == self._size:
            return
        self._frontier = nodes.fetch(nodes.frontier_of(size))
        self._heads = {
            row.scope: ScopeHead(row.n, bytes(row.last_leaf)) for row in ScopeHeadRow.objects.all().iterator()
        }
        self._tenant_scopes = {}
        self._size = size

    def _tenant_scope(self, tenant: str) -> str:
        if tenant not in self._tenant_scopes:
            self._tenant_scopes[tenant] = commitments.tenant_scope(tenant)
        return self._tenant_scopes[tenant]


def settle(timeout_s: float = 10.0) -> None:
    """Wait until every event committed before now is in the log and under a checkpoint; do it here if nobody else does.

    Raises:
        SequencerBusy: another process leads and does not get there in time.
    """
    wanted = Event.objects.order_by("-id").values_list("id", flat=True).first()
    deadline = time.monotonic() + timeout_s
    while wanted is not None and not _is_signed():
        try:
            Sequencer().drain()
        except SequencerBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)


def log_key() -> SigningKey:
    """The log's signing key, from the keys package (which audit does not know)."""
    key: SigningKey = import_string(settings.AUDIT_LOG_KEY)("checkpoint")
    return key


def _is_signed() -> bool:
    """Whether the queue is empty and the newest checkpoint covers every entry."""
    newest = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first()
    last = Entry.objects.order_by("-seq").values_list("seq", flat=True).first()
    return not QueuedEvent.objects.exists() and newest is not None and last is not None and newest == last + 1


def _lead(*, for_transaction: bool) -> bool:
    """Take the leader's lock: for the session (the standing sequencer), or for this transaction."""
    function = "pg_try_advisory_xact_lock" if for_transaction else "pg_try_advisory_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [LEADER_LOCK])
        return bool(cursor.fetchone()[0])


def _claim() -> list[dict[str, Any]]:
    """The oldest queued events that this transaction can see, locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, e.tenant, e.subject_commitment, e.body FROM trustcore_audit_queue q "
            "JOIN trustcore_audit_event e ON e.id = q.event_id ORDER BY q.event_id LIMIT %s FOR UPDATE OF q",
            [BATCH_ROWS],
        )
        return [
            {"id": row[0], "tenant": row[1], "subject_commitment": row[2], "body": row[3]} for row in cursor.fetchall()
        ]


def _store(entries: list[tuple[Any, ...]], made: list[tuple[int, int, bytes]], heads: dict[str, ScopeHead]) -> None:
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY trustcore_audit_entry (seq, event_id, leaf, leaf_hash, tenant_scope, subject_scope) FROM STDIN"
        ) as copy:
            for entry in entries:
                copy.write_row(entry)
        with cursor.copy("COPY trustcore_audit_node (level, index, node_hash) FROM STDIN") as copy:
            for node in made:
                copy.write_row(node)
        cursor.executemany(
            "INSERT INTO trustcore_audit_scope (scope, n, last_leaf) VALUES (%s, %s, %s) "
            "ON CONFLICT (scope) DO UPDATE SET n = EXCLUDED.n, last_leaf = EXCLUDED.last_leaf",
            [(scope, head.n, head.last_leaf) for scope, head in heads.items()],
        )


def _warn_when_late() -> None:
    oldest = QueuedEvent.objects.order_by("event_id").values_list("event__at", flat=True).first()
    if oldest is not None and utc_now() - oldest > LATE_AFTER:
        logger.error("the log is late: an event of %s is not numbered yet", oldest.isoformat())
