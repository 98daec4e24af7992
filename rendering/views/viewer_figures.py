"""The address where a viewer's page reports how well its line carries the conversation (docs/measuring.md)."""

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from rendering.measuring import batch
from rendering.models import Conversation
from rendering.services import figures
from rendering.views import viewer
from rendering.views.worker_calls import parse_object, read_body
from trustcore.primitives.clock import utc_now
from trustcore.web.errors import MethodNotAllowed


def take_report(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    if request.method != "POST":
        raise MethodNotAllowed("This address takes POST only.")
    figures.take(conversation, parse_object(read_body(request, batch.MAX_BYTES)), now=utc_now())
    return JsonResponse({})


report = viewer.answer_json(take_report)
