"""The people of every test. Mallory is an officer and developer, with passkey rights, of another organisation."""

from dataclasses import dataclass

from trustcore.accounts.models import Organisation, User
from trustcore.accounts.permissions import Role
from trustcore.accounts.services import people
from trustcore.audit.actors import Actor

SETUP = Actor.system("tests")


@dataclass(frozen=True)
class Cast:
    """Everyone, by name. `organisation` is where they work; `elsewhere` is Mallory's."""

    organisation: Organisation
    elsewhere: Organisation
    asha: User
    farah: User
    meera: User
    jonas: User
    dev: User
    erin: User
    mallory: User


ROLES: dict[str, list[tuple[Role, str]]] = {
    "asha": [],
    "farah": [(Role.AUTHOR, "Producer")],
    "meera": [(Role.OFFICER, "Compliance"), (Role.APPROVER, "Compliance")],
    "jonas": [(Role.APPROVER, "Legal")],
    "dev": [(Role.DEVELOPER, "Integration")],
    "erin": [(Role.AUDITOR, "Audit")],
}


def assemble() -> Cast:
    """Make the cast through the real services."""
    organisation = people.create_organisation(actor=SETUP, slug="studio", name="Studio")
    elsewhere = people.create_organisation(actor=SETUP, slug="elsewhere", name="Elsewhere")
    users = {}
    for name, roles in ROLES.items():
        users[name] = people.create_user(actor=SETUP, email=f"{name}@studio.example", display_name=name.title())
        for role, title in roles:
            people.grant_role(actor=SETUP, user=users[name], organisation=organisation, role=role, title=title)
    mallory = people.create_user(actor=SETUP, email="mallory@elsewhere.example", display_name="Mallory")
    for role in Role:
        people.grant_role(actor=SETUP, user=mallory, organisation=elsewhere, role=role)
    return Cast(organisation=organisation, elsewhere=elsewhere, mallory=mallory, **users)
