"""Make organisations, people and memberships. Every change is recorded."""

from trustcore.accounts.models import Membership, Organisation, User
from trustcore.accounts.permissions import Role
from trustcore.audit import recording


def create_organisation(*, actor: recording.Actor, slug: str, name: str) -> Organisation:
    organisation = Organisation(slug=slug, name=name)
    with recording.recording(actor=actor, action=recording.Action.ORGANISATION_CREATED, obj=organisation):
        organisation.save()
    return organisation


def create_user(*, actor: recording.Actor, email: str, display_name: str) -> User:
    """A person without a password: they sign in with a passkey, or by a one-time link the first time."""
    user = User(email=email.lower(), display_name=display_name)
    user.set_unusable_password()
    with recording.recording(actor=actor, action=recording.Action.USER_CREATED, obj=user):
        user.save()
    return user


def grant_role(
    *, actor: recording.Actor, user: User, organisation: Organisation, role: Role, title: str = ""
) -> Membership:
    membership = Membership(user=user, organisation=organisation, role=role.value, title=title)
    with recording.recording(actor=actor, action=recording.Action.MEMBERSHIP_GRANTED, obj=membership) as event:
        event.add(user=user.public_id, role=role.value)
        membership.save()
    return membership


def revoke_role(*, actor: recording.Actor, membership: Membership, reason: str = "") -> None:
    with recording.recording(
        actor=actor, action=recording.Action.MEMBERSHIP_REVOKED, obj=membership, reason=reason
    ) as event:
        event.add(user=membership.user.public_id, role=membership.role)
        membership.is_active = False
        membership.save(update_fields=["is_active"])
