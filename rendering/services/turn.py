"""Which STUN and TURN servers a conversation may use.

A TURN server lets in who shows a credential that control made from a secret shared with it: it holds for one
conversation and a few hours, and the secret itself never leaves control (coturn's `use-auth-secret`;
draft-uberti-behave-turn-rest-00).
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

LASTS = timedelta(hours=4)  # the longest conversation; a relay that stands is not asked again


def credential(secret: str, name: str, *, until: datetime) -> tuple[str, str]:
    """(user name, password) that a TURN server with this secret takes until `until`. PURE.

    Args:
        name: of whoever uses it, for the server's own log; it may hold no colon.
    """
    user = f"{int(until.timestamp())}:{name}"
    # SHA-1 is what the servers speak; as an HMAC key derivation it is not known to be weak.
    digest = hmac.new(secret.encode(), user.encode(), hashlib.sha1).digest()
    return user, base64.b64encode(digest).decode()


def ice_servers(conversation_id: str, *, now: datetime) -> list[dict[str, Any]]:
    """The servers of one conversation, as RTCPeerConnection takes them."""
    servers = [dict(server) for server in settings.ICE_SERVERS]
    if settings.TURN_URLS:
        user, password = credential(settings.TURN_SECRET, conversation_id, until=now + LASTS)
        servers.append({"urls": list(settings.TURN_URLS), "username": user, "credential": password})
    return servers
