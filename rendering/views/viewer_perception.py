"""The viewer's word about being perceived, and the frame that does it in their browser.

The frame is a page of its own because it needs what no other page gets: the camera, and `unsafe-eval`, without which
the face model's runtime cannot bind. In exchange it may load scripts and models from two folders and connect to nothing
else, so that a picture could not leave it if it tried. It is served to the one viewer who agreed, and ends with them.
"""

from csp.decorators import csp
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.clickjacking import xframe_options_sameorigin

from rendering.errors import PerceptionNotAllowed
from rendering.models import Conversation
from rendering.services import perceiving
from rendering.views import viewer
from rendering.views.perception_page import permissions_policy
from rendering.views.worker_calls import parse_object, read_body
from trustcore.policy import perception
from trustcore.primitives.clock import utc_now
from trustcore.web.errors import MethodNotAllowed, RequestInvalid

WORD_MAX_BYTES = 256
SCRIPTS, MODEL = "js/viewer/perception/", "vendor/face_mesh/"


def take_word(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    """{"word": "grant"} or {"word": "revoke"}."""
    if request.method != "POST":
        raise MethodNotAllowed("This address takes POST only.")
    word = parse_object(read_body(request, WORD_MAX_BYTES)).get("word")
    if word == "grant":
        # What was read, and not what the browser asks for: the record names the hash of the notice in this language.
        language = viewer.page_language(conversation.grant["body"]["language"])
        token = perceiving.consent(conversation, language=language, now=utc_now())
        return JsonResponse({"consent": token})
    if word == "revoke":
        perceiving.revoke(conversation)
        return JsonResponse({})
    raise RequestInvalid("The word is grant or revoke.")


def show_frame(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    """The page that perceives, for a viewer who agreed. Raises PerceptionNotAllowed otherwise."""
    if not perceiving.is_consented(conversation):
        raise PerceptionNotAllowed("Nothing is perceived of this viewer: they have not agreed, or may not be asked.")
    level = perceiving.level_of(conversation)
    answer = render(
        request, "rendering/perception_frame.html",
        {"reads_face": perception.includes(level, "face"), "model_url": static(MODEL)})
    answer["Permissions-Policy"] = permissions_policy(level)
    here = request.build_absolute_uri
    scripts, model = here(static(SCRIPTS)), here(static(MODEL))
    fenced = csp({
        "default-src": ["'none'"], "script-src": [scripts, model, "'unsafe-eval'"], "connect-src": [model],
        "media-src": ["mediastream:", "blob:"], "base-uri": ["'none'"], "form-action": ["'none'"],
        "frame-ancestors": ["'self'"]})
    framed: HttpResponse = xframe_options_sameorigin(fenced(lambda _request: answer))(request)
    return framed


word = viewer.answer_json(take_word)
frame = viewer.answer_json(show_frame)
