"""`make demo`: the whole story on this machine, then a live replica to talk with. `--check` plays it in headless
Chromium, refuses what must be refused, and ends with one JSON object.
"""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from deploy.demo import story
from deploy.demo.people import StoryError
from deploy.demo.terminal import Terminal
from deploy.stack import REPOSITORY, Stack, StackError
from rendering.demo import DemoPerson, committed_footage

STATE = Path(os.environ.get("TRUSTCORE_STATE_DIR", REPOSITORY / "var"))
PORT = int(os.environ.get("TRUSTCORE_PORT", "8000"))
ITERATIONS = int(os.environ.get("TRUSTCORE_DEMO_ITERATIONS", "1500"))


def tell(stack: Stack, terminal: Terminal) -> story.Story:
    """Play the whole story once, or pick up where an earlier start has left it."""
    cast = json.loads(stack.manage("demo_cast", "--json"))
    told = story.begin(stack.base_url, cast, Path(cast["api_key_file"]).read_text().strip())
    remembered = stack.state_dir / "demo-story.json"
    if remembered.exists():
        for name, value in json.loads(remembered.read_text()).items():
            setattr(told, name, value)
        return told
    terminal.step("Meera invites Asha; Asha reads the notice and sets her limits")
    story.invite(told)
    story.agree(told)
    terminal.step("Asha answers a one-time challenge: a phrase, then head turns in an order drawn just now")
    story.record_clip(told, DemoPerson("A"), terminal.progress)
    terminal.step("Meera looks at the evidence and accepts")
    story.decide_identity(told)
    terminal.step("Farah uploads footage; it is encrypted under Asha's own key")
    footage = story.upload_footage(told, committed_footage(), terminal.progress)
    terminal.step("A render worker trains the replica and measures it on frames it never saw")
    story.train(told, footage, ITERATIONS, terminal.progress)
    terminal.step("Farah drafts the emotion policy; Meera and Jonas sign both with passkeys")
    story.draft_policy(told)
    story.send_for_signatures(told)
    story.register_passkeys(told)
    story.sign_everything(told)
    story.make_persona(told)
    remembered.write_text(json.dumps(told.to_json(), indent=1))
    return told


def invite_to_look(told: story.Story, cast_links: dict[str, str]) -> None:
    """What to open, and as whom."""
    answer = story.start_conversation(told)
    rows = [
        ("Meera, compliance", "decisions, identity evidence, live sessions", cast_links["meera"]),
        ("Jonas, legal", "what he signed", cast_links["jonas"]),
        ("Farah, author", "training and policies; start a replica of yourself", cast_links["farah"]),
        ("Dev, developer", "API keys", cast_links["dev"]),
        ("Erin, auditor", "the log, proofs, evidence bundles", cast_links["erin"]),
        ("Mallory, elsewhere", "nothing of this", cast_links["mallory"]),
    ]
    print(f"\nTrustcore is serving at {told.base_url}\n")
    print("  Talk with the replica of Asha (this link works once, for the first browser that opens it):")
    print(f"    {answer['conversation_url']}\n")
    print(
        '  Try: type "What happened to my claim?", open the chip over the picture, then stop it as Meera under Live.\n'
    )
    for who, sees, link in rows:
        print(f"  {who:<20} {sees}\n    {link}")
    print(f"\n  Check any clip, without signing in: {told.base_url}/check/")
    print("  Another conversation: press Enter. Stop: Ctrl-C.", flush=True)


def serve(told: story.Story) -> None:
    """Until Ctrl-C; Enter makes another conversation link."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if sys.stdin.isatty():
        threading.Thread(target=_more_links, args=(told,), daemon=True).start()
    while not stopped.wait(1.0):
        pass


def _more_links(told: story.Story) -> None:
    for _line in sys.stdin:
        try:
            print(f"    {story.start_conversation(told)['conversation_url']}", flush=True)
        except StoryError as error:
            print(f"    {error}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="play the story in headless Chromium and prove it")
    given = parser.parse_args()
    terminal = Terminal()
    try:
        if given.check:
            from deploy.demo.check import check

            return check(terminal)
        with Stack(state_dir=STATE, port=PORT, say=terminal.step) as stack:
            told = tell(stack, terminal)
            invite_to_look(told, told.links)
            serve(told)
    except (StackError, StoryError) as error:
        print(
            f"\nThe demo stopped: {error}\n"
            f"Logs are in {STATE / 'logs'}. Run `make demo` again; it goes on from where it can.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
