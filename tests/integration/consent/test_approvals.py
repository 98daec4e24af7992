"""Two people's passkeys over one statement, and every way around it that we know of."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consent import selectors
from consent.errors import ApprovalClosed, ApproverNotAllowed, ChallengeUsed, PasskeyMissing, StatementChanged
from consent.evidence import AssertionInvalid
from consent.services import approvals
from provenance.approval_evidence import check_approval
from tests.common.passkeys import give_passkey
from trustcore.accounts.permissions import Role
from trustcore.accounts.services import people
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.primitives.clock import utc_now
from trustcore.primitives.hashing import statement_sha256

pytestmark = pytest.mark.django_db


def statement(version=3):
    return approvals.statement_for(
        "replica", "r1", question=f"May version {version} of Asha Baruah speak for her?",
        text=[f"I approve replica version {version} of Asha Baruah for live use inside her scope."],
        facts={"version": version, "model_sha256": "0" * 64},
    )  # fmt: skip


def ask(cast, version=3):
    return approvals.begin(actor=Actor.user(cast.farah), organisation=cast.organisation, author=cast.farah,
                           kind="replica", object_public_id="r1", statement=statement(version))  # fmt: skip


def sign(request, user, key, *, actor=None, shown=None, options=None, **signing):
    actor = actor or Actor.user(user)
    options = options or approvals.challenge(actor=actor, user=user, request=request)
    assertion = replace(key, **signing).get(options)
    approvals.sign(actor=actor, user=user, request=request, nonce=options["nonce"],
                   shown_sha256=shown or request.statement_sha256, assertion=assertion)  # fmt: skip
    return options, assertion


@pytest.fixture
def signers(cast):
    return {"meera": give_passkey(cast.meera), "jonas": give_passkey(cast.jonas, "Blue key")}


def in_force(version=3):
    return selectors.approval_in_force("replica", "r1", statement_sha256(statement(version)))


def test_two_signatures_approve_and_verify_offline(cast, signers):
    request = ask(cast)
    sign(request, cast.jonas, signers["jonas"])
    assert (request.state, in_force()) == ("half_signed", None)
    sign(request, cast.meera, signers["meera"])
    facts = in_force()
    assert facts.approvers == (("Jonas", "Legal"), ("Meera", "Compliance"))
    assert {check_approval(one).statement_sha256 for one in facts.evidence} == {statement_sha256(statement())}
    assert [one["statement"] for one in facts.evidence] == [statement(), statement()]
    assert Event.objects.filter(action="approval.completed", object_id=request.public_id).exists()


def test_the_author_cannot_sign(cast, signers):
    people.grant_role(
        actor=Actor.system("tests"), user=cast.farah, organisation=cast.organisation, role=Role.APPROVER, title="Legal"
    )
    give_passkey(cast.farah)
    with pytest.raises(ApproverNotAllowed, match="You wrote this"):
        approvals.challenge(actor=Actor.user(cast.farah), user=cast.farah, request=ask(cast))


def test_one_person_signs_once(cast, signers):
    request = ask(cast)
    sign(request, cast.meera, signers["meera"])
    second = give_passkey(cast.meera, "Second key")
    with pytest.raises(ApproverNotAllowed, match="second person"):
        sign(request, cast.meera, second)


def test_two_people_of_one_office_are_not_enough(cast, signers):
    people.grant_role(
        actor=Actor.system("tests"), user=cast.erin, organisation=cast.organisation, role=Role.APPROVER, title="Legal"
    )
    key = give_passkey(cast.erin)
    request = ask(cast)
    sign(request, cast.jonas, signers["jonas"])
    with pytest.raises(ApproverNotAllowed, match="Legal signed already"):
        sign(request, cast.erin, key)


def test_somebody_elses_passkey_is_refused(cast, signers):
    with pytest.raises(AssertionInvalid, match="not one of yours"):
        sign(ask(cast), cast.meera, signers["jonas"])


def test_an_answer_is_used_once(cast, signers):
    request = ask(cast)
    options = approvals.challenge(actor=Actor.user(cast.jonas), user=cast.jonas, request=request)
    assertion = signers["jonas"].get(options)
    given = {"nonce": options["nonce"], "shown_sha256": request.statement_sha256, "assertion": assertion}
    with pytest.raises(ChallengeUsed):  # Meera shows Jonas' answer as hers
        approvals.sign(actor=Actor.user(cast.meera), user=cast.meera, request=request, **given)
    approvals.sign(actor=Actor.user(cast.jonas), user=cast.jonas, request=request, **given)
    other = approvals.begin(actor=Actor.user(cast.farah), organisation=cast.organisation, author=cast.farah,
                            kind="replica", object_public_id="r2", statement=statement())  # fmt: skip
    with pytest.raises(ChallengeUsed):  # and on another request with the very same statement
        approvals.sign(actor=Actor.user(cast.jonas), user=cast.jonas, request=other, **given)


def test_a_late_answer_is_refused(cast, signers):
    request, actor = ask(cast), Actor.user(cast.jonas)
    options = approvals.challenge(actor=actor, user=cast.jonas, request=request, now=utc_now() - timedelta(minutes=6))
    with pytest.raises(ChallengeUsed):
        sign(request, cast.jonas, signers["jonas"], options=options)


def test_an_edit_voids_what_was_signed(cast, signers):
    first = ask(cast)
    sign(first, cast.jonas, signers["jonas"])
    sign(first, cast.meera, signers["meera"])
    second = ask(cast, version=4)
    first.refresh_from_db()
    assert (first.state, in_force(3), in_force(4)) == ("void", None, None)
    with pytest.raises(StatementChanged):  # the page still showed version 3
        sign(second, cast.jonas, signers["jonas"], shown=first.statement_sha256)
    with pytest.raises(ApprovalClosed):
        sign(first, cast.meera, signers["meera"])


def test_no_user_verification_no_signature(cast, signers):
    with pytest.raises(AssertionInvalid):
        sign(ask(cast), cast.jonas, signers["jonas"], user_verified=False)
    with pytest.raises(AssertionInvalid):
        sign(ask(cast), cast.jonas, signers["jonas"], origin="https://phish.example")


@pytest.mark.parametrize("name", ["mallory", "dev", "erin", "asha"])
def test_people_who_are_no_approvers_here_get_nowhere(cast, signers, name):
    user = getattr(cast, name)
    key = give_passkey(user)
    with pytest.raises(ApproverNotAllowed):
        sign(ask(cast), user, key)
    with pytest.raises(ApproverNotAllowed):
        approvals.send_back(actor=Actor.user(user), user=user, request=ask(cast), reason="no")


def test_a_program_cannot_sign_for_a_person(cast, signers):
    with pytest.raises(ApproverNotAllowed, match="A program cannot"):
        sign(ask(cast), cast.jonas, signers["jonas"], actor=Actor("api_key", "k1"))
    assert not Event.objects.filter(action="approval.signed").exists()


def test_no_passkey_no_challenge(cast):
    with pytest.raises(PasskeyMissing):
        approvals.challenge(actor=Actor.user(cast.jonas), user=cast.jonas, request=ask(cast))


def test_refused_signatures_are_on_the_record(cast, signers):
    request = ask(cast)
    with pytest.raises(StatementChanged):
        sign(request, cast.jonas, signers["jonas"], shown="0" * 64)
    event = Event.objects.get(action="approval.refused")
    assert (event.outcome, event.object_id, event.actor_id) == ("refused", request.public_id, cast.jonas.public_id)


def test_a_request_nobody_signs_in_time_closes(cast, signers):
    request = ask(cast)
    with pytest.raises(ApprovalClosed):
        approvals.challenge(
            actor=Actor.user(cast.jonas), user=cast.jonas, request=request, now=utc_now() + timedelta(days=3)
        )
    request.refresh_from_db()
    assert request.state == "expired"


def test_sending_back_ends_it_with_a_reason(cast, signers):
    request = ask(cast)
    approvals.send_back(actor=Actor.user(cast.jonas), user=cast.jonas, request=request, reason="The mouth is late.")
    assert (request.state, request.reason) == ("sent_back", "The mouth is late.")


def test_the_same_statement_twice_is_one_request(cast):
    assert ask(cast).public_id == ask(cast).public_id
