"""The soft binding resolution API: public, without a sign-in, readable by pages of other sites.

Paths, parameters and shapes are those of the C2PA Soft Binding API; `/status` is ours. provenance/openapi.json says all
of it for machines, docs/resolution.md for people.
"""

import json
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from provenance.errors import ContentNotOffered, SoftBindingInvalid, TooManyQueries
from provenance.manifests.assertions import SOFT_BINDING_ALG
from provenance.services import manifest_status, resolution
from trustcore.accounts.permissions import public
from trustcore.primitives.clock import SystemClock, utc_now
from trustcore.primitives.errors import TrustcoreError
from trustcore.web import problems
from trustcore.web.errors import MethodNotAllowed
from trustcore.web.rate_limits import RateLimit, network_of

MANIFEST_TYPE = "application/c2pa"
OPENAPI = Path(__file__).parent.parent / "openapi.json"
MAX_QUERY_BYTES = 4096
BRIEFLY = f"public, max-age={int(manifest_status.FRESH_FOR.total_seconds())}"
A_DAY = "public, max-age=86400"  # algorithms come and go with releases only
_LIMIT = RateLimit()
View = Callable[..., HttpResponse]


def open_to_all(*methods: str) -> Callable[[View], View]:
    """A public view for these methods: limited per network, errors as JSON, answers to GET readable across sites."""

    def wrap(view: View) -> View:
        @csrf_exempt  # nothing here changes anything, and no cookie is looked at
        @public
        @wraps(view)
        def answered(request: HttpRequest, **path: Any) -> HttpResponse:
            try:
                _admit(request, methods)
                response = view(request, **path)
            except TrustcoreError as error:
                response = problems.response_for(request, error)
            if request.method in {"GET", "HEAD"}:
                response["Access-Control-Allow-Origin"] = "*"
                response["Cross-Origin-Resource-Policy"] = "cross-origin"
            return response

        return answered

    return wrap


def _admit(request: HttpRequest, methods: tuple[str, ...]) -> None:
    if request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
        raise MethodNotAllowed(f"This address takes {' and '.join(methods)} only.")
    network = network_of(request.META.get("REMOTE_ADDR", ""))
    if not _LIMIT.admits(network, settings.RESOLUTION_PER_MINUTE, SystemClock().monotonic_s()):
        raise TooManyQueries("Too many queries from your network in the last minute. Try again in a minute.")


@open_to_all("GET", "POST")
def by_binding(request: HttpRequest) -> HttpResponse:
    """Ids of the manifests that name a soft binding. No match is an empty list, not an error."""
    asked = request.GET if request.method != "POST" else _query_body(request)
    alg, value = (asked.get(name) or "" for name in ("alg", "value"))
    found = resolution.by_binding(alg, value, _max_results(request))
    return JsonResponse({"matches": [{"manifestId": label} for label in found]})


def _query_body(request: HttpRequest) -> dict[str, str]:
    if request.content_type != "application/json" or len(request.body) > MAX_QUERY_BYTES:
        raise SoftBindingInvalid("Send a short JSON object with `alg` and `value`.")
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise SoftBindingInvalid("The query is not JSON that can be read.") from error
    if not isinstance(told, dict) or not all(isinstance(told.get(name, ""), str) for name in ("alg", "value")):
        raise SoftBindingInvalid("A query is a JSON object whose `alg` and `value` are texts.")
    return told


def _max_results(request: HttpRequest) -> int:
    text = request.GET.get("maxResults", str(resolution.DEFAULT_RESULTS))
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0):
        raise SoftBindingInvalid("`maxResults` must be a whole number from 1.")
    return min(int(text[:9]), resolution.MAX_RESULTS)


@open_to_all("POST")
def by_content(request: HttpRequest) -> HttpResponse:
    """Not offered. A detector that answers programs without end teaches how to remove a mark."""
    raise ContentNotOffered("Manifests are not looked up by content here. People may ask the check page: /check/")


@open_to_all("GET")
def manifest(request: HttpRequest, manifest_id: str) -> HttpResponse:
    """The manifest store, or its active manifest alone."""
    if request.GET.get("returnActiveManifest", "false") not in {"true", "false"}:
        raise SoftBindingInvalid("`returnActiveManifest` must be true or false.")
    content = resolution.store(manifest_id)
    # Kept briefly all the same: a person may have everything erased, and then it is withheld.
    return HttpResponse(content, content_type=MANIFEST_TYPE, headers={"Cache-Control": BRIEFLY})


@open_to_all("GET")
def status(request: HttpRequest, manifest_id: str) -> HttpResponse:
    """What became of the consent since, signed."""
    told = manifest_status.signed(manifest_id, now=utc_now())
    return JsonResponse(told, headers={"Cache-Control": BRIEFLY})


@open_to_all("GET")
def algorithms(request: HttpRequest) -> HttpResponse:
    """The soft binding algorithms that can be asked for."""
    told = {"watermarks": [{"alg": SOFT_BINDING_ALG}], "fingerprints": []}
    return JsonResponse(told, headers={"Cache-Control": A_DAY})


@open_to_all("GET")
def openapi(request: HttpRequest) -> HttpResponse:
    """This API for machines, with this installation's address."""
    return JsonResponse({**_openapi(), "servers": [{"url": f"{settings.BASE_URL}/c2pa/v1"}]})


@lru_cache(maxsize=1)
def _openapi() -> dict[str, Any]:
    return dict(json.loads(OPENAPI.read_text()))
