"""The console's pages about emotion policies. The form is a slider with a number field for each
emotion and a table of uses.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent import selectors as consents
from consent.views.approvals import panel
from rendering import selectors
from rendering.services import policy_words, replicas, statements
from trustcore.accounts.permissions import Permission, requires
from trustcore.policy import content as contents
from trustcore.policy import selectors as policies
from trustcore.policy.models import EmotionPolicy, EmotionPolicyVersion
from trustcore.policy.services import emotion_policies
from trustcore.primitives.clock import utc_now
from trustcore.primitives.errors import Refusal
from trustcore.primitives.grants import EMOTIONS
from trustcore.web.errors import NotFound

SHOWN_EMOTIONS = tuple(emotion for emotion in EMOTIONS if emotion != "neutral")
EMPTY = {"emotions_max_milli": {}, "uses": {}, "contexts": ["public"], "session_max_min": 30}


def _policy(request: Any, public_id: str) -> EmotionPolicy:
    found = (
        EmotionPolicy.objects.filter(organisation=request.organisation, public_id=public_id)
        .select_related("organisation")
        .first()
    )
    if found is None:
        raise NotFound("There is no such emotion policy.")
    return found


def _version(request: Any, public_id: str, number: int) -> EmotionPolicyVersion:
    found = policies.version(_policy(request, public_id), number)
    if found is None:
        raise NotFound("There is no such version.")
    return found


@requires(Permission.POLICY_VIEW)
@require_GET
def policy_list(request: Any) -> HttpResponse:
    now, rows = utc_now(), []
    for replica in selectors.replicas(request.organisation):
        policy = policies.of_replica(replica.public_id)
        in_force = (
            selectors.policy_in_force(replica.public_id, selectors.person_name(replica), now=now) if policy else None
        )
        rows.append({"replica": replica, "policy": policy, "in_force": in_force[0] if in_force else None,
                     "newest": policies.versions_newest_first(policy)[0] if policy else None,
                     "subject": consents.subject(replica.subject_public_id)})
    return render(request, "rendering/policy_list.html", {"rows": rows})


@requires(GET=Permission.POLICY_DRAFT, POST=Permission.POLICY_DRAFT)
def policy_new(request: Any) -> HttpResponse:
    replica = selectors.replica(request.organisation, request.GET.get("replica") or request.POST.get("replica", ""))
    known = policies.of_replica(replica.public_id)
    if known is not None:
        return redirect("rendering_policy_edit", public_id=known.public_id)
    if request.method == "POST":
        try:
            version = emotion_policies.create(
                actor=request.actor, organisation=request.organisation, author=request.user,
                replica_public_id=replica.public_id,
                subject_public_id=replica.subject_public_id, name=request.POST.get("name") or replica.name,
                content=_content(request.POST))
        except contents.PolicyInvalid as error:
            return _form(request, replica, _content(request.POST), None, error)
        return redirect("rendering_policy_version", public_id=version.policy.public_id, number=version.number)
    return _form(request, replica, EMPTY, None, None)


@requires(GET=Permission.POLICY_DRAFT, POST=Permission.POLICY_DRAFT)
def policy_edit(request: Any, public_id: str) -> HttpResponse:
    policy = _policy(request, public_id)
    replica = selectors.replica(request.organisation, policy.replica_public_id)
    newest = policies.versions_newest_first(policy)[0]
    if request.method == "POST":
        try:
            version = replicas.edit_policy(
                actor=request.actor, author=request.user, policy=policy, content=_content(request.POST)
            )
        except contents.PolicyInvalid as error:
            return _form(request, replica, _content(request.POST), newest, error)
        return redirect("rendering_policy_version", public_id=public_id, number=version.number)
    return _form(request, replica, newest.content, newest, None)


def _content(form: Any) -> dict[str, Any]:
    """The form's fields as policy content. A use without a tick gets no session; `contents.checked` judges the rest."""
    return {
        "emotions_max_milli": {emotion: _whole(form.get(f"emotion_{emotion}", "0")) for emotion in SHOWN_EMOTIONS},
        "uses": {
            purpose: {
                audience: _whole(form.get(f"ceiling_{purpose}_{audience}", "0"))
                for audience in contents.AUDIENCES if form.get(f"use_{purpose}_{audience}") == "on"
            }
            for purpose in contents.PURPOSES
        },
        "contexts": form.getlist("contexts"),
        "session_max_min": _whole(form.get("session_max_min", "30")),
    }


def _whole(text: str) -> Any:
    return int(text) if text.isdigit() and len(text) < 6 else text


def _form(request: Any, replica: Any, content: dict[str, Any], before: Any, error: Any) -> HttpResponse:
    try:
        consent = consents.consent_in_force(replica.subject_public_id)
    except Refusal:
        consent = None
    last = before.content["emotions_max_milli"] if before else {}
    emotions = [
        {"name": emotion, "value": content["emotions_max_milli"].get(emotion, 0), "last": last.get(emotion, 0),
         "agreed": consent.emotion_max_milli(emotion) if consent else 0}
        for emotion in SHOWN_EMOTIONS
    ]
    uses = [
        {"purpose": purpose, "cells": [
            {"audience": audience, "ceiling": content["uses"].get(purpose, {}).get(audience),
             "agreed": bool(consent and purpose in consent.scope.purposes and audience in consent.scope.audiences)}
            for audience in contents.AUDIENCES]}
        for purpose in contents.PURPOSES
    ]
    return render(
        request,
        "rendering/policy_form.html",
        {
            "replica": replica,
            "subject": consents.subject(replica.subject_public_id),
            "emotions": emotions,
            "uses": uses,
            "audiences": contents.AUDIENCES,
            "contexts": [(name, name in content["contexts"]) for name in contents.CONTEXTS],
            "session_max_min": content["session_max_min"],
            "before": before,
            "problem": error,
            "consent": consent,
        },
        status=400 if error else 200,
    )


@requires(Permission.POLICY_VIEW)
@require_GET
def policy_version(request: Any, public_id: str, number: int) -> HttpResponse:
    version = _version(request, public_id, number)
    replica = selectors.replica(request.organisation, version.policy.replica_public_id)
    name = selectors.person_name(replica)
    in_force = selectors.policy_in_force(replica.public_id, name, now=utc_now())
    asked = consents.newest_request(statements.POLICY_KIND, version.public_id)
    before = policies.version(version.policy, number - 1) if number > 1 else None
    context = {
        "version": version,
        "policy": version.policy,
        "replica": replica,
        "subject": consents.subject(replica.subject_public_id),
        "in_force": in_force[0] if in_force else None,
        "changes": policy_words.changes(before.content if before else None, version.content),
        "content": version.content,
        "is_author": version.author_id == request.user.pk,
        "preview": statements.for_policy(version, name) if asked is None else None,
    }
    if asked is not None:
        context |= panel(request, asked)
    return render(request, "rendering/policy_version.html", context)


@requires(Permission.APPROVAL_REQUEST)
@require_POST
def policy_send(request: Any, public_id: str, number: int) -> HttpResponse:
    version = _version(request, public_id, number)
    replicas.send_policy_for_signatures(actor=request.actor, author=request.user, version=version, now=utc_now())
    messages.success(request, _("Sent. Two officers can sign now; you cannot, because you wrote it."))
    return redirect("rendering_policy_version", public_id=public_id, number=number)
