"""Make organisations, people and memberships. Every change is recorded."""

from trustcore.accounts.models import Membership, Organisation, User
from trustcore.accounts.permissions import Role
from trustcore.audit import recording
from trustcore.primitives.errors import Refusal


class MemberMissing(Refusal):
    """There is no such person or membership in the caller's organisation."""

    code = "member.missing"


class OwnRolesFixed(Refusal):
    """Nobody gives or takes their own roles."""

    code = "member.own_roles"


class MemberInvalid(Refusal):
    """The e-mail address, name or role of a member is not usable."""

    code = "request.member_invalid"


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


def admit(
    *,
    actor: recording.Actor,
    admin: User,
    organisation: Organisation,
    email: str,
    display_name: str,
    role: str,
    title: str,
) -> Membership:
    """Give somebody a role here; a person nobody knows yet is made first.

    Raises:
        MemberInvalid: the role is unknown, or name or address is missing.
        OwnRolesFixed: the admin names themselves.
    """
    if role not in set(Role) or "@" not in email or not display_name.strip():
        raise MemberInvalid("Give a name, an e-mail address and one of the roles.")
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user == admin:
        raise OwnRolesFixed("Nobody changes their own roles. Ask another administrator.")
    if user is None:
        user = create_user(actor=actor, email=email.strip(), display_name=display_name.strip()[:120])
    held: Membership | None = Membership.objects.filter(user=user, organisation=organisation, role=role).first()
    if held is None:
        return grant_role(actor=actor, user=user, organisation=organisation, role=Role(role), title=title.strip()[:60])
    with recording.recording(actor=actor, action=recording.Action.MEMBERSHIP_GRANTED, obj=held) as event:
        event.add(user=user.public_id, role=role)
        held.is_active, held.title = True, title.strip()[:60]
        held.save(update_fields=["is_active", "title"])
    return held


def dismiss(*, actor: recording.Actor, admin: User, organisation: Organisation, membership_id: str) -> None:
    """Take one role of one person here. Fetching is authorising: other organisations' memberships are not found.

    Raises:
        MemberMissing, OwnRolesFixed
    """
    membership = Membership.objects.filter(organisation=organisation, public_id=membership_id, is_active=True).first()
    if membership is None:
        raise MemberMissing("There is no such membership.")
    if membership.user == admin:
        raise OwnRolesFixed("Nobody changes their own roles. Ask another administrator.")
    revoke_role(actor=actor, membership=membership)
