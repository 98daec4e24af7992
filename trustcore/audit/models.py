"""The log's tables. Events are written by `recording` only; entries, tree and checkpoints by the sequencer only.

Events, entries, nodes and checkpoints are append-only: statement triggers refuse UPDATE, DELETE and TRUNCATE (migration
0001). The queue and the scope heads are the sequencer's scratch: they hold nothing that cannot be rebuilt from events
and entries. A scope's salt goes when its person is erased.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Event(models.Model):
    """One thing that happened, written in the transaction in which it happened. `body` is the canonical bytes."""

    public_id = models.CharField(max_length=36, unique=True)  # UUID version 7
    xid = models.BigIntegerField(default=0)  # set by the insert trigger to the transaction's own id, never by us
    at = models.DateTimeField()
    tenant = models.CharField(max_length=40, blank=True)
    actor_type = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=80, blank=True)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=80)
    objects_covered = ArrayField(models.CharField(max_length=124))  # "type:id", the main object first
    subject_commitment = models.CharField(max_length=64, blank=True)
    outcome = models.CharField(max_length=10)  # done | refused
    body = models.BinaryField()
    details = models.JSONField(default=dict)  # {"salt", "open": {...}, "personal": base64 ciphertext or null}

    class Meta:
        db_table = "trustcore_audit_event"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["xid"], name="audit_event_xid"),
            models.Index(fields=["object_type", "object_id", "id"], name="audit_event_object"),
            models.Index(fields=["tenant", "id"], name="audit_event_tenant"),
            models.Index(fields=["subject_commitment", "id"], name="audit_event_subject"),
            models.Index(fields=["action", "id"], name="audit_event_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type}:{self.object_id}"


class QueuedEvent(models.Model):
    """An event the sequencer has not numbered yet. The insert trigger adds it, the sequencer takes it away."""

    event = models.OneToOneField(Event, on_delete=models.PROTECT, primary_key=True, related_name="+")

    class Meta:
        db_table = "trustcore_audit_queue"

    def __str__(self) -> str:
        return str(self.event_id)


class Entry(models.Model):
    """One leaf of the log: a number, the hash of the event's body, and the links of its scopes."""

    seq = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="entry")
    leaf = models.BinaryField()  # canonical JSON, trustcore/primitives/log_entries.py
    leaf_hash = models.BinaryField()  # 32 bytes, RFC 6962
    tenant_scope = models.CharField(max_length=80)
    subject_scope = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "trustcore_audit_entry"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["tenant_scope", "-seq"], name="audit_entry_tenant"),
            models.Index(fields=["subject_scope", "-seq"], name="audit_entry_subject"),
        ]

    def __str__(self) -> str:
        return str(self.seq)


class TreeNode(models.Model):
    """The hash of one complete subtree: 2^level leaves, the index-th of its level. Leaf hashes lie in the entries."""

    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    node_hash = models.BinaryField()

    class Meta:
        db_table = "trustcore_audit_node"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["level", "index"], name="audit_node_once"),
        ]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class ScopeHead(models.Model):
    """Where a tenant's or subject's chain stands: how many entries it has, and the last one's leaf hash."""

    scope = models.CharField(max_length=80, primary_key=True)
    n = models.BigIntegerField()
    last_leaf = models.BinaryField()

    class Meta:
        db_table = "trustcore_audit_scope"

    def __str__(self) -> str:
        return f"{self.scope}: {self.n}"


class Checkpoint(models.Model):
    """A signed statement of the log's size and root (C2SP), with the root of the map scope -> last n."""

    size = models.BigIntegerField(unique=True)
    root = models.BinaryField()
    scopes_root = models.BinaryField()
    note = models.TextField()  # the signed note, as published
    at = models.DateTimeField()

    class Meta:
        db_table = "trustcore_audit_checkpoint"

    def __str__(self) -> str:
        return f"size {self.size}"


class ScopeSalt(models.Model):
    """The salt behind a tenant's or subject's commitment in the log. Erasing the row unlinks the log from the
    person."""

    name = models.CharField(max_length=120, unique=True)  # "tenant:<slug>" or "subject:<public id>"
    salt = models.BinaryField()

    class Meta:
        db_table = "trustcore_audit_scope_salt"

    def __str__(self) -> str:
        return self.name
