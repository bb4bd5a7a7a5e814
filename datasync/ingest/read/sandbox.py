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

from datasync.ingest.read import system_calls

PR_SET_PDEATHSIG, PR_GET_SECCOMP, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 21, 22, 38
SECCOMP_MODE_FILTER = 2
# Allocators reserve far more than they touch, so the fence around reserved memory stands well outside the limit that
# ``watch_memory`` keeps; it stops the one absurd allocation that would come between two looks.
RESERVED_HEADROOM = 4 * 1024**3
OUT_OF_MEMORY, UNCONFINED = 77, 78  # exit status
MAX_WRITTEN_BYTES = 1024**2  # of standard error, the only file that the process may write
WATCH_SECONDS = 0.02


def confine(*, memory_limit_bytes: int, parent: int) -> None:
    """Apply all limits to this process; they cannot be lifted again.

    Raises ``OSError`` when one of them cannot be set, and the process must not go on then. Only the filter of system
    calls may be missing: on a machine whose calls are not known here, or under a kernel built without such filters.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_FSIZE, MAX_WRITTEN_BYTES)
    _limit(resource.RLIMIT_AS, 2 * memory_limit_bytes + RESERVED_HEADROOM)
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        raise SystemExit(0)
    if platform.machine() in system_calls.REFUSED and libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0:
        _filter_calls(libc, system_calls.program(platform.machine()))
    # Only now, for the filter holds for this thread and for those that it starts later
    threading.Thread(target=_watch_memory, args=(memory_limit_bytes,), daemon=True).start()
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


def _filter_calls(libc: ctypes.CDLL, program: bytes) -> None:
    code = ctypes.create_string_buffer(program)
    described = struct.pack("@HP", len(program) // system_calls.STEP.size, ctypes.addressof(code))
    _prctl(libc, PR_SET_NO_NEW_PRIVS, 1)
    _prctl(libc, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(described, len(described)))


def _prctl(libc: ctypes.CDLL, option: int, value: int, more: ctypes.Array[ctypes.c_char] | int = 0) -> None:
    if libc.prctl(option, value, more, 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, f"prctl option {option}: {os.strerror(code)}")
