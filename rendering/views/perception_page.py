"""What the viewer's page needs to ask for perception: notice and two addresses, or the word "off" and nothing else."""

from typing import Any

from rendering.models import Conversation
from rendering.services import perceiving, perception_notice
from trustcore.policy import perception


def page_context(conversation: Conversation, base: str) -> dict[str, Any]:
    """For the viewer's page: nothing but "off" where nothing may be perceived, so that it names no script."""
    level = perceiving.level_of(conversation)
    if level == "off":
        return {"perception_level": level}
    return {
        "perception_level": level, "perception_url": f"{base}/perception", "frame_url": f"{base}/perception/frame",
        "perception_notice": perception_notice.sentences(level),
        "reads_face": perception.includes(level, "face"),
    }


def permissions_policy(level: str) -> str:
    """What the viewer's page and its frame may use. Without a face to read the browser itself refuses the camera."""
    camera = "(self)" if perception.includes(level, "face") else "()"
    return f"camera={camera}, microphone=(self), geolocation=(), payment=(), usb=()"
