"""Default deny, one error shape, API keys and their limits; Mallory in every one of them."""

import json
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.common.cast import Cast
from trustcore.accounts.permissions import Permission
from trustcore.accounts.services import api_keys
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.functional.permission_urls")]
SHAPE = {"error", "message", "code", "request_id"}


def _client(user: Any, **settings: Any) -> Client:
    client = Client(**settings)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def _key(cast: Cast, *scope: Permission) -> str:
    _, text = api_keys.create(
        actor=Actor.user(cast.dev),
        organisation=cast.organisation,
        created_by=cast.dev,
        name="Desk",
        scope=[permission.value for permission in scope],
    )
    return text


def test_view_without_declaration_is_refused_for_everyone(cast: Cast) -> None:
    for client in (Client(), _client(cast.meera), _client(cast.mallory)):
        answer = client.get("/v2/undeclared")
        assert (answer.status_code, answer.json()["code"]) == (405, "permission.undeclared")


def test_nobody_is_asked_to_sign_in_and_sent_back(cast: Cast) -> None:
    assert Client().get("/v2/conversations").json()["code"] == "account.sign_in_needed"
    answer = Client().get("/kill/")
    assert answer.status_code == 302 and answer["Location"] == "/accounts/login/?next=%2Fkill%2F"


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("meera", 200),
        ("jonas", 403),
        ("farah", 403),
        ("dev", 403),
        ("erin", 403),
        ("asha", 403),
        ("mallory", 200),
    ],
)
def test_roles_decide_and_mallory_acts_only_for_her_own_organisation(cast: Cast, name: str, status: int) -> None:
    assert _client(getattr(cast, name)).get("/kill/", headers={"accept": "application/json"}).status_code == status


def test_choosing_an_organisation_one_does_not_belong_to_changes_nothing(cast: Cast) -> None:
    client = _client(cast.mallory)
    client.post("/accounts/organisation/", {"organisation": "studio"})
    assert client.get("/v2/conversations").json()["organisation"] == "elsewhere"
    session = client.session
    session["organisation"] = "studio"
    session.save()
    assert client.get("/v2/conversations").json()["organisation"] == "elsewhere"


