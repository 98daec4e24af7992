"""Asking the configured time-stamp authority, over HTTP (RFC 3161 section 3.4)."""

import logging
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from provenance.manifests.errors import TimestampFailed
from provenance.manifests.timestamps import TimeStamps

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024
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
        TimestampFailed: no address that can be asked, no answer in time, or not a short answer.
    """
    if urlsplit(settings.TSA_URL).scheme not in {"http", "https"}:
        raise TimestampFailed("TRUSTCORE_TSA_URL must begin with http:// or https://.")
    query = urllib.request.Request(  # noqa: S310 the scheme was looked at
        settings.TSA_URL, request, {"Content-Type": "application/timestamp-query"})
    try:
        with urllib.request.urlopen(query, timeout=TIMEOUT_S) as answer:  # noqa: S310
            content: bytes = answer.read(MAX_ANSWER_BYTES + 1)
    except (OSError, urllib.error.URLError, ValueError) as error:
        LOG.warning("no time stamp: %s", error)
        raise TimestampFailed(f"The time-stamp authority did not answer: {error}") from error
    if len(content) > MAX_ANSWER_BYTES:
        raise TimestampFailed("The time-stamp authority's answer is too long.")
    return content
