"""The viewer's page and its addresses. The cookie of the first viewer is what opens them; nobody signs in here."""

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from consent import selectors as consents
from provenance.services import claim_keys
from rendering import selectors
from rendering.errors import ConversationOver, JoinRefused, NoFreeSlot
from rendering.models import Conversation
from rendering.services import conversations, reaping, sessions, turn, viewing
from rendering.views import perception_page
from rendering.views.worker_calls import look_until, parse_object, problem, read_body
from trustcore.accounts.permissions import public
from trustcore.primitives.clock import utc_now
from trustcore.primitives.errors import Refusal, TrustcoreError
from trustcore.web.errors import MethodNotAllowed

OFFER_MAX_BYTES = 64 * 1024
MESSAGE_MAX_BYTES = 8 * 1024
ANSWER_WITHIN_S = 20.0


def cookie_name(conversation_id: str) -> str:
    return f"viewer_{conversation_id}"


@public
@require_GET
@ensure_csrf_cookie
def page(request: HttpRequest, conversation_id: str) -> HttpResponseBase:
    """Claims the slot: the first viewer with the token gets the cookie, and the token leaves the address bar."""
    token = request.GET.get("t", "")
    try:
        joined = conversations.join(
            conversation_id=conversation_id, token=token, cookie=request.COOKIES.get(cookie_name(conversation_id), ""),
            now=utc_now())
    except JoinRefused:
        return refused_page(request, conversation_id, {})
    if token:
        response: HttpResponse = HttpResponseRedirect(f"/c/{quote(conversation_id)}/")
        if joined.new_cookie is not None:
            response.set_cookie(
                cookie_name(conversation_id), joined.new_cookie, path=f"/c/{conversation_id}/", httponly=True,
                samesite="Lax",
                secure=settings.IS_HTTPS, max_age=24 * 3600)
        return response
    base = f"/c/{conversation_id}"
    with translation.override(page_language(joined.conversation.grant["body"]["language"])):
        perceived = perception_page.page_context(joined.conversation, base)
        answer = render_page(request, {**page_context(joined.conversation, base), **perceived})
    answer["Permissions-Policy"] = perception_page.permissions_policy(perceived["perception_level"])
    return answer


def page_language(tag: str) -> str:
    """The language of all that a viewer reads: the conversation's, or English where its page has no other words. PURE
    but for the list of languages.

    Args:
        tag: the conversation's language, "as" or "en-IN".
    """
    short = tag.split("-")[0].lower()
    return short if short in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def refused_page(request: HttpRequest, conversation_id: str, context: dict[str, Any]) -> HttpResponse:
    """What somebody reads whose link opens nothing, in the conversation's language; of one that is not there, in
    English.
    """
    found = Conversation.objects.filter(public_id=conversation_id).values_list("grant__body__language", flat=True)
    with translation.override(page_language(str(found.first() or ""))):
        return render(request, "rendering/viewer_refused.html", context, status=409)


