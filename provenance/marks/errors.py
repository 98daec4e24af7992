"""What can go wrong with a mark."""

from trustcore.primitives.errors import Refusal


class MarkKeyUnreadable(Refusal):
    """The file given as a mark key is not one."""

    code = "mark.key_unreadable"

    def __init__(self) -> None:
        super().__init__("This file is not a mark key. Give the key file of the epoch the clip was made in.")


class FrameTooSmall(Refusal):
    """A frame that cannot carry a mark."""

    code = "mark.frame_too_small"

    def __init__(self, width: int, height: int) -> None:
        super().__init__(f"A frame of {width}x{height} is too small for a mark. Use at least 128x128, even numbers.")


class MarkModelUnusable(Refusal):
    """A user's watermark model that is not the pinned file, or does not do what the seam asks."""

    code = "mark.model_unusable"
