"""What the reading child gives up before it looks at a file: much memory, core dumps, sockets, outliving its parent."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import threading
import time
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SECCOMP_MODE_FILTER = 2
# Allocators reserve far more than they touch, so the fence around reserved memory stands well outside the limit that
# ``watch_memory`` keeps; it stops the one absurd allocation that would come between two looks.
RESERVED_HEADROOM = 4 * 1024**3
OUT_OF_MEMORY = 77  # exit status
WATCH_SECONDS = 0.02
# (audit architecture, number of the socket system call) by machine
SOCKET_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # the latter: fail with EPERM


def confine(*, memory_limit_bytes: int, parent: int) -> None:
    """Apply all limits to this process; they cannot be lifted again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_AS, 2 * memory_limit_bytes + RESERVED_HEADROOM)
    threading.Thread(target=_watch_memory, args=(memory_limit_bytes,), daemon=True).start()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        raise SystemExit(0)
    _refuse_sockets(libc)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop


def _watch_memory(limit_bytes: int) -> None:
    """End the process when it holds more than ``limit_bytes`` of real memory."""
    limit_pages = limit_bytes // resource.getpagesize()
    with Path("/proc/self/statm").open("rb", buffering=0) as status:
        while True:
            status.seek(0)
            if int(status.read(128).split()[1]) > limit_pages:
                os._exit(OUT_OF_MEMORY)
            time.sleep(WATCH_SECONDS)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    bounded = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (bounded, bounded))


def _refuse_sockets(libc: ctypes.CDLL) -> None:
    """A system call filter: no socket can be made, so nothing in a file can reach the network."""
    if platform.machine() not in SOCKET_CALLS:
        return
    architecture, call = SOCKET_CALLS[platform.machine()]
    steps = (
        (LOAD, 0, 0, 4),  # the architecture
        (JUMP_IF_EQUAL, 0, 3, architecture),
        (LOAD, 0, 0, 0),  # the number of the call
        (JUMP_IF_EQUAL, 0, 1, call),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(program, len(program)), 0, 0)
