"""Asking the configured time-stamp authority, over HTTP (RFC 3161 section 3.4)."""

import http.client
import logging
import threading
import time
import urllib.request
from concurrent.futures import Future
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from provenance.manifests.errors import TimestampFailed
from provenance.manifests.timestamps import TimeStamps

TIMEOUT_S = 5.0  # for the whole answer, and for each wait within it
MAX_ANSWER_BYTES = 64 * 1024
CHUNK_BYTES = 4096
_NO_ANSWER = (OSError, http.client.HTTPException, ValueError)
LOG = logging.getLogger(__name__)


def configured() -> TimeStamps | None:
    """The authority that the settings name, or none.

    Raises:
        TimestampFailed: the file of trusted authorities cannot be read.
    """
    if not settings.TSA_URL:
        return None
    try:
        anchor_pem = Path(settings.TSA_CA).read_text("ascii") if settings.TSA_CA else ""
    except (OSError, ValueError) as error:
        raise TimestampFailed(f"The file of TRUSTCORE_TSA_CA cannot be read: {error}") from error
    return TimeStamps(ask, anchor_pem, settings.TSA_IS_REQUIRED)


def ask(request: bytes) -> bytes:
    """The authority's answer to a TimeStampReq.

    Raises:
        TimestampFailed: no address that can be asked, no answer in time, a redirect, or not a short answer.
    """
    if urlsplit(settings.TSA_URL).scheme not in {"http", "https"}:
        raise TimestampFailed("TRUSTCORE_TSA_URL must begin with http:// or https://.")
    query = urllib.request.Request(  # noqa: S310 the scheme was looked at
        settings.TSA_URL, request, {"Content-Type": "application/timestamp-query"})
    try:
        content = _in_time(query)
    except _NO_ANSWER as error:
        why = str(error) or "it took too long"
        LOG.warning("no time stamp: %s", why)
        raise TimestampFailed(f"The time-stamp authority did not answer: {why}") from error
    if len(content) > MAX_ANSWER_BYTES:
        raise TimestampFailed("The time-stamp authority's answer is too long.")
    return content


def _in_time(query: urllib.request.Request) -> bytes:
    """The answer, or TimeoutError after TIMEOUT_S.

    A socket's timeout is for each wait, so an authority that drips would hold the caller as long as it likes, in its
    headers as well as in its body. Hence a thread that the caller need not wait for; in the body it gives up too.
    """
    told: Future[bytes] = Future()

    def fetch() -> None:
        try:
            told.set_result(_fetched(query, time.monotonic() + TIMEOUT_S))
        except _NO_ANSWER as error:
            told.set_exception(error)

    threading.Thread(target=fetch, name="time-stamp", daemon=True).start()
    return told.result(TIMEOUT_S)


def _fetched(query: urllib.request.Request, due_s: float) -> bytes:
    """The body, or the first bytes of one that is too long."""
    content = b""
    with _OPENER.open(query, timeout=TIMEOUT_S) as answer:
        while len(content) <= MAX_ANSWER_BYTES and (chunk := answer.read1(CHUNK_BYTES)):
            content += chunk
            if time.monotonic() > due_s:
                raise TimeoutError
    return content


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Who is asked stands in the settings, and nobody else is."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirect itself is the answer, and it is an error."""


_OPENER = urllib.request.build_opener(_NoRedirect)
