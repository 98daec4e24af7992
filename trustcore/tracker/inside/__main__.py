"""The tracker process: media on stdin, arrays into the memory files it was given, one JSON line per step on stdout.

Runs with the Python of the tracker environment and imports nothing of the rest of this repository. Argument 1 is
the order as JSON: limits, want, size, and the file descriptor of each output array.
"""

import json
import os
import sys

import sandbox

ORDER = json.loads(sys.argv[1])
NETWORK = sandbox.bound(
    ORDER["limits"]["max_memory_bytes"], ORDER["limits"]["max_cpu_s"], ORDER["limits"]["max_output_bytes"]
)

import decode  # noqa: E402  the limits hold before anything large is loaded
import landmarks  # noqa: E402
import passes  # noqa: E402


def say(**line: object) -> None:
    """One line to the caller."""
    os.write(1, json.dumps(line).encode() + b"\n")


def main() -> int:
    """Track the one clip on stdin."""
    want = ORDER["want"]
    models = landmarks.Models(want_landmarks="landmarks" in want, want_mask="mask" in want, views=ORDER["views"])
    held = {"namespace": NETWORK == "namespace", "seccomp": sandbox.lock() == "seccomp"}
    held["network_gone"] = sandbox.network_is_gone()
    say(sandbox=held)
    try:
        with os.fdopen(0, "rb") as file:
            if ORDER["is_sound_alone"]:
                report = passes.listen(file, ORDER)
            else:
                report = passes.track(file, models, ORDER, lambda frames, of: say(frames=frames, of=of))
    except decode.Refused as refused:
        say(refused=refused.code, facts=refused.facts)
        return 0
    except MemoryError:
        say(refused="media.too_costly", facts={})
        return 0
    say(done=report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
