"""The viewer's page inside a frame of another site, and its addresses: what `<trustcore-player>` shows.

Browsers keep third-party cookies from a frame, each in its own way, so there is none here: the first viewer's secret is
in the page, goes with each call in a header of its own, and is gone when the frame is. A header that no other page can
set is also why these addresses need no protection against forged requests.
"""

from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils import translation
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from rendering.errors import EmbeddingNotAllowed, JoinRefused
from rendering.models import Conversation
from rendering.services import conversations
from rendering.views import captions, line_test, viewer, viewer_figures
from trustcore.accounts.permissions import public
from trustcore.primitives.clock import utc_now
from trustcore.web import embed_origins


@public
@require_GET
@xframe_options_exempt
def page(request: HttpRequest, conversation_id: str) -> HttpResponseBase:
    """The page for a frame, for the origins on the organisation's list and for nobody else.

    Raises:
        EmbeddingNotAllowed: the list is empty, or the browser names another page. The link stays unused.
        JoinRefused: there is no such conversation.
    """
    token = request.GET.get("t", "")
    if request.headers.get("sec-fetch-dest") == "document":  # opened by itself: then it is the ordinary page
        return HttpResponseRedirect(f"/c/{conversation_id}/" + (f"?{urlencode({'t': token})}" if token else ""))
    origins = _origins_of(conversation_id)
    if not origins or not embed_origins.is_from(request.headers.get("referer", ""), origins):
        raise EmbeddingNotAllowed("This page may not show conversations. Ask who runs them to allow its origin.")
    context: dict[str, Any] = {"embed_origins": " ".join(origins), "is_embedded": True}
    try:
        joined = conversations.join(conversation_id=conversation_id, token=token, cookie="", now=utc_now())
    except JoinRefused:
        return _framed(request, viewer.refused_page(request, conversation_id, context), origins)
    with translation.override(viewer.page_language(joined.conversation.grant["body"]["language"])):
        context |= viewer.page_context(joined.conversation, f"/c/{conversation_id}/embed")
        answer = viewer.render_page(request, {**context, "viewer_secret": joined.new_cookie})
    return _framed(request, answer, origins)


def _origins_of(conversation_id: str) -> tuple[str, ...]:
    slug = Conversation.objects.filter(public_id=conversation_id).values_list("organisation__slug", flat=True).first()
    if slug is None:
        raise JoinRefused("This link does not open a conversation. It works once, in one browser. Ask for a new one.")
    return embed_origins.allowed(settings.EMBED_ORIGINS, slug)


def _framed(request: HttpRequest, answer: HttpResponse, origins: tuple[str, ...]) -> HttpResponseBase:
    """`answer` with the headers that let these origins, and no other, show it in a frame."""
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["Permissions-Policy"] = "camera=(), microphone=(self), geolocation=(), payment=(), usb=()"
    allow = csp_replace({"frame-ancestors": list(origins)})
    framed: HttpResponseBase = allow(lambda _request: answer)(request)
    return framed


def _from_header(request: HttpRequest, _conversation_id: str) -> str:
    return request.headers.get("x-viewer-secret", "")


offer = csrf_exempt(viewer.answer_json_async(viewer.take_offer, _from_header))
message = csrf_exempt(viewer.answer_json(viewer.take_message, _from_header))
caption_stream = captions.for_viewer(_from_header)
line = csrf_exempt(viewer.answer_json(line_test.take_line, _from_header))
leave = csrf_exempt(viewer.answer_json(viewer.take_leave, _from_header))
state = csrf_exempt(viewer.answer_json(viewer.tell_state, _from_header))
figures = csrf_exempt(viewer.answer_json(viewer_figures.take_report, _from_header))
