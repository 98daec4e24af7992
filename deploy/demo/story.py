"""The main job, step by step, over HTTP: from an invitation to a replica that may speak.

Each step does what its person would do and returns what the next one needs. `make demo` tells it with software passkeys
and a procedural person; `make demo CHECK=1` replaces the pages that need a browser with Chromium.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from deploy.demo.people import Person, StoryError, attribute, json_script, links
from rendering.demo import DemoPerson, committed_footage, consent_clip

Say = Callable[[str], None]
Progress = Callable[[str, float], None]  # what is going on, share done

SCOPE = {
    "purposes": ["support", "education"], "audiences": ["adults"], "languages": ["en", "as", "hi"], "territories": ["IN", "SE"],
    "retention_days": "90", "releases": ["face", "voice", "biometric"],
    "emotion_joy": "600", "emotion_surprise": "600", "emotion_sadness": "300", "emotion_anger": "0", "emotion_fear": "0",
    "emotion_disgust": "0", "emotion_contempt": "0",
}  # fmt: skip
POLICY_LIMITS = {"joy": 600, "surprise": 500, "sadness": 250}
PERSONA = {
    "persona_name": "Claims helpdesk",
    "system_prompt": "You answer questions about claims, calmly and in short sentences.",
    "custom_greeting": "",
    "context": (
        "Q: What happened to my claim? A: Your claim reached us on Friday. A person will look at it within three days.\n"
        "Q: What do I have to send? A: Please send a picture of the damage and the number of your policy.\n"
        "Q: How long does it take? A: Most claims are settled within ten days.\n"
        "Q: Can I talk to a person? A: Of course. Our office is open from nine to five, every working day."
    ),
}  # fmt: skip


@dataclass
class Story:
    """What is known so far. `people` by first name in lower case."""

    base_url: str
    people: dict[str, Person]
    links: dict[str, str]
    api_key: str
    subject_id: str = ""
    invitation_path: str = ""
    portal_link: str = ""
    replica_id: str = ""
    version_path: str = ""
    policy_path: str = ""
    persona_id: str = ""
    conversation: dict[str, Any] = field(default_factory=dict)

    @property
    def api(self) -> httpx.Client:
        return httpx.Client(base_url=self.base_url, headers={"x-api-key": self.api_key}, timeout=60)

    def to_json(self) -> dict[str, str]:
        """What a later start needs in order not to tell the story again."""
        names = ("subject_id", "invitation_path", "portal_link", "replica_id", "version_path", "policy_path", "persona_id")
        return {name: getattr(self, name) for name in names}


def begin(base_url: str, cast: dict[str, Any], api_key: str) -> Story:
    """Everybody opens a browser and signs in."""
    people = {name: Person(name, base_url) for name in cast["people"]}
    signin = {name: about["link"] for name, about in cast["people"].items()}
    for name in ("meera", "jonas", "farah", "dev", "erin", "mallory"):
        people[name].sign_in(signin[name])
    return Story(base_url, people, signin, api_key)


# --- consent and identity --------------------------------------------------------------------------------------------


def invite(story: Story, name: str = "Asha Baruah", email: str = "asha@brahmaputra.example") -> None:
    """Meera invites; the link is shown to her once."""
    meera = story.people["meera"]
    page = meera.post("/console/subjects/", {"name": name, "email": email, "asked_for": "Claims helpdesk", "language": "en"})
    found = re.search(r"/i/([A-Za-z0-9_-]+)/", page.text)
    if found is None:
        raise StoryError("the invitation's link is not on the page")
    story.invitation_path = found[0]
    story.subject_id = page.url.path.strip("/").rsplit("/", 1)[-1]


def agree(story: Story) -> None:
    """Asha reads the notice and sets her limits."""
    asha = story.people["asha"]
    asha.get(story.invitation_path)
    ends = (datetime.now(UTC) + timedelta(days=580)).date().isoformat()
    asha.post(story.invitation_path, {**SCOPE, "expires_on": ends})


def record_clip(story: Story, person: DemoPerson, progress: Progress) -> str:
    """Asha answers the challenge that her page shows. Returns the path of the page that follows."""
    asha = story.people["asha"]
    challenge = json_script(asha.get(f"{story.invitation_path}clip/").text, "challenge")
    media = consent_clip(person, challenge, on_progress=lambda done, total: progress("drawing the consent clip", done / total))
    answer = asha.post(
        f"{story.invitation_path}clip/", {"nonce": challenge["nonce"], "timed": "1", "camera": "Demo camera"},
        files={"clip": ("consent-clip", media, "video/mp4")}, accept="application/json",
    )  # fmt: skip
    return str(answer.json()["next"])


def decide_identity(story: Story, decision: str = "accept") -> str:
    """Meera looks at the evidence and decides. Returns the identity page's path."""
    meera = story.people["meera"]
    waiting = links(meera.get(f"/console/subjects/{story.subject_id}/").text, r"^/console/identity/[^/]+/$")
    if not waiting:
        raise StoryError("no clip waits for a decision")
    meera.post(waiting[0], {
        "decision": decision, "sentence": "Your recording was accepted. Your consent is in force.",
        "reason": "Turns, timing and face hold; I listened to the phrase.",
    })  # fmt: skip
    return waiting[0]
