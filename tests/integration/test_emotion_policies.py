"""Emotion policies: versions are never edited, and each has its own statement to sign."""

import pytest
from django.db import DatabaseError, connection, transaction

from tests.common.cast import Cast
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.policy import selectors
from trustcore.policy.content import PolicyInvalid
from trustcore.policy.models import EmotionPolicy, EmotionPolicyVersion
from trustcore.policy.services import emotion_policies

CONTENT = {"emotions_max_milli": {"joy": 500}, "uses": {"support": {"adults": 1000}}, "contexts": ["public"]}
pytestmark = pytest.mark.django_db


@pytest.fixture
def version(cast: Cast) -> EmotionPolicyVersion:
    return emotion_policies.create(
        actor=Actor.user(cast.farah),
        organisation=cast.organisation,
        author=cast.farah,
        replica_public_id="r1",
        subject_public_id="s1",
        name="Asha, care desk",
        content=CONTENT,
    )


def _edit(cast: Cast, policy: EmotionPolicy, joy: int) -> EmotionPolicyVersion:
    content = {**CONTENT, "emotions_max_milli": {"joy": joy}}
    return emotion_policies.edit(actor=Actor.user(cast.farah), author=cast.farah, policy=policy, content=content)


def test_any_edit_is_a_new_version_with_another_statement(cast: Cast, version: EmotionPolicyVersion) -> None:
    second = _edit(cast, version.policy, 600)
    third = _edit(cast, version.policy, 500)
    assert [row.number for row in selectors.versions_newest_first(version.policy)] == [3, 2, 1]
    assert len({version.sha256, second.sha256, third.sha256}) == 3  # even going back is another statement
    first = selectors.version(version.policy, 1)
    assert first is not None and first.content["emotions_max_milli"]["joy"] == 500 and first.sha256 == version.sha256


def test_submitting_closes_the_draft_once(cast: Cast, version: EmotionPolicyVersion) -> None:
    statement = emotion_policies.submit(actor=Actor.user(cast.farah), version=version)
    assert statement["content"]["emotions_max_milli"]["joy"] == 500
    with pytest.raises(emotion_policies.PolicySubmitted):
        emotion_policies.submit(actor=Actor.user(cast.farah), version=version)
    event = Event.objects.get(action="policy.submitted")
    assert event.details["open"]["statement_sha256"] == version.sha256


def test_one_policy_a_replica_and_no_bad_content(cast: Cast, version: EmotionPolicyVersion) -> None:
    arguments = {
        "actor": Actor.user(cast.farah),
        "organisation": cast.organisation,
        "author": cast.farah,
        "replica_public_id": "r1",
        "subject_public_id": "s1",
        "name": "again",
    }
    with pytest.raises(emotion_policies.PolicyExists):
        emotion_policies.create(**arguments, content=CONTENT)
    with pytest.raises(PolicyInvalid):
        emotion_policies.create(**{**arguments, "replica_public_id": "r2"}, content={**CONTENT, "contexts": []})
    assert EmotionPolicy.objects.count() == 1


def test_a_version_slipped_into_the_database_is_refused(version: EmotionPolicyVersion) -> None:
    with pytest.raises(DatabaseError, match="unaudited"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "INSERT INTO trustcore_policy_emotion_policy_version"
            " (public_id, policy_id, number, content, state, author_id, created_at)"
            " SELECT 'y9.9', policy_id, 9, content, state, author_id, now()"
            " FROM trustcore_policy_emotion_policy_version"
        )
