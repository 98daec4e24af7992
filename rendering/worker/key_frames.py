"""Key frames that a viewer asks for: the browser by RTCP, a page that withheld frames in words."""

from rendering.worker.allowance import Allowance
from rendering.worker.sizes import Encoders

AT_ONCE, A_SECOND = 4, 2  # a page asks twice a second while it withholds frames
KEY_FRAME_REQUEST = "key-frame"  # from a page; RTCP knows nothing of withheld frames


class KeyFrameRequests:
    """A key frame is many times the size of another; who wants one asks again until it comes."""

    def __init__(self) -> None:
        self._allowance = Allowance(AT_ONCE, A_SECOND)

    def ask(self, encoder: Encoders, now_s: float) -> None:
        """Have the next picture be one, if it was not asked for too often."""
        if self._allowance.take(now_s):
            encoder.request_key_frame()
