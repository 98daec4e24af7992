"""What somebody pasted instead of a file: an id of ours, or a link to a page of this installation. PURE.

Nothing is ever fetched: a link is taken apart, and what it names is looked up in our own records.
"""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

MOST_CHARACTERS: Final = 400
_CONVERSATION: Final = re.compile(r"c[0-9a-f]{16}")
_MANIFEST: Final = re.compile(r"urn:(?:c2pa|uuid):[0-9A-Za-z:_.-]{8,120}")


def named_session(text: str, base_url: str) -> str | None:
    """The conversation's or manifest's id that `text` names, or None.

    Args:
        text: an id, or a link whose host is that of `base_url`, with an id as one of the parts of its path.
    """
    text = text.strip()
    if len(text) > MOST_CHARACTERS:
        return None
    if "://" not in text:
        return _id_in([text])
    try:
        link, ours = urlsplit(text), urlsplit(base_url)
    except ValueError:
        return None
    if link.scheme not in ("http", "https") or link.netloc.lower() != ours.netloc.lower():
        return None
    return _id_in(unquote(link.path).split("/"))


def _id_in(parts: list[str]) -> str | None:
    found = (part for part in parts if _CONVERSATION.fullmatch(part) or _MANIFEST.fullmatch(part))
    return next(found, None)
