"""Reading emotion policies. Which version is in force is not known here: that is the newest one with its approvals."""

from trustcore.accounts.models import Organisation
from trustcore.policy.models import EmotionPolicy, EmotionPolicyVersion


def of_organisation(organisation: Organisation) -> list[EmotionPolicy]:
    return list(EmotionPolicy.objects.filter(organisation=organisation).order_by("name"))


def of_replica(replica_public_id: str) -> EmotionPolicy | None:
    return EmotionPolicy.objects.select_related("organisation").filter(replica_public_id=replica_public_id).first()


def versions_newest_first(policy: EmotionPolicy) -> list[EmotionPolicyVersion]:
    return list(policy.versions.select_related("policy__organisation", "author").order_by("-number"))


def version(policy: EmotionPolicy, number: int) -> EmotionPolicyVersion | None:
    return policy.versions.select_related("policy__organisation", "author").filter(number=number).first()
