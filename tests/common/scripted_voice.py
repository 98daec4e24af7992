"""A program like Piper: a text line on stdin, raw sound on stdout; its first argument says how it goes wrong."""

import subprocess
import sys
import time
from pathlib import Path

LONG_S = 30.0
SOUND = b"\x10\x20" * 16_000


def main() -> int:
    fault, pid_file = sys.argv[1], Path(sys.argv[2])
    if fault == "deaf":
        return 3
    text = sys.stdin.readline()
    child = subprocess.Popen(["sleep", str(LONG_S)]) if fault in ("stall", "slow_first", "never_ending") else None
    pid_file.write_text(f"{child.pid if child else 0} {text.strip()}")
    if fault == "slow_first":
        time.sleep(LONG_S)
    if fault == "status_500":
        return 1
    if fault == "garbage":
        sys.stdout.buffer.write(b"RIFF\xff\xff\xff\xffnope" + b"x" * 200)
        return 0
    if fault == "silent":
        return 0
    while True:
        sys.stdout.buffer.write(SOUND[: len(SOUND) // 2])
        sys.stdout.buffer.flush()
        if fault == "stall":
            time.sleep(LONG_S)
        if fault == "broken_stream":
            return 1
        sys.stdout.buffer.write(SOUND[len(SOUND) // 2 :])
        sys.stdout.buffer.flush()
        if fault != "never_ending":
            return 0


if __name__ == "__main__":
    sys.exit(main())
