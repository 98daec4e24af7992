"""A render worker whose line to its viewers can be cut: while the file in CUT_FILE is there, no UDP packet comes or
goes. Its line to control stays.
"""

import os
import sys
from pathlib import Path
from typing import Any

from aioice.ice import StunProtocol

from rendering.worker.main import main


def install(is_cut: Any) -> None:
    """Both ways, media and connectivity checks alike."""
    send_data, send_stun = StunProtocol.send_data, StunProtocol.send_stun
    received = StunProtocol.datagram_received

    async def perhaps_data(self: StunProtocol, data: bytes, address: tuple[str, int]) -> None:
        if not is_cut():
            await send_data(self, data, address)

    def perhaps_stun(self: StunProtocol, message: Any, address: tuple[str, int]) -> None:
        if not is_cut():
            send_stun(self, message, address)

    def perhaps_received(self: StunProtocol, data: bytes | str, address: tuple[Any, ...]) -> None:
        if not is_cut():
            received(self, data, address)

    StunProtocol.send_data, StunProtocol.send_stun = perhaps_data, perhaps_stun
    StunProtocol.datagram_received = perhaps_received


if __name__ == "__main__":
    install(Path(os.environ["CUT_FILE"]).exists)
    sys.exit(main())
