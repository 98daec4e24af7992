"""How often one network may ask something, counted in this process. PURE but for its counters; time is passed in.

One web process counts for itself: with several the limit is that many times larger. It is meant against one caller who
floods, not as a promise of an exact number.
"""

import ipaddress
import threading

WINDOW_S = 60
V4_PREFIX, V6_PREFIX = 24, 48
MAX_NETWORKS = 10_000  # counted one by one; those that come later in a minute count together
LATER = "later"


def network_of(address: str) -> str:
    """The network an address belongs to: /24 of IPv4, /48 of IPv6. What is no address is one network of its own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    prefix = V4_PREFIX if found.version == 4 else V6_PREFIX
    return str(ipaddress.ip_network((found, prefix), strict=False))


class RateLimit:
    """A fixed window of one minute for each network."""

    def __init__(self) -> None:
        self._window = -1
        self._asked: dict[str, int] = {}
        self._lock = threading.Lock()

    def admits(self, network: str, per_minute: int, now_s: float) -> bool:
        """Count one question; whether it is within the limit."""
        window = int(now_s // WINDOW_S)
        with self._lock:
            if window != self._window:
                self._window, self._asked = window, {}
            name = network if network in self._asked or len(self._asked) < MAX_NETWORKS else LATER
            self._asked[name] = self._asked.get(name, 0) + 1
            return self._asked[name] <= per_minute
