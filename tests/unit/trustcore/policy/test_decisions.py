"""The rules, one by one: each fact that fails gives its own code, alone; all facts right is a yes."""

from dataclasses import replace
from typing import Any

import pytest

from trustcore.policy import decisions, files
from trustcore.policy.decisions import DecisionRefused, Facts, SigningFacts, decide, decide_signing

GOOD = Facts(
    caller_id="k1",
    caller_tenant="studio",
    caller_may_converse=True,
    replica_id="r1",
    replica_tenant="studio",
    replica_version_approved=True,
    key_exists=True,
    identity_verified=True,
    consent_state="live",
    purpose="support",
    audience="adults",
    language="en",
    country="IN",
    context_of_use="public",
    now_s=1_000,
    consent_expires_s=2_000,
    consent_purposes=("support",),
    consent_audiences=("adults",),
    consent_languages=("en", "hi"),
    consent_countries=("IN",),
    policy_approved=True,
    policy_uses=("support/adults",),
    policy_contexts=("public",),
)
BAD: list[tuple[str, dict[str, Any]]] = [
    ("permission.missing", {"caller_may_converse": False}),
    ("replica.not_yours", {"caller_tenant": "elsewhere"}),
    ("kill_switch.pulled", {"kill_switch_pulled": True}),
    ("subject.suspended", {"subject_suspended": True}),
    ("replica.suspended", {"replica_suspended": True}),
    ("replica.unapproved", {"replica_version_approved": False}),
    ("key.missing", {"key_exists": False}),
    ("hold.in_force", {"hold_in_force": True}),
    ("identity.unverified", {"identity_verified": False}),
    ("consent.missing", {"consent_state": "missing"}),
    ("consent.missing", {"consent_state": "anything else"}),
    ("consent.withdrawn", {"consent_state": "withdrawn"}),
    ("consent.suspended", {"consent_state": "suspended"}),
    ("consent.expired", {"consent_state": "expired"}),
    ("consent.expired", {"now_s": 2_000}),
    ("consent.purpose_not_covered", {"purpose": "marketing", "policy_uses": ("marketing/adults",)}),
    ("consent.audience_not_covered", {"audience": "minors", "policy_uses": ("support/minors",)}),
    ("consent.language_not_covered", {"language": "de"}),
    ("consent.country_not_covered", {"country": ""}),
    ("policy.unapproved", {"policy_approved": False}),
    ("policy.use_not_allowed", {"policy_uses": ("support/minors",)}),
    ("policy.context_not_allowed", {"context_of_use": "workplace"}),
]


def test_all_facts_right_is_allowed_and_names_its_policy() -> None:
    decision = decide(GOOD)
    assert decision.allowed and decision.reasons == ()
    assert decision.policy_sha256 == files.policy_sha256()
    assert decision.require() is decision


@pytest.mark.parametrize(("code", "change"), BAD, ids=[f"{code}-{i}" for i, (code, _) in enumerate(BAD)])
def test_each_wrong_fact_is_refused_with_its_own_code(code: str, change: dict[str, Any]) -> None:
    decision = decide(replace(GOOD, **change))
    assert not decision.allowed
    assert decision.reasons == (code,)
    with pytest.raises(DecisionRefused) as refusal:
        decision.require()
    assert refusal.value.facts["reasons"] == (code,)


def test_all_reasons_are_told_in_the_order_of_the_rules() -> None:
    decision = decide(replace(GOOD, policy_approved=False, consent_state="withdrawn", kill_switch_pulled=True))
    assert decision.reasons == ("kill_switch.pulled", "consent.withdrawn", "policy.unapproved")


def test_every_rule_has_a_case_and_a_message() -> None:
    permits = {"allowed", "approval.allowed"}
    forbids = set(decisions.rule_codes()) - permits
    assert {code for code in forbids if not code.startswith("approval.")} == {code for code, _ in BAD}
    assert forbids == set(decisions.MESSAGES)


SIGNER = SigningFacts(
    signer="jonas",
    statement_id="a1",
    author="farah",
    is_person=True,
    may_sign=True,
    same_tenant=True,
    title="Legal",
    signers=("meera",),
    titles=("Compliance",),
)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("approval.needs_a_person", {"is_person": False}),
        ("approval.needs_an_approver", {"may_sign": False}),
        ("approval.needs_an_approver", {"same_tenant": False}),
        ("approval.author_cannot_sign", {"author": "jonas"}),
        ("approval.signed_already", {"signers": ("jonas",)}),
        ("approval.needs_another_title", {"titles": ("Legal",)}),
        ("approval.user_not_verified", {"user_verified": False}),
    ],
)
def test_who_may_sign(code: str, change: dict[str, Any]) -> None:
    assert decide_signing(SIGNER).allowed
    assert decide_signing(replace(SIGNER, **change)).reasons == (code,)