def render_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The viewer's page in the language in force, whatever the browser asked for."""
    answer = render(request, "rendering/viewer.html", context)
    answer["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
    return answer


def page_context(conversation: Conversation, base: str) -> dict[str, Any]:
    """What the viewer's page says and where its script calls; `base` is the path of those addresses."""
    body = conversation.grant["body"]
    try:
        until = consents.consent_in_force(conversation.subject_public_id).expires_at
    except Refusal:
        until = None
    return {
        "conversation_id": conversation.public_id, "person_name": selectors.person_name(conversation.version.replica),
        "organisation_name": conversation.organisation.name, "offer_url": f"{base}/offer",
        "message_url": f"{base}/message",
        "speed_url": f"{base}/line", "captions_url": f"{base}/captions",
        "max_rung": sessions.max_rung(conversation.properties),
        "figures_url": f"{base}/figures", "figures": settings.VIEWER_FIGURES,
        "state_url": f"{base}/state", "leave_url": f"{base}/leave", "trust_anchor_pem": claim_keys.anchor_pem(),
        "status_list_url": claim_keys.STATUS_PATH,
        "ice_servers_json": json.dumps(turn.ice_servers(conversation.public_id, now=utc_now())),
        "is_relayed": bool(conversation.properties.get("relay_only")), "language": body["language"],
        "is_identity_checked": until is not None,
        "is_typed_only": str(body["language"]).split("-")[0].lower() not in settings.HEARD_LANGUAGES,
        "consent_until": until, "replica_version": body["replica_version"], "policy_version": body["policy_version"],
    }


def from_cookie(request: HttpRequest, conversation_id: str) -> str:
    """The first viewer's secret, where the page was opened by itself."""
    return request.COOKIES.get(cookie_name(conversation_id), "")


def conversation_of_viewer(conversation_id: str, secret: str) -> Conversation:
    """The conversation whose viewer this is. Raises JoinRefused for anybody else."""
    found = (
        Conversation.objects.select_related("organisation", "version__replica")
        .filter(public_id=conversation_id)
        .first()
    )
    if found is None or not conversations.is_viewer(found, secret):
        raise JoinRefused("This conversation is open in another browser, or there is none.")
    return found


def _conversation_to_rejoin(conversation_id: str, secret: str) -> Conversation:
    """The same for an offer. Who has the link and not the first viewer's secret goes on the record."""
    try:
        return conversation_of_viewer(conversation_id, secret)
    except JoinRefused as refusal:
        taken = Conversation.objects.filter(public_id=conversation_id).exclude(viewer_cookie_sha256="").first()
        if taken is not None:
            viewing.note_refused(taken, refusal)
        raise


def answer_json(
    view: Callable[..., HttpResponseBase], secret_of: Callable[[HttpRequest, str], str] = from_cookie,
) -> Callable[..., HttpResponseBase]:
    """`view` for a page's script: it gets the viewer's conversation, and an error is JSON, never a page."""

    @public
    @wraps(view)
    def checked(request: HttpRequest, conversation_id: str) -> HttpResponseBase:
        try:
            return view(request, conversation_of_viewer(conversation_id, secret_of(request, conversation_id)))
        except TrustcoreError as error:
            return problem(request, error)

    return checked


def answer_json_async(
    view: Callable[..., Awaitable[HttpResponseBase]], secret_of: Callable[[HttpRequest, str], str] = from_cookie,
) -> Callable[..., Awaitable[HttpResponseBase]]:
    """The same for the view that waits for the slot's answer to an offer."""

    @public
    @wraps(view)
    async def checked(request: HttpRequest, conversation_id: str) -> HttpResponseBase:
        try:
            if request.method != "POST":
                raise MethodNotAllowed("This address takes POST only.")
            secret = secret_of(request, conversation_id)
            return await view(request, await sync_to_async(_conversation_to_rejoin)(conversation_id, secret))
        except TrustcoreError as error:
            return problem(request, error)

    return checked


async def take_offer(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    """Hand the viewer's offer to the slot and wait for its answer with the signed session manifest."""
    body = parse_object(read_body(request, OFFER_MAX_BYTES))
    put: list[int] = []  # the offer's row id, once it is with the slot
    answer = await look_until(
        lambda: viewing.answer_to(conversation.id, put[0]), [conversations.topic(conversation)],
        first=lambda: put.append(viewing.put_offer(conversation, body, now=utc_now())), timeout_s=ANSWER_WITHIN_S)
    if answer is None:
        raise NoFreeSlot("No place is free right now. Try again in a minute.")
    if "ended" in answer:
        raise ConversationOver("This conversation is over.", reason=answer["ended"])
    return JsonResponse(answer)


def take_message(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    if request.method != "POST":
        raise MethodNotAllowed("This address takes POST only.")
    viewing.put_message(conversation, parse_object(read_body(request, MESSAGE_MAX_BYTES)), now=utc_now())
    return JsonResponse({})


def take_leave(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    if request.method != "POST":
        raise MethodNotAllowed("This address takes POST only.")
    actor = viewing.actor_of(conversation)
    conversations.end(conversation=conversation, actor=actor, reason="viewer_left", now=utc_now())
    return JsonResponse({})


def tell_state(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    # Whoever waits for a session that nobody holds any more learns it here, even while the jobs process is busy.
    reaping.reap(utc_now())
    conversation.refresh_from_db()
    return JsonResponse(viewing.state_of(conversation))


offer = answer_json_async(take_offer)
message = answer_json(take_message)
leave = answer_json(take_leave)
state = answer_json(tell_state)
