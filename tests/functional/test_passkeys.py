"""Passkeys through HTTP, with a software authenticator that does what a browser and a phone do."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from deploy.demo.authenticator import SoftwarePasskey
from tests.common.cast import Cast
from trustcore.accounts.models import User
from trustcore.accounts.permissions import Role
from trustcore.accounts.services import passkeys, people
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.functional.permission_urls")]
HERE = "http://testserver"
AJAX = {"accept": "application/json", "x-requested-with": "XMLHttpRequest"}


def _signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _add(client: Client, passkey: SoftwarePasskey, name: str = "Phone") -> Any:
    credential = passkey.create(client.get("/accounts/passkeys/add/", headers=AJAX).json())
    return client.post(
        "/accounts/passkeys/add/",
        json.dumps({"name": name, "credential": credential}),
        content_type="application/json",
        headers=AJAX,
    )


def _sign_in(passkey: SoftwarePasskey, client: Client | None = None) -> tuple[Client, Any]:
    client = client or Client()
    options = client.get("/accounts/passkeys/login/", headers=AJAX).json()["request_options"]
    answer = client.post(
        "/accounts/passkeys/login/", {"credential": json.dumps(passkey.get(options)), "next": "/kill/"}
    )
    return client, answer


def test_a_passkey_is_added_and_signs_its_owner_in(cast: Cast) -> None:
    passkey = SoftwarePasskey(HERE)
    assert _add(_signed_in(cast.meera), passkey).status_code == 201
    assert [found.name for found in passkeys.of(cast.meera)] == ["Phone"]
    client, answer = _sign_in(passkey)
    assert answer.status_code == 302 and answer["Location"] == "/kill/"
    assert client.get("/kill/").status_code == 200
    acts = list(
        Event.objects.filter(action__in=["passkey.added", "session.started"])
        .order_by("id")
        .values_list("action", flat=True)
    )
    assert acts == ["passkey.added", "session.started"]


def test_passkey_of_another_site_is_refused_at_registration_and_at_sign_in(cast: Cast) -> None:
    evil = SoftwarePasskey("https://evil.example")
    assert _add(_signed_in(cast.meera), evil).json()["code"] == "request.passkey_invalid"
    passkey = SoftwarePasskey(HERE)
    _add(_signed_in(cast.meera), passkey)
    _, answer = _sign_in(replace(passkey, origin="https://evil.example"))
    assert answer.status_code == 400
    assert not Event.objects.filter(action="session.started").exists()


def test_passkey_without_user_verification_is_refused(cast: Cast) -> None:
    assert _add(_signed_in(cast.meera), SoftwarePasskey(HERE, user_verified=False)).status_code == 400
    passkey = SoftwarePasskey(HERE)
    _add(_signed_in(cast.meera), passkey)
    client, _ = _sign_in(replace(passkey, user_verified=False))
    assert client.get("/kill/").status_code == 302
    assert Event.objects.filter(action="session.refused").count() == 1


def test_a_found_key_without_its_owner_does_not_step_up(cast: Cast) -> None:
    client, passkey = _signed_in(cast.meera), SoftwarePasskey(HERE)
    _add(client, passkey)
    page = client.get("/accounts/reauthenticate/").content.decode()
    assert '"userVerification": "required"' in page


def test_an_answer_to_an_old_challenge_is_refused(cast: Cast) -> None:
    passkey = SoftwarePasskey(HERE)
    _add(_signed_in(cast.meera), passkey)
    client = Client()
    old = client.get("/accounts/passkeys/login/", headers=AJAX).json()["request_options"]
    client.get("/accounts/passkeys/login/", headers=AJAX)
    client.post("/accounts/passkeys/login/", {"credential": json.dumps(passkey.get(old))})
    assert client.get("/kill/").status_code == 302


def test_mallory_cannot_come_in_as_meera_with_her_own_passkey(cast: Cast) -> None:
    meera, mallory = SoftwarePasskey(HERE), SoftwarePasskey(HERE)
    _add(_signed_in(cast.meera), meera)
    _add(_signed_in(cast.mallory), mallory)
    client, _ = _sign_in(replace(mallory, user_handle=meera.user_handle))
    assert client.get("/kill/").status_code == 302


def test_second_passkey_and_removal_need_the_first_one_shown_again(cast: Cast) -> None:
    passkey, client = SoftwarePasskey(HERE), _signed_in(cast.meera)
    _add(client, passkey)
    assert client.get("/accounts/passkeys/add/", headers=AJAX).json()["code"] == "account.reauthentication_needed"
    row = passkeys.of(cast.meera)[0]
    assert (
        client.post(f"/accounts/passkeys/{row.id}/remove/", headers={"accept": "application/json"}).status_code == 403
    )
    fresh, _ = _sign_in(passkey)
    assert _add(fresh, SoftwarePasskey(HERE), "Key").status_code == 201
    assert fresh.post(f"/accounts/passkeys/{row.id}/remove/").status_code == 302
    assert [found.name for found in passkeys.of(cast.meera)] == ["Key"]


def test_nobody_removes_anothers_passkey(cast: Cast) -> None:
    _add(_signed_in(cast.meera), SoftwarePasskey(HERE))
    row = passkeys.of(cast.meera)[0]
    hers = SoftwarePasskey(HERE)
    _add(_signed_in(cast.mallory), hers)
    mallory, _ = _sign_in(hers)
    assert mallory.post(f"/accounts/passkeys/{row.id}/remove/").status_code == 404
    assert len(passkeys.of(cast.meera)) == 1


def test_api_keys_page_shows_a_key_once_and_keeps_to_its_organisation(cast: Cast) -> None:
    dev = _signed_in(cast.dev)
    page = dev.post("/console/api-keys/", {"name": "Desk", "scope": ["conversation.view"]}).content.decode()
    text = page.split('id="new-key">')[1].split("<")[0]
    assert Client().get("/v2/conversations", headers={"x-api-key": text}).status_code == 200
    assert text not in dev.get("/console/api-keys/").content.decode()
    key = cast.organisation.api_keys.get()
    assert _signed_in(cast.mallory).post(f"/console/api-keys/{key.public_id}/revoke/").status_code == 404
    assert _signed_in(cast.erin).get("/console/api-keys/", headers={"accept": "application/json"}).status_code == 403
    assert dev.post(f"/console/api-keys/{key.public_id}/revoke/").status_code == 302
    assert Client().get("/v2/conversations", headers={"x-api-key": text}).status_code == 401


def test_an_admin_gives_and_takes_roles_but_never_their_own(cast: Cast) -> None:
    people.grant_role(actor=Actor.system("t"), user=cast.meera, organisation=cast.organisation, role=Role.ADMIN)
    admin, json_please = _signed_in(cast.meera), {"accept": "application/json"}
    form = {"email": "ravi@studio.example", "display_name": "Ravi", "role": "auditor", "title": "Audit"}
    assert admin.post("/console/members/", form).status_code == 302
    ravi = User.objects.get(email="ravi@studio.example")
    assert _signed_in(ravi).get("/console/members/").status_code == 200
    given = ravi.memberships.get()
    for other in (cast.mallory, cast.dev, ravi):
        expected = 404 if other == cast.mallory else 403
        path = f"/console/members/{given.public_id}/dismiss/"
        assert _signed_in(other).post(path, headers=json_please).status_code == expected
    own = cast.meera.memberships.filter(role="admin").get()
    answer = admin.post(f"/console/members/{own.public_id}/dismiss/", headers=json_please)
    assert answer.json()["code"] == "member.own_roles"
    answer = admin.post("/console/members/", {**form, "email": cast.meera.email}, headers=json_please)
    assert answer.json()["code"] == "member.own_roles"
    assert admin.post("/console/members/", {**form, "role": "king"}, headers=json_please).status_code == 400
    assert admin.post(f"/console/members/{given.public_id}/dismiss/").status_code == 302
    assert _signed_in(ravi).get("/console/members/", headers=json_please).status_code == 403
    assert Event.objects.filter(action="permission.refused", actor_id=ravi.public_id).count() == 2
