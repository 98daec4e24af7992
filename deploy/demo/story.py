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

from deploy.demo.people import Person, StoryError, json_script, links
from rendering.demo import DemoPerson, consent_clip

Say = Callable[[str], None]
Progress = Callable[[str, float], None]  # what is going on, share done

SCOPE = {
    "purposes": ["support", "education"], "audiences": ["adults"], "languages": ["en", "as", "hi"],
    "territories": ["IN", "SE"],
    "retention_days": "90", "releases": ["face", "voice", "biometric"],
    "emotion_joy": "600", "emotion_surprise": "600", "emotion_sadness": "300", "emotion_anger": "0",
    "emotion_fear": "0",
    "emotion_disgust": "0", "emotion_contempt": "0",
}  # fmt: skip
POLICY_LIMITS = {"joy": 600, "surprise": 500, "sadness": 250}
PERSONA = {
    "persona_name": "Claims helpdesk",
    "system_prompt": "You answer questions about claims, calmly and in short sentences.",
    "custom_greeting": "",
    "context": (
        "Q: What happened to my claim?\n"
        "A: Your claim reached us on Friday. A person will look at it within three days.\n"
        "Q: What do I have to send?\nA: Please send a picture of the damage and the number of your policy.\n"
        "Q: How long does it take?\nA: Most claims are settled within ten days.\n"
        "Q: Can I talk to a person?\nA: Of course. Our office is open from nine to five, every working day."
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
        names = (
            "subject_id",
            "invitation_path",
            "portal_link",
            "replica_id",
            "version_path",
            "policy_path",
            "persona_id",
        )
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
    page = meera.post(
        "/console/subjects/", {"name": name, "email": email, "asked_for": "Claims helpdesk", "language": "en"}
    )
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
    media = consent_clip(
        person, challenge, on_progress=lambda done, total: progress("drawing the consent clip", done / total)
    )
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


# --- footage, training, policy ---------------------------------------------------------------------------------------


def upload_footage(story: Story, media: bytes, progress: Progress, *, wait_s: float = 600) -> str:
    """Farah uploads; the file is encrypted before it is kept, then checked. Returns the footage page's path."""
    farah = story.people["farah"]
    page = farah.post(
        "/console/footage/new/", {"subject": story.subject_id}, files={"video": ("footage.mp4", media, "video/mp4")}
    )
    path = page.url.path
    state = _poll(farah, f"{path}state.json", lambda s: s["state"] in {"accepted", "refused"}, wait_s,
                  lambda _: progress("checking the footage", 0.0))  # fmt: skip
    if state["state"] != "accepted":
        failed = [f"{f['error_type']}: {f['measure']}" for f in state["findings"] if f["verdict"] == "fail"]
        raise StoryError("the footage was refused: " + "; ".join(failed))
    return path


def train(story: Story, footage_path: str, iterations: int, progress: Progress, *, wait_s: float = 3600) -> None:
    """Farah starts training and watches it."""
    farah = story.people["farah"]
    page = farah.post(f"{footage_path}train/", {"iterations": str(iterations)})
    state = _poll(farah, f"{page.url.path}state.json", lambda s: s["state"] in {"trained", "failed"}, wait_s,
                  lambda s: progress(_training_words(s), s["share"]))  # fmt: skip
    if state["state"] != "trained":
        raise StoryError(f"training failed: {state['failure']}")
    story.version_path = state["next"]
    story.replica_id = story.version_path.split("/")[3]


def _training_words(state: dict[str, Any]) -> str:
    quality = f", {state['psnr_db']:.1f} dB" if state.get("psnr_db") else ""
    left = f", about {state['eta_s']:.0f} s left" if state.get("eta_s") else ""
    return f"training: {state['stage']}{quality}{left}"


def draft_policy(story: Story) -> None:
    """Farah drafts how much the replica may show, where and to whom."""
    farah = story.people["farah"]
    limits = {f"emotion_{name}": str(milli) for name, milli in POLICY_LIMITS.items()}
    page = farah.post("/console/policies/new/", {
        **limits, "replica": story.replica_id, "name": "Claims helpdesk", "contexts": ["public"],
        "session_max_min": "30",
        "use_support_adults": "on", "ceiling_support_adults": "1000", "use_education_adults": "on",
        "ceiling_education_adults": "400",
    })  # fmt: skip
    story.policy_path = page.url.path


def send_for_signatures(story: Story) -> None:
    """Farah asks for signatures on the version and on the policy."""
    farah = story.people["farah"]
    farah.post(f"{story.version_path}send/")
    farah.post(f"{story.policy_path}send/")


def register_passkeys(story: Story) -> None:
    for name in ("meera", "jonas"):
        story.people[name].register_passkey(f"{name.title()}'s key")


def sign_everything(story: Story) -> None:
    """Meera and Jonas read both statements and sign them."""
    for name in ("meera", "jonas"):
        for path in (story.version_path, story.policy_path):
            story.people[name].sign(path)


# --- conversation ----------------------------------------------------------------------------------------------------


def make_persona(story: Story) -> None:
    answer = story.api.post("/v2/personas", json={**PERSONA, "default_replica_id": story.replica_id})
    story.persona_id = _ok(answer)["persona_id"]


def start_conversation(story: Story, **changes: Any) -> dict[str, Any]:
    """Dev's app asks for a conversation. The answer carries the viewer's link and the signed attestation."""
    story.conversation = _ok(story.api.post("/v2/conversations", json=conversation_body(story, **changes)))
    return story.conversation


def conversation_body(story: Story, **changes: Any) -> dict[str, Any]:
    return {
        "replica_id": story.replica_id, "persona_id": story.persona_id, "conversation_name": "Claims helpdesk",
        "purpose": "support",
        "audience": "adults", "country": "IN", "context_of_use": "public", "properties": {"language": "english"},
        **changes,
    }  # fmt: skip


def _ok(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code != 200:
        raise StoryError(f"the API answered {answer.status_code}: {answer.text[:600]}")
    return dict(answer.json())


def _poll(person: Person, path: str, is_over: Callable[[dict[str, Any]], bool], wait_s: float,
          tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:  # fmt: skip
    deadline = time.monotonic() + wait_s
    while True:
        state = dict(person.get(path).json())
        tell(state)
        if is_over(state):
            return state
        if time.monotonic() > deadline:
            raise StoryError(f"{path} was not over after {wait_s:.0f} s: {json.dumps(state)[:300]}")
        time.sleep(0.5)