def test_api_key_may_do_what_its_scope_says_and_no_more(cast: Cast) -> None:
    headers = {"x-api-key": _key(cast, Permission.CONVERSATION_VIEW)}
    answer = Client().get("/v2/conversations", headers=headers)
    assert answer.json()["actor"] == "api_key" and answer.json()["organisation"] == "studio"
    refused = Client().post("/v2/conversations", {}, headers=headers, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission.missing")
    assert Client().delete("/v2/conversations", headers=headers).status_code == 405


def test_api_key_can_never_hold_what_only_a_person_may_do(cast: Cast) -> None:
    for permission in (
        Permission.APPROVAL_SIGN,
        Permission.IDENTITY_DECIDE,
        Permission.MEMBER_MANAGE,
        Permission.API_KEY_MANAGE,
    ):
        with pytest.raises(api_keys.ApiKeyScopeInvalid):
            _key(cast, permission)


def test_session_does_not_add_to_a_key(cast: Cast) -> None:
    key = _key(cast, Permission.CONVERSATION_VIEW)
    answer = _client(cast.meera).get("/kill/", headers={"x-api-key": key})
    assert answer.status_code == 403


def test_wrong_unknown_and_revoked_keys_are_refused_alike_and_recorded_apart(cast: Cast) -> None:
    text = _key(cast, Permission.CONVERSATION_VIEW)
    key = cast.organisation.api_keys.get()
    api_keys.revoke(actor=Actor.user(cast.dev), key=key)
    wrong = text[:-3] + "xyz"
    answers = [
        Client().get("/v2/conversations", headers={"x-api-key": bad})
        for bad in (text, wrong, "tc_zz_zz", "junk", "é" * 90)
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({json.dumps({**answer.json(), "request_id": ""}) for answer in answers}) == 1
    reasons = list(Event.objects.filter(action="api_key.refused").order_by("id").values_list("outcome", "body"))
    assert [json.loads(bytes(body))["reason"] for _, body in reasons] == [
        "api_key.revoked",
        "api_key.wrong",
        "api_key.unknown",  # three tries by nobody within a minute are one entry
    ]


def test_key_is_kept_as_a_hash_and_its_use_is_noted(cast: Cast) -> None:
    text = _key(cast, Permission.CONVERSATION_VIEW)
    Client().get("/v2/conversations", headers={"x-api-key": text})
    key = cast.organisation.api_keys.get()
    assert key.last_used_at is not None
    assert text.split("_", 2)[2] not in str(vars(key))


def test_session_writes_need_the_csrf_token_and_key_writes_do_not(cast: Cast) -> None:
    client = _client(cast.dev, enforce_csrf_checks=True)
    assert client.post("/v2/conversations", {}, content_type="application/json").status_code == 403
    headers = {"x-api-key": _key(cast, Permission.CONVERSATION_CREATE)}
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/v2/conversations", {"a": 1}, headers=headers, content_type="application/json").json()[
        "sent"
    ] == {"a": 1}
    assert strict.post("/accounts/organisation/", {}).status_code == 403


def test_errors_have_one_shape_everywhere(cast: Cast) -> None:
    headers = {"x-api-key": _key(cast, Permission.CONVERSATION_CREATE)}
    answers = [
        Client().get("/v2/nothing"),
        Client().get("/v2/conversations"),
        Client().get("/v2/refuses"),
        Client().get("/v2/breaks"),
        Client().post("/v2/conversations", "{not json", headers=headers, content_type="application/json"),
    ]
    for answer in answers:
        body = answer.json()
        assert set(body) >= SHAPE and body["error"] == body["message"]
        assert body["request_id"] == answer["X-Request-Id"]
    assert [answer.status_code for answer in answers] == [404, 401, 400, 500, 400]
    assert answers[2].json()["fields"] == {"clip": ["too long"]}
    assert "1234" not in answers[3].content.decode() and "not told" not in answers[2].content.decode()


def test_people_get_a_page_for_the_same_error() -> None:
    answer = Client().get("/refuses/", headers={"accept": "text/html"})
    assert answer.status_code == 400
    assert b"The clip is too long." in answer.content and b"request.invalid" in answer.content


def test_headers_are_strict_and_the_policy_has_no_inline_script() -> None:
    answer = Client().get("/anyone/")
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy and "unsafe-eval'" not in policy.replace("'wasm-unsafe-eval'", "")
    assert (answer["X-Frame-Options"], answer["Referrer-Policy"], answer["X-Content-Type-Options"]) == (
        "DENY",
        "same-origin",
        "nosniff",
    )
    assert answer["Cache-Control"] == "no-store"


def test_callers_own_request_id_is_not_taken_over() -> None:
    answer = Client().get("/anyone/", headers={"x-request-id": "forged"})
    assert answer["X-Request-Id"] != "forged"


@override_settings(DEMO=False)
def test_demo_link_works_only_in_the_demo_and_only_as_issued(cast: Cast) -> None:
    from trustcore.accounts import demo_links

    with pytest.raises(demo_links.DemoLinkInvalid):
        demo_links.link_for(cast.dev)
    with override_settings(DEMO=True), pytest.warns(demo_links.InsecureSignInWarning):
        path = demo_links.link_for(cast.dev).removeprefix("http://testserver")
    assert Client().get(path).status_code == 404
    with override_settings(DEMO=True):
        assert Client().get(path[:-3] + ("yy/" if path.endswith("xx/") else "xx/")).status_code == 404
        client = Client()
        assert client.get(path).status_code == 302
        assert client.get("/v2/conversations").json()["actor"] == "user"
    assert Event.objects.filter(action="session.started", object_id=cast.dev.public_id).count() == 1
