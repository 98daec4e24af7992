"""Decisions: facts in, Cedar asked, a decision out. PURE: no database, no clock; the caller gathers the facts.

Cedar's forbid always wins over permit, and an error inside it counts as no. Every decision carries the hash of the
policy files it ran under. The reasons are the codes that stand as `@id` on the rules in `*.cedar`, in the order of the
files.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cedarpy

from trustcore.policy import files
from trustcore.primitives.errors import Fault, Refusal


class PolicyBroken(Fault):
    """The policy files do not parse, do not fit their schema, or could not be evaluated."""

    code = "policy.broken"


class DecisionRefused(Refusal):
    """The rules said no. `facts["reasons"]` holds every code; the first is the one to show."""

    code = "decision.refused"


@dataclass(frozen=True)
class Facts:
    """Everything a decision about a conversation rests on. Unknown values stay empty: empty is never in any scope."""

    caller_id: str
    caller_tenant: str
    caller_may_converse: bool
    replica_id: str
    replica_tenant: str
    replica_version_approved: bool
    key_exists: bool
    identity_verified: bool
    consent_state: str  # live | missing | withdrawn | suspended | expired
    purpose: str
    audience: str
    language: str
    country: str
    context_of_use: str
    now_s: int  # Unix time
    consent_expires_s: int = 0
    consent_purposes: tuple[str, ...] = ()
    consent_audiences: tuple[str, ...] = ()
    consent_languages: tuple[str, ...] = ()
    consent_countries: tuple[str, ...] = ()
    policy_approved: bool = False
    policy_uses: tuple[str, ...] = ()  # "support/adults": purpose and audience that the emotion policy allows
    policy_contexts: tuple[str, ...] = ()
    replica_suspended: bool = False
    subject_suspended: bool = False
    kill_switch_pulled: bool = False
    hold_in_force: bool = False


@dataclass(frozen=True)
class SigningFacts:
    """Everything a decision about signing an approval rests on."""

    signer: str
    statement_id: str
    author: str
    is_person: bool
    may_sign: bool
    same_tenant: bool
    title: str
    signers: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    user_verified: bool = True


@dataclass(frozen=True)
class Decision:
    """What the rules said. `reasons`: the codes of all rules that forbade it; empty when allowed."""

    allowed: bool
    reasons: tuple[str, ...]
    policy_sha256: str
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def require(self) -> "Decision":
        """This decision, if it allows. Raises DecisionRefused, with the message of the first reason."""
        if not self.allowed:
            raise DecisionRefused(self.message, reasons=self.reasons)
        return self

    @property
    def message(self) -> str:
        """The sentence for the first reason; "" when allowed."""
        if self.allowed:
            return ""
        first = self.reasons[0]
        return MESSAGES.get(first, f"The rules do not allow this ({first}).").format(**self.facts)


MESSAGES: dict[str, str] = {
    "permission.missing": "This key or person may not open conversations. Ask an administrator for the permission.",
    "replica.not_yours": "There is no such replica.",
    "kill_switch.pulled": "All conversations are stopped. Ask a compliance officer.",
    "subject.suspended": "An officer suspended this person's replicas. Ask the officer.",
    "replica.suspended": "An officer suspended this replica. Ask the officer.",
    "replica.unapproved": "Two people have not approved this version of the replica. Ask for the approval first.",
    "key.missing": "The key of this person's data does not exist. The replica cannot be shown.",
    "hold.in_force": "A legal hold forbids showing this replica.",
    "identity.unverified": "This person's identity is not verified. An officer decides about it first.",
    "consent.missing": "This person has not consented. Invite them first.",
    "consent.withdrawn": "This person withdrew the consent. The replica may not speak.",
    "consent.suspended": "The consent is suspended. Ask a compliance officer.",
    "consent.expired": "The consent has expired. Ask the person for a new one.",
    "consent.purpose_not_covered": "The person did not consent to this purpose. Choose one they agreed to.",
    "consent.audience_not_covered": "The person did not consent to this audience. Choose one they agreed to.",
    "consent.language_not_covered": "The person did not consent to this language. Choose one they agreed to.",
    "consent.country_not_covered": "The person did not consent to this country. Choose one they agreed to.",
    "policy.unapproved": "No emotion policy of this replica is approved by two people. Ask for the approval first.",
    "policy.use_not_allowed": "The emotion policy does not allow this purpose for this audience.",
    "policy.context_not_allowed": "The emotion policy does not allow this context of use.",
    "approval.needs_a_person": "Only a person signed in with a passkey can sign. A program cannot.",
    "approval.author_cannot_sign": "You wrote this, so you cannot sign it. Ask an approver.",
    "approval.needs_an_approver": "You are not an approver here. Ask somebody who is.",
    "approval.signed_already": "You signed this already. A second person must.",
    "approval.needs_another_title": "Somebody from {title} signed already. The second signature comes from elsewhere.",
    "approval.user_not_verified": "The passkey did not verify you. Use one with a PIN or a fingerprint.",
}


def decide(facts: Facts) -> Decision:
    """May this caller open this conversation now?

    Raises:
        PolicyBroken: Cedar could not answer. That is never a yes.
    """
    context: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(facts).items()
        if name not in {"caller_id", "replica_id"}
    }
    context["use"] = f"{facts.purpose}/{facts.audience}"
    return _ask("converse", ("Caller", facts.caller_id), ("Replica", facts.replica_id), context)


def decide_signing(facts: SigningFacts) -> Decision:
    """May this person sign this statement?"""
    context: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(facts).items()
        if name != "statement_id"
    }
    return _ask("approve", ("Caller", facts.signer), ("Statement", facts.statement_id), context)


def _ask(action: str, principal: tuple[str, str], resource: tuple[str, str], context: dict[str, Any]) -> Decision:
    policies, schema, order = _loaded()
    request = {
        "principal": {"type": principal[0], "id": principal[1]},
        "action": {"type": "Action", "id": action},
        "resource": {"type": resource[0], "id": resource[1]},
        "context": context,
    }
    result = cedarpy.is_authorized(request, policies, [], schema)
    if result.diagnostics.errors or result.decision == cedarpy.Decision.NoDecision:
        raise PolicyBroken(f"The policy could not be evaluated: {result.diagnostics.errors}")
    if result.allowed:
        return Decision(True, (), files.policy_sha256(), context)
    codes = [result.diagnostics.id_annotations_by_reason[reason] for reason in result.diagnostics.reasons]
    return Decision(False, tuple(sorted(codes, key=order.index)), files.policy_sha256(), context)


@functools.cache
def _loaded() -> tuple[Any, Any, list[str]]:
    """The parsed policies, their schema, and the rules' codes in file order. Parsed once: 8x faster per decision."""
    paths = files.policy_paths()
    rules = "\n".join(path.read_text(encoding="utf-8") for path in paths if path.suffix == ".cedar")
    schema = "\n".join(path.read_text(encoding="utf-8") for path in paths if path.suffix == ".cedarschema")
    checked = cedarpy.validate_policies(rules, schema)
    if not checked.validation_passed:
        raise PolicyBroken(f"The policy files do not fit their schema: {checked.errors}")
    return cedarpy.PolicySet.from_str(rules), cedarpy.Schema.from_str(schema), rule_codes()


def rule_codes() -> list[str]:
    """Every `@id` of the policy files, in order: the codes a decision can give."""
    codes = []
    for path in files.policy_paths():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith('@id("'):
                codes.append(line[5:-2])
    return codes
