"""After the lock, the process that decodes can reach nothing: each way out is tried."""

import subprocess

import pytest

from trustcore.tracker.caller import INSIDE, tracker_python

PRELUDE = """
import sys, os, socket, ctypes, mmap
sys.path.insert(0, {folder!r})
import sandbox
target = os.open("/etc/hostname", os.O_RDONLY)
out = os.memfd_create("out")
sandbox.bound(2 * 1024**3, 20, 1024 * 1024)
"""
LOCK = "assert sandbox.lock() == 'seccomp'\n"
WAYS_OUT = {
    "read a file": "open('/etc/passwd')",
    "write a file": "open('/tmp/tracker-escape', 'w')",
    "list a folder": "os.listdir('/')",
    "make a socket": "socket.socket()",
    "make a local socket": "socket.socketpair()",
    "start a program": "os.execv('/bin/true', ['true'])",
    "fork": "os.fork()",
    "kill the parent": "os.kill(os.getppid(), 0)",
    "delete": "os.unlink('/tmp/tracker-escape')",
    "trace another process": "assert not ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0), 'refused'",
    "grow an output": "os.write(out, b'x' * 1024 * 1024); os.write(out, b'x')",
    "take more memory": "bytearray(4 * 1024**3)",
}


def run(code: str) -> subprocess.CompletedProcess[str]:
    program = PRELUDE.format(folder=str(INSIDE)) + code
    command = [str(tracker_python()), "-I", "-B", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env={})


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_way_out(way: str) -> None:
    attempt = f"""
try:
    {WAYS_OUT[way]}
except (OSError, MemoryError, AssertionError) as stopped:
    os.write(1, type(stopped).__name__.encode())
else:
    os.write(1, b'escaped')
"""
    ran = run(LOCK + attempt)
    assert ran.stdout in ("PermissionError", "OSError", "MemoryError", "AssertionError"), (ran.stdout, ran.stderr)


def test_what_decoding_needs_still_works() -> None:
    needs = "os.lseek(target, 0, 0); os.read(target, 4); os.write(out, b'fine'); mmap.mmap(-1, 4096)"
    ran = run(LOCK + needs + "; os.write(1, b'done')")
    assert ran.stdout == "done", ran.stderr


def test_without_the_lock_the_same_acts_succeed() -> None:
    """The negative control: the refusals above come from the lock and not from this test's surroundings."""
    ran = run("open('/etc/passwd').close(); os.listdir('/'); socket.socket().close(); os.write(1, b'free')")
    assert ran.stdout == "free", ran.stderr


def test_the_network_is_gone_or_at_least_locked() -> None:
    assert run(LOCK + "os.write(1, str(sandbox.network_is_gone()).encode())").stdout == "True"
