"""How fast is a viewer's line? Before they connect, their page takes some bytes from here and sends some back.

The bytes are random, so that nothing on the way can make them fewer. Only the viewer of a conversation that is not over
may ask, a bounded amount at a time and a bounded number of times a minute.
"""

import os

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from rendering.errors import ConversationOver, MessagesTooFast
from rendering.models import Conversation
from rendering.views import viewer
from rendering.views.worker_calls import read_body
from trustcore.primitives.clock import utc_now
from trustcore.web.errors import MethodNotAllowed, RequestInvalid
from trustcore.web.rate_limits import RateLimit

MAX_DOWN_BYTES = 512 * 1024
MAX_UP_BYTES = 256 * 1024
CALLS_A_MINUTE = 40  # of one conversation: four tests of at most nine calls
_LIMIT = RateLimit()


def take_line(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    """GET ?bytes=N: N random bytes, as octet-stream. POST: {"received": how many came}.

    Raises:
        ConversationOver, MessagesTooFast, RequestInvalid
    """
    if request.method not in ("GET", "POST"):
        raise MethodNotAllowed("This address takes GET and POST only.")
    if conversation.state == "ended":
        raise ConversationOver("This conversation is over.", reason=conversation.end_reason)
    if not _LIMIT.admits(conversation.public_id, CALLS_A_MINUTE, utc_now().timestamp()):
        raise MessagesTooFast("The line was measured too often. Wait a minute and test again.")
    if request.method == "POST":
        return JsonResponse({"received": len(read_body(request, MAX_UP_BYTES))})
    text = request.GET.get("bytes", "0")
    if not (text.isascii() and text.isdigit()) or len(text) > 7 or int(text) > MAX_DOWN_BYTES:
        raise RequestInvalid(f"bytes is a whole number from 0 to {MAX_DOWN_BYTES}.")
    return HttpResponse(os.urandom(int(text)), content_type="application/octet-stream")


line = viewer.answer_json(take_line)
