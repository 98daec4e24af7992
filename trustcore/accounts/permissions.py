"""Who may do what: one enum, one table of roles, and the declaration every view carries. PURE but for the decorators.

A view without a declaration is refused by `web.middleware.PermissionMiddleware`; an architecture test finds it first.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar


class Permission(StrEnum):
    """One thing a person or an API key may do. The first word is the noun of the glossary."""

    SIGNED_IN = "account.use"  # any signed-in person, about their own things only; selectors narrow to their rows
    SUBJECT_VIEW = "subject.view"
    SUBJECT_INVITE = "subject.invite"
    SUBJECT_SUSPEND = "subject.suspend"
    IDENTITY_VIEW = "identity.view"
    IDENTITY_DECIDE = "identity.decide"
    FOOTAGE_UPLOAD = "footage.upload"
    TRAINING_START = "training.start"
    REPLICA_VIEW = "replica.view"
    POLICY_VIEW = "policy.view"
    POLICY_DRAFT = "policy.draft"
    APPROVAL_VIEW = "approval.view"
    APPROVAL_REQUEST = "approval.request"
    APPROVAL_SIGN = "approval.sign"
    PERSONA_VIEW = "persona.view"
    PERSONA_EDIT = "persona.edit"
    CONVERSATION_VIEW = "conversation.view"
    CONVERSATION_CREATE = "conversation.create"
    CONVERSATION_END = "conversation.end"
    STREAM_KILL = "stream.kill"
    RECORDING_VIEW = "recording.view"
    LEVELS_VIEW = "levels.view"
    LEVELS_SET = "levels.set"
    LEVELS_REPORT = "levels.report"
    AUDIT_VIEW = "audit.view"
    AUDIT_EXPORT = "audit.export"
    API_KEY_MANAGE = "api_key.manage"
    MEMBER_VIEW = "member.view"
    MEMBER_MANAGE = "member.manage"
    HOLD_MANAGE = "hold.manage"


class Role(StrEnum):
    """What a membership makes of a person. One person may hold several roles in one organisation."""

    OFFICER = "officer"
    APPROVER = "approver"
    AUTHOR = "author"
    DEVELOPER = "developer"
    AUDITOR = "auditor"
    ADMIN = "admin"


P = Permission
_SEE = frozenset(
    {
        P.SIGNED_IN,
        P.SUBJECT_VIEW,
        P.REPLICA_VIEW,
        P.POLICY_VIEW,
        P.APPROVAL_VIEW,
        P.PERSONA_VIEW,
        P.CONVERSATION_VIEW,
        P.LEVELS_VIEW,
    }
)
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OFFICER: _SEE
    | {
        P.SUBJECT_INVITE,
        P.SUBJECT_SUSPEND,
        P.IDENTITY_VIEW,
        P.IDENTITY_DECIDE,
        P.CONVERSATION_END,
        P.STREAM_KILL,
        P.RECORDING_VIEW,
        P.AUDIT_VIEW,
        P.MEMBER_VIEW,
        P.HOLD_MANAGE,
        P.LEVELS_SET,
        P.LEVELS_REPORT,
    },
    Role.APPROVER: _SEE | {P.APPROVAL_SIGN},
    Role.AUTHOR: _SEE | {P.FOOTAGE_UPLOAD, P.TRAINING_START, P.POLICY_DRAFT, P.APPROVAL_REQUEST, P.PERSONA_EDIT},
    Role.DEVELOPER: frozenset(
        {
            P.SIGNED_IN,
            P.REPLICA_VIEW,
            P.PERSONA_VIEW,
            P.PERSONA_EDIT,
            P.CONVERSATION_VIEW,
            P.CONVERSATION_CREATE,
            P.CONVERSATION_END,
            P.RECORDING_VIEW,
            P.POLICY_VIEW,
            P.API_KEY_MANAGE,
            P.LEVELS_VIEW,
            P.LEVELS_REPORT,
        }
    ),
    Role.AUDITOR: _SEE | {P.IDENTITY_VIEW, P.RECORDING_VIEW, P.AUDIT_VIEW, P.AUDIT_EXPORT, P.MEMBER_VIEW}
    | {P.LEVELS_REPORT},
    Role.ADMIN: frozenset({P.SIGNED_IN, P.MEMBER_VIEW, P.MEMBER_MANAGE, P.API_KEY_MANAGE}),
}

# What an API key may ever hold. Approvals, identity decisions and memberships need a person with a passkey.
API_KEY_PERMISSIONS: frozenset[Permission] = frozenset(
    {
        P.REPLICA_VIEW,
        P.PERSONA_VIEW,
        P.PERSONA_EDIT,
        P.CONVERSATION_VIEW,
        P.CONVERSATION_CREATE,
        P.CONVERSATION_END,
        P.RECORDING_VIEW,
        P.POLICY_VIEW,
    }
)


def of_roles(roles: list[str]) -> frozenset[Permission]:
    """Everything these roles may do together. An unknown role grants nothing."""
    known = [Role(role) for role in roles if role in set(Role)]
    return frozenset().union(*(ROLE_PERMISSIONS[role] for role in known)) if known else frozenset()


PUBLIC = "public"
DECLARATION = "trustcore_permission"
View = TypeVar("View", bound=Callable[..., Any])


def requires(permission: Permission | None = None, **by_method: Permission | str) -> Callable[[View], View]:
    """Declare what a view needs: one permission for all methods, or one per method (`GET=..., POST=...`).

    A method that is not named in the second form is refused.
    """
    if (permission is None) == (not by_method):
        raise TypeError("name one permission, or one per method")
    declaration = permission if permission is not None else dict(by_method)

    def declare(view: View) -> View:
        setattr(view, DECLARATION, declaration)
        return view

    return declare


def public(view: View) -> View:
    """Declare that anyone may call the view. What it needs instead (a token, a signature), it checks itself."""
    setattr(view, DECLARATION, PUBLIC)
    return view


def declared(view: object, method: str) -> Permission | str | None:
    """What the view demands for this HTTP method: a permission, PUBLIC, or None when nothing was declared."""
    declaration = getattr(view, DECLARATION, None)
    if isinstance(declaration, dict):
        return declaration.get("GET" if method in {"HEAD", "OPTIONS"} else method)
    return declaration
