"""Which pages of other sites may show a live conversation in a frame. Pure: a setting in, answers out.

The setting is a list of words, each `https://host[:port]` for every organisation or `slug=https://host[:port]` for one.
Nobody may by default. There are no wildcards: `*.example` would also be whoever gets a subdomain next year.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
EVERY_ORGANISATION = ""
_DEFAULT_PORTS = {"https": 443, "http": 80}


def origin_of(text: str) -> str:
    """`text` as an origin, in the one spelling that browsers use.

    Raises:
        ValueError: not an origin, or plain HTTP anywhere but on the machine itself.
    """
    parts = urlsplit(text.strip().lower())
    if parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment or not parts.hostname:
        raise ValueError(f"{text!r} is no origin: write https://host or https://host:port")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS):
        raise ValueError(f"{text!r} must be https")
    if not all(letter.isalnum() or letter in "-.:" for letter in parts.hostname) or not parts.hostname.isascii():
        raise ValueError(f"{text!r} names no host: wildcards are not allowed, other scripts are written as xn--")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, _DEFAULT_PORTS[parts.scheme]} else "")


def read(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """{organisation's slug, or "" for every one: its origins}.

    Raises:
        ValueError: a word is neither an origin nor slug=origin.
    """
    found: dict[str, tuple[str, ...]] = {}
    for word in words:
        slug, equals, origin = word.partition("=")
        who, what = (slug.strip(), origin) if equals else (EVERY_ORGANISATION, word)
        found[who] = (*found.get(who, ()), origin_of(what))
    return found


def allowed(listed: Mapping[str, tuple[str, ...]], slug: str) -> tuple[str, ...]:
    """The origins that may show this organisation's conversations, sorted."""
    return tuple(sorted({*listed.get(EVERY_ORGANISATION, ()), *listed.get(slug, ())}))


def is_from(referrer: str, origins: Iterable[str]) -> bool:
    """Whether a `Referer` names one of these origins; also true where the browser told none."""
    if not referrer:
        return True
    parts = urlsplit(referrer)
    try:
        return origin_of(f"{parts.scheme}://{parts.netloc}") in origins
    except ValueError:
        return False
