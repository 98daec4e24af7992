"""The Tavus-compatible API. Each view parses, calls one service and shapes the answer."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from rendering import selectors
from rendering.api import serializers, shapes
from rendering.errors import ConversationRefused
from rendering.models import Conversation, Replica
from rendering.services import conversations, opening, personas, viewing
from trustcore.accounts.permissions import Permission, requires
from trustcore.primitives.clock import utc_now
from trustcore.web import problems
from trustcore.web.errors import RequestInvalid
from trustcore.web.pagination import PageLimit


@requires(GET=Permission.CONVERSATION_VIEW, POST=Permission.CONVERSATION_CREATE)
@api_view(["GET", "POST"])
def conversation_list(request: Request) -> Response:
    return _create(request) if request.method == "POST" else _list(request)


def _create(request: Request) -> Response:
    checked = serializers.ConversationIn(data=request.data)
    checked.is_valid(raise_exception=True)
    attrs = checked.validated_data
    persona = personas.find(request.organisation, attrs["persona_id"]) if attrs["persona_id"] else None
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > 100:
        raise RequestInvalid("An idempotency key has at most 100 characters.")
    try:
        row = opening.open_conversation(
            actor=request.actor, caller_id=request.actor.id,
            may_converse=Permission.CONVERSATION_CREATE in request.permissions,
            organisation=request.organisation, wish=serializers.wish_from(attrs, persona), idempotency_key=key,
            request_sha256=opening.request_hash(dict(request.data)), now=utc_now())
    except ConversationRefused as refusal:
        return _refused(request, refusal)
    return Response({**shapes.conversation(row, has_token=True), "attestation": row.attestation})


def _refused(request: Request, refusal: ConversationRefused) -> Response:
    """The first reason is the code a client branches on; all of them stand beside it."""
    body = problems.body_of(request._request, refusal)
    reasons = refusal.facts["reasons"]
    return Response(
        {**body, "code": reasons[0], "reasons": reasons, "decision_id": refusal.facts["decision_id"]}, status=403
    )


def _list(request: Request) -> Response:
    rows = (
        Conversation.objects.filter(organisation=request.organisation)
        .select_related("version__replica", "persona", "live_state")
        .order_by("-created_at")
    )
    status = request.query_params.get("status", "")
    if status:
        rows = rows.filter(state="ended") if status == "ended" else rows.exclude(state="ended")
    return _page(request, rows, shapes.conversation)


@requires(Permission.CONVERSATION_VIEW)
@api_view(["GET"])
def conversation_detail(request: Request, conversation_id: str) -> Response:
    row = selectors.conversation(request.organisation, conversation_id)
    body = shapes.conversation(row)
    if request.query_params.get("verbose") == "true":
        body["events"] = shapes.conversation_events(row)
    return Response(body)


@requires(POST=Permission.CONVERSATION_END)
@api_view(["POST"])
def conversation_end(request: Request, conversation_id: str) -> Response:
    row = selectors.conversation(request.organisation, conversation_id)
    conversations.end(conversation=row, actor=request.actor, reason="end_conversation_endpoint_hit", now=utc_now())
    return Response({})


@requires(POST=Permission.CONVERSATION_CREATE)
@api_view(["POST"])
def interaction_list(request: Request) -> Response:
    """App messages over HTTP (Tavus `POST /v2/interactions`)."""
    checked = serializers.InteractionIn(data=request.data)
    checked.is_valid(raise_exception=True)
    attrs = checked.validated_data
    row = selectors.conversation(request.organisation, attrs["conversation_id"])
    if attrs["event_type"] == "conversation.interrupt":
        viewing.put_interruption(row, now=utc_now())
    elif attrs["event_type"] == "conversation.tool_result":
        viewing.put_tool_result(row, attrs["properties"], now=utc_now())
    else:
        viewing.put_message(row, attrs["properties"], now=utc_now())
    return Response({})


@requires(Permission.CONVERSATION_VIEW)
@api_view(["GET"])
def conversation_attestation(request: Request, conversation_id: str) -> Response:
    row = selectors.conversation(request.organisation, conversation_id)
    return Response({"attestation": row.attestation, "grant": row.grant})


@requires(Permission.REPLICA_VIEW)
@api_view(["GET"])
def replica_list(request: Request) -> Response:
    rows = Replica.objects.filter(organisation=request.organisation).order_by("-created_at")
    wanted = [part for part in request.query_params.get("replica_ids", "").split(",") if part]
    if wanted:
        rows = rows.filter(public_id__in=wanted[:100])
    now = utc_now()
    return _page(request, rows, lambda row: shapes.replica(row, now=now))


@requires(Permission.REPLICA_VIEW)
@api_view(["GET"])
def replica_detail(request: Request, replica_id: str) -> Response:
    return Response(shapes.replica(selectors.replica(request.organisation, replica_id), now=utc_now()))


@requires(GET=Permission.PERSONA_VIEW, POST=Permission.PERSONA_EDIT)
@api_view(["GET", "POST"])
def persona_list(request: Request) -> Response:
    if request.method == "GET":
        return _page(
            request, personas.of_organisation(request.organisation), lambda row: shapes.persona(row)["data"][0]
        )
    checked = serializers.PersonaIn(data=request.data)
    checked.is_valid(raise_exception=True)
    return Response(
        shapes.persona(
            personas.create(actor=request.actor, organisation=request.organisation, values=checked.model_values())
        )
    )


@requires(Permission.PERSONA_VIEW)
@api_view(["GET"])
def persona_detail(request: Request, persona_id: str) -> Response:
    return Response(shapes.persona(personas.find(request.organisation, persona_id)))


def _page(request: Request, rows: "QuerySet[Any]", shape: Any) -> Response:
    pages = PageLimit()
    found = pages.paginate_queryset(rows, request) or []
    return pages.get_paginated_response([shape(row) for row in found])
