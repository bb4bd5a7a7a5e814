"""The system calls that the reading child is refused, as a program for the kernel's seccomp filter.

Refused are those that make a socket, and those that would get the same done by a detour: the ring of asynchronous
calls, and the memory, registers and open files of other processes, which may own sockets. Calls of another architecture
(``int 0x80`` on x86-64) end the process, since their numbers mean something else; those of the x32 dialect are refused.
"""

from __future__ import annotations

import struct

STEP = struct.Struct("<HBBI")  # one instruction of classic BPF: code, jump if true, jump if false, constant
LOAD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
CALL_AT, ARCHITECTURE_AT = 0, 4  # offsets in the kernel's struct seccomp_data
ALLOW, REFUSE, END = 0x7FFF0000, 0x00050001, 0x80000000  # REFUSE: the call fails with EPERM
X32_CALLS = 0x40000000
# Audit architecture by machine
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# socket, ptrace, process_vm_readv, process_vm_writev; then, alike everywhere: io_uring_setup, io_uring_enter,
# io_uring_register, pidfd_getfd
REFUSED = {
    "x86_64": (41, 101, 310, 311, 425, 426, 427, 438),
    "aarch64": (198, 117, 270, 271, 425, 426, 427, 438),
}


def program(machine: str) -> bytes:
    """The filter for a machine of ``REFUSED``."""
    calls = REFUSED[machine]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (JUMP_IF_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, END),
        (LOAD, 0, 0, CALL_AT),
        (JUMP_IF_AT_LEAST, len(calls) + 1, 0, X32_CALLS),
        *((JUMP_IF_EQUAL, len(calls) - place, 0, call) for place, call in enumerate(calls)),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    return b"".join(STEP.pack(*step) for step in steps)
