"""What a key release is made of, before it is sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trustcore.audit.actors import ObjectRef


@dataclass(frozen=True)
class ReleaseTerms:
    """`read`: name -> blob public id of what the slot may open. `write_*`: what it may write, for training only."""

    grant_sha256: str
    replica_version: str
    reference: ObjectRef  # what the events of the release name
    read: Mapping[str, str]
    write_key_id: str | None = None
    write_contexts: Mapping[str, str] = field(default_factory=dict)
    mark: Mapping[str, Any] | None = field(default=None, repr=False)
