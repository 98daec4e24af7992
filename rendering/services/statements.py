"""What two officers sign about a replica version: built from the row and the consent as they are now, never stored.

An approval is in force only for the statement that this function gives today, so a new training, another report or a
new consent leaves the old signatures behind.
"""

from typing import Any

from consent.selectors import ConsentFacts
from consent.services import approvals
from rendering.models import ReplicaVersion
from rendering.services import quality
from trustcore.policy.models import EmotionPolicyVersion
from trustcore.primitives.clock import to_rfc3339
from trustcore.primitives.hashing import statement_sha256

KIND = "replica"
POLICY_KIND = "emotion_policy"


def for_replica(version: ReplicaVersion, consent: ConsentFacts) -> dict[str, Any]:
    """The canonical statement about a trained version."""
    name, scope = consent.subject_name, consent.scope
    emotions = (
        ", ".join(f"{emotion} up to {milli}" for emotion, milli in scope.emotions_max_milli if milli) or "neutral only"
    )
    text = [
        f"I approve replica version {version.number} of {name} for live use inside the scope agreed to on "
        f"{consent.agreed_at:%-d %B %Y}: {', '.join(scope.purposes)} to {', '.join(scope.audiences)} in "
        f"{', '.join(scope.territories)}, with {emotions}.",
        "I have looked at the evidence on this page.",
        "I did not train this replica.",
    ]
    facts = {
        "replica_id": version.replica.public_id, "version": version.number, "replica_sha256": version.replica_sha256,
        "subject_id": version.subject_public_id, "footage_sha256": version.footage.sha256,
        "author_id": version.author.public_id,
        "trained_at": to_rfc3339(version.finished_at) if version.finished_at else "", "iterations": version.iterations,
        "figures": quality.figures(version.report), "consent_id": consent.public_id,
        "consent_receipt_sha256": consent.receipt_sha256,
        "files": {a.name: a.sha256 for a in version.artefacts.order_by("name")},
    }
    return approvals.statement_for(
        KIND, version.public_id, question=f"May version {version.number} of {name} speak for her or him?", text=text,
        facts=facts,
        evidence_url=f"/console/replicas/{version.replica.public_id}/v/{version.number}/")


def sha256_for_replica(version: ReplicaVersion, consent: ConsentFacts) -> str:
    return statement_sha256(for_replica(version, consent))


def for_policy(version: EmotionPolicyVersion, subject_name: str) -> dict[str, Any]:
    """The canonical statement about one version of an emotion policy. Its facts are the version's own statement."""
    content = version.content
    shown = (
        ", ".join(f"{emotion} up to {milli}" for emotion, milli in content["emotions_max_milli"].items() if milli)
        or "neutral only"
    )
    uses = "; ".join(
        f"{purpose} for {', '.join(f'{audience} at most {milli}' for audience, milli in row.items())}"
        for purpose, row in content["uses"].items()
    )
    text = [
        f"I approve version {version.number} of the emotion policy for {subject_name}: {shown}, in thousandths.",
        f"Uses: {uses}. Where: {', '.join(content['contexts'])}. "
        f"At most {content['session_max_min']} minutes a session.",
        "I did not write this version.",
    ]
    return approvals.statement_for(
        POLICY_KIND, version.public_id, question=f"May the replica of {subject_name} show this much?", text=text,
        facts=version.statement,
        evidence_url=f"/console/policies/{version.policy.public_id}/v/{version.number}/")


def sha256_for_policy(version: EmotionPolicyVersion, subject_name: str) -> str:
    return statement_sha256(for_policy(version, subject_name))
