"""Which organisation a person acts for, and in which roles."""

from trustcore.accounts.models import Membership, Organisation, User


def in_force(user: User, chosen_slug: str | None) -> tuple[Organisation | None, list[Membership]]:
    """The organisation the person acts for now (their choice if they belong to it, else their first) and their
    roles."""
    rows = list(
        Membership.objects.filter(user=user, is_active=True)
        .select_related("organisation")
        .order_by("organisation_id", "id")
    )
    if not rows:
        return None, []
    slugs = {row.organisation.slug for row in rows}
    slug = chosen_slug if chosen_slug in slugs else rows[0].organisation.slug
    mine = [row for row in rows if row.organisation.slug == slug]
    return mine[0].organisation, mine


def of_organisation(organisation: Organisation) -> list[Membership]:
    """Every role that counts here, by person."""
    rows = Membership.objects.filter(organisation=organisation, is_active=True, user__is_active=True)
    return list(rows.select_related("user").order_by("user__display_name", "role"))
