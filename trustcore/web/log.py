"""The audit log's public face, for witnesses and verifiers: its newest checkpoint, proofs between two, and its key.

Hashes and counts only. What happened is for those who may read it (`audit.view`).
"""

import base64

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from trustcore.accounts.permissions import public
from trustcore.audit import selectors
from trustcore.audit.errors import EntryMissing
from trustcore.audit.sequencer import log_key
from trustcore.primitives.checkpoints import verifier_line

TEXT = "text/plain; charset=utf-8"


@public
@require_GET
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest signed checkpoint (C2SP tlog-checkpoint)."""
    newest = selectors.latest_checkpoint()
    if newest is None:
        raise EntryMissing("The log has no checkpoint yet.")
    return HttpResponse(newest.note, content_type=TEXT)


@public
@require_GET
def consistency(request: HttpRequest, old_size: int, new_size: int) -> HttpResponse:
    """That the log of `old_size` is the beginning of the one of `new_size`: one base64 hash a line."""
    hashes = selectors.consistency_proof(old_size, new_size)
    return HttpResponse("".join(base64.b64encode(value).decode() + "\n" for value in hashes), content_type=TEXT)


@public
@require_GET
def key(request: HttpRequest) -> HttpResponse:
    """The log's public key as others write it in their policies (C2SP signed-note)."""
    return HttpResponse(verifier_line(selectors.log_origin(), log_key().verify_key) + "\n", content_type=TEXT)
