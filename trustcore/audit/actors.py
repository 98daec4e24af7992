"""Who acts, and on what, as plain values. The log names people and things by public id: no foreign key, no cascade."""

from dataclasses import dataclass
from typing import Any, Protocol


class _Identified(Protocol):
    public_id: Any


@dataclass(frozen=True)
class Actor:
    """Who acts. `session` and `credential` say how they proved it (a session's hash, a passkey's id)."""

    type: str
    id: str
    session: str = ""
    credential: str = ""

    @classmethod
    def user(cls, user: _Identified, request: Any = None) -> "Actor":
        """A signed-in person; with a request, also which session they act in."""
        session = getattr(request, "session_commitment", "") if request is not None else ""
        return cls("user", str(user.public_id), session=session)

    @classmethod
    def api_key(cls, key: _Identified) -> "Actor":
        return cls("api_key", str(key.public_id), credential=str(getattr(key, "prefix", "")))

    @classmethod
    def worker(cls, worker_id: str) -> "Actor":
        return cls("worker", worker_id)

    @classmethod
    def subject(cls, subject_public_id: str) -> "Actor":
        """The person depicted, acting through an invitation link before they have an account."""
        return cls("subject", subject_public_id)

    @classmethod
    def viewer(cls, viewer_id: str) -> "Actor":
        return cls("viewer", viewer_id)

    @classmethod
    def system(cls, name: str) -> "Actor":
        return cls("system", name)

    @classmethod
    def anyone(cls) -> "Actor":
        """Somebody who has not said who they are."""
        return cls("anyone", "")

    def body(self) -> dict[str, str]:
        return {"type": self.type, "id": self.id, "session": self.session, "credential": self.credential}


@dataclass(frozen=True)
class ObjectRef:
    """What is acted on, when there is no row at hand: a type, a public id, whose it is and whom it depicts."""

    type: str
    id: str
    tenant: str = ""
    subject: str = ""

    @property
    def key(self) -> str:
        return f"{self.type}:{self.id}"


def reference_to(obj: Any) -> ObjectRef:
    """The reference of a governed row (or the reference itself).

    Raises:
        TypeError: the object has no `audit_type` and `public_id`.
    """
    if isinstance(obj, ObjectRef):
        return obj
    audit_type = getattr(obj, "audit_type", None)
    if not audit_type:
        raise TypeError(f"{type(obj).__name__} is not a governed object: give an ObjectRef")
    return ObjectRef(
        type=audit_type,
        id=str(obj.public_id),
        tenant=str(getattr(obj, "tenant", "") or ""),
        subject=str(getattr(obj, "subject_public_id", "") or ""),
    )
