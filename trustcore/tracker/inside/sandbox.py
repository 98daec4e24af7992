"""Give up every power that decoding does not need. Runs in the tracker process before the first byte of media.

Two steps, because the models must be loaded from disk and start their threads in between:
`bound` sets resource limits and leaves the network; `lock` forbids opening files, sockets and processes for good.
"""

import ctypes
import platform
import resource
import struct

CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
CLONE_THREAD = 0x00010000
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC = 1, 1
AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
SYS_CLONE = {"x86_64": 56, "aarch64": 220}
SYS_CLONE3 = 435
# Sockets, programs, other processes, mounts, kernel doors, and every way to open a file.
DENIED = {
    "x86_64": (41, 42, 43, 44, 46, 49, 50, 53, 288, 307, 57, 58, 59, 322, 62, 101, 310, 311, 438, 165, 272, 308,
               155, 161, 2, 85, 257, 437, 304, 87, 263, 82, 264, 316, 83, 258, 88, 266, 248, 250, 298, 321, 323, 425),
    "aarch64": (198, 199, 200, 201, 202, 203, 206, 211, 242, 269, 221, 281, 129, 117, 270, 271, 438, 40, 97, 268,
                41, 51, 56, 437, 265, 35, 38, 276, 34, 36, 217, 219, 241, 280, 282, 425),
}
EPERM, ENOSYS = 1, 38
BPF_LOAD, BPF_JEQ, BPF_JGE, BPF_JSET, BPF_RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000

_libc = ctypes.CDLL(None, use_errno=True)


def bound(memory_bytes: int, cpu_s: int, file_bytes: int) -> str:
    """Set the resource limits and leave the network.

    Returns "namespace" when a network namespace of our own was granted, else "none" (containers often forbid it;
    `lock` still refuses sockets).
    """
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, 128),
    ):
        resource.setrlimit(what, (most, most))
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    for flags in (CLONE_NEWNET | CLONE_NEWIPC, CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC):
        if _libc.unshare(flags) == 0:
            return "namespace"
    return "none"


def lock() -> str:
    """Forbid files, sockets, programs and processes in all threads. Returns "seccomp" or "none"."""
    # The count is per user: a lower limit would hit threads the user already runs elsewhere, so it is set only now,
    # when ours have all started.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    machine = platform.machine()
    if machine not in AUDIT_ARCH or _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return "none"
    steps = _filter(machine)
    code = ctypes.create_string_buffer(b"".join(steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    failed = _libc.syscall(SYS_SECCOMP[machine], SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program)
    return "none" if failed else "seccomp"


def network_is_gone() -> bool:
    """True when a socket can be neither made nor sent from: tried, not assumed."""
    import socket  # here, because after `lock` no module can be read from disk

    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            return probe.connect_ex(("192.0.2.1", 9)) == 101  # ENETUNREACH: no route, not even loopback
    except PermissionError:
        return True


def _filter(machine: str) -> list[bytes]:
    """The BPF program: wrong architecture dies, listed calls fail with EPERM, threads are fine, the rest passes."""
    steps = [
        _step(BPF_LOAD, 4),
        _step(BPF_JEQ, AUDIT_ARCH[machine], 1, 0),
        _step(BPF_RETURN, KILL),
        _step(BPF_LOAD, 0),
        _step(BPF_JEQ, SYS_CLONE3, 0, 1),  # its flags lie in memory that a filter cannot read: libc falls back to clone
        _step(BPF_RETURN, ERRNO | ENOSYS),
    ]
    if machine == "x86_64":  # the x32 numbers would walk around the list
        steps += [_step(BPF_JGE, 0x40000000, 0, 1), _step(BPF_RETURN, ERRNO | EPERM)]
    for number in DENIED[machine]:
        steps += [_step(BPF_JEQ, number, 0, 1), _step(BPF_RETURN, ERRNO | EPERM)]
    steps += [
        _step(BPF_JEQ, SYS_CLONE[machine], 0, 3),
        _step(BPF_LOAD, 16),
        _step(BPF_JSET, CLONE_THREAD, 1, 0),
        _step(BPF_RETURN, ERRNO | EPERM),
        _step(BPF_RETURN, ALLOW),
    ]
    return steps


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)
