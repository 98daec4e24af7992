"""Mallory holds every role in another organisation and knows every id of this one: no address gives her anything."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from consent.models import ApprovalRequest, Consent, IdentityCheck
from rendering.models import Conversation, Footage
from tests.common import replicas
from tests.common.replicas import USE
from trustcore.accounts.models import ApiKey, Membership
from trustcore.accounts.permissions import DECLARATION, PUBLIC, Role
from trustcore.audit import sequencer
from trustcore.audit.models import Entry, Event
from trustcore.policy.models import EmotionPolicy

pytestmark = pytest.mark.django_db
FORM = {
    "reason": "mine now", "decision": "accept", "act": "place", "subject": "", "iterations": "500", "title": "x",
    "emotion_joy": "1000", "use_support_adults": "on", "contexts": "public", "session_max_min": "60",
}  # fmt: skip


@pytest.fixture
def stage(cast: Any, monkeypatch: Any) -> replicas.Stage:
    return replicas.set_stage(cast, monkeypatch)


def signed_in(user: Any) -> Client:
    assert set(Membership.objects.filter(user=user).values_list("role", flat=True)) == {role.value for role in Role}
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def patterns(found: Any = None, prefix: str = "") -> Any:
    for entry in (found or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield route, entry.callback
        else:
            yield from patterns(entry, route)


def ids_of(stage: Any, conversation_id: str) -> list[str]:
    footage = Footage.objects.get()
    return [
        conversation_id, stage.replica.public_id, stage.version.public_id, stage.consent.subject_public_id,
        stage.consent.public_id, footage.public_id, footage.blob_public_id, EmotionPolicy.objects.get().public_id,
        IdentityCheck.objects.get().public_id, *ApprovalRequest.objects.values_list("public_id", flat=True),
        ApiKey.objects.get(organisation=stage.cast.organisation).public_id,
        Membership.objects.filter(user=stage.cast.meera).first().public_id,
    ]  # fmt: skip


def test_every_address_with_every_id_of_another_house(stage: Any) -> None:
    key = {"x-api-key": stage.api_key}
    body = json.dumps({"replica_id": stage.replica.public_id, **USE})
    made = Client().post("/v2/conversations", body, content_type="application/json", headers=key).json()
    sequencer.settle()
    ids, cast = ids_of(stage, made["conversation_id"]), stage.cast
    mallory = signed_in(cast.mallory)
    last, secrets, asked = Event.objects.order_by("-id").first().id, [*ids, "Asha"], 0
    seqs = list(Entry.objects.filter(event__tenant="studio").values_list("seq", flat=True)[:2])
    for route, view in patterns():
        if getattr(view, DECLARATION, PUBLIC) == PUBLIC or "<" not in route:
            continue
        for public_id in ids:
            path = "/" + re.sub(r"<(?:slug|str):[^>]*name>", "portrait.png", route)
            path = re.sub(r"<int:seq>", str(seqs[0]), path)
            path = re.sub(r"<int:[^>]+>", "1", path)
            path = re.sub(r"<(?:slug|str):[^>]+>", public_id, path)
            for answer in (mallory.get(path), mallory.post(path, FORM)):
                asked += 1
                text = b"".join(answer) if answer.streaming else answer.content
                assert answer.status_code in (302, 400, 403, 404, 405, 409, 422), (answer.status_code, path)
                assert answer.status_code != 302 or path.startswith("/accounts/"), (path, answer["Location"])
                told = text.decode(errors="replace").replace(public_id, "")
                assert not any(one in told for one in secrets if one != public_id), path
    assert asked > 300
    wrong = Event.objects.filter(id__gt=last, tenant="studio")
    assert not wrong.exists(), list(wrong.values_list("action", "object_id"))
    assert Consent.objects.get().state == "in_force" and Conversation.objects.get().state == "waiting"


def test_bodies_that_name_another_house(stage: Any) -> None:
    """Ids in forms and JSON, where the address itself is Mallory's own."""
    cast = stage.cast
    mallory = signed_in(cast.mallory)
    last = Event.objects.order_by("-id").first().id
    subject, replica = stage.consent.subject_public_id, stage.replica.public_id
    for path, form in (
        ("/console/footage/begin/", {"subject": subject}), ("/console/policies/new/", {"replica": replica, **FORM}),
        ("/accounts/organisation/", {"organisation": cast.organisation.slug}),
    ):  # fmt: skip
        answer = mallory.post(path, form)
        assert answer.status_code < 500 and "Asha" not in answer.content.decode(), path
    for body in ({"replica_id": replica, **USE}, {"persona_id": "p1", "replica_id": replica, **USE}):
        answer = mallory.post("/v2/conversations", json.dumps(body), content_type="application/json")
        assert answer.status_code in (403, 404, 409), answer.content
    assert not Event.objects.filter(id__gt=last, tenant="studio").exists()
    theirs = set(Entry.objects.filter(event__tenant="studio").values_list("seq", flat=True))
    assert not theirs & {row.seq for row in mallory.get("/audit/").context["rows"]}
