"""`manage.py demo_cast`: the people of the demo, a worker, and the files its worker starts with. DEVELOPMENT ONLY.

Safe to run again: who is there stays. Prints one sign-in link per person, or everything as JSON with `--json`.
"""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trustcore.accounts import demo_links
from trustcore.accounts.models import ApiKey, Membership, Organisation, User
from trustcore.accounts.permissions import API_KEY_PERMISSIONS, Role
from trustcore.accounts.services import api_keys, people
from trustcore.audit.actors import Actor
from trustcore.jobs.services import workers
from trustcore.keys.services import signing_keys
from trustcore.primitives.signing import b64

SETUP = Actor.system("demo")
WORKER_ID = "demo-worker-1"
HOME = ("brahmaputra", "Brahmaputra Mutual")
ELSEWHERE = ("elsewhere", "Elsewhere Media")
# name -> (full name, organisation, roles with titles, what they do in the demo)
CAST: dict[str, tuple[str, tuple[str, str], list[tuple[Role, str]], str]] = {
    "asha": ("Asha Baruah", HOME, [], "is the person depicted"),
    "farah": ("Farah Siddiqui", HOME, [(Role.AUTHOR, "Policy author")], "trains replicas and drafts emotion policies"),
    "meera": (
        "Meera Das",
        HOME,
        [(Role.OFFICER, "Compliance"), (Role.APPROVER, "Compliance"), (Role.ADMIN, "Compliance")],
        "invites, decides about identity, approves, stops",
    ),
    "jonas": ("Jonas Weber", HOME, [(Role.APPROVER, "Legal")], "approves"),
    "dev": ("Dev Patel", HOME, [(Role.DEVELOPER, "Integration")], "calls the API"),
    "erin": ("Erin Lindqvist", HOME, [(Role.AUDITOR, "Audit")], "reads and exports the log"),
    "mallory": (
        "Mallory Nobody",
        ELSEWHERE,
        [(role, "Elsewhere") for role in Role],
        "has every right elsewhere and none here",
    ),
}


class Command(BaseCommand):
    help = "Make the demo's people and worker, and print how to sign in as each."
    requires_system_checks = ()  # they import every page, which this command never shows

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo is off. Set TRUSTCORE_DEMO=1 on a machine that holds nobody's real data.")
        users = {name: _person(name) for name in CAST}
        cast = {
            name: {
                "name": user.display_name,
                "email": user.email,
                "public_id": user.public_id,
                "what": CAST[name][3],
                "link": demo_links.link_for(user),
            }
            for name, user in users.items()
        }
        key_file = str(_api_key_file(users["dev"]))
        _worker_files()
        if options["json"]:
            self.stdout.write(json.dumps({"people": cast, "organisation": HOME[0], "api_key_file": key_file}))
            return
        for person in cast.values():
            self.stdout.write(f"{person['name']:<16} {person['what']}\n{'':<16} {person['link']}")


def _person(name: str) -> User:
    full_name, (slug, organisation_name), roles, _ = CAST[name]
    organisation = Organisation.objects.filter(slug=slug).first() or people.create_organisation(
        actor=SETUP, slug=slug, name=organisation_name
    )
    email = f"{name}@{slug}.example"
    user = User.objects.filter(email=email).first() or people.create_user(
        actor=SETUP, email=email, display_name=full_name
    )
    held = set(Membership.objects.filter(user=user, organisation=organisation).values_list("role", flat=True))
    for role, title in roles:
        if role.value not in held:
            people.grant_role(actor=SETUP, user=user, organisation=organisation, role=role, title=title)
    return user


def _api_key_file(dev: User) -> Path:
    """The demo's API key in a file for its owner only; a new one is made when the file or its key is gone."""
    path = Path(settings.SECRETS_DIR) / "demo_api_key"
    organisation = Organisation.objects.get(slug=HOME[0])
    if not path.exists() or not ApiKey.objects.filter(organisation=organisation, revoked_at=None, name="Demo").exists():
        _, text = api_keys.create(
            actor=SETUP,
            organisation=organisation,
            created_by=dev,
            name="Demo",
            scope=[permission.value for permission in API_KEY_PERMISSIONS],
        )
        _write_private(path, text)
    return path


def _worker_files() -> None:
    """The worker's identity, registered here, and the grant keys it pins: it starts with these and nothing else."""
    key = signing_keys.get("worker-demo")
    workers.register(actor=SETUP, name="Demo worker", public_key=key.verify_key.public_bytes, public_id=WORKER_ID)
    _write_private(Path(settings.SECRETS_DIR) / "worker.key", b64(key.seed_for_storage()))
    public = Path(settings.STATE_DIR) / "public"
    public.mkdir(exist_ok=True)
    grant_keys = {kid: b64(verify_key.public_bytes) for kid, verify_key in signing_keys.trusted("grant").items()}
    (public / "grant_keys.json").write_text(json.dumps(grant_keys), encoding="utf-8")


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text + "\n")
