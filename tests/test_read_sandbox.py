"""What the reading process may not do, tried in a process under the same limits."""

from __future__ import annotations

import platform
import signal
import subprocess
import sys

import pytest

CONFINED = """
import ctypes, errno, mmap, os, threading
from datasync.ingest.read.sandbox import confine
confine(memory_limit_bytes=2**30, parent=os.getppid())
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    done = libc.syscall(number, *arguments)
    print(done, errno.errorcode.get(ctypes.get_errno(), 0), flush=True)
"""
on_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86-64")


def confined(code: str) -> subprocess.CompletedProcess[str]:
    """What a confined process did with ``code``."""
    return subprocess.run([sys.executable, "-c", CONFINED + code], capture_output=True, text=True, check=False)


@on_x86_64
@pytest.mark.parametrize(
    "code",
    [
        "call(41, 2, 1, 0)",
        "call(0x40000000 | 41, 2, 1, 0)",
        "call(425, 1, ctypes.create_string_buffer(120))",
        "call(426, 0, 0, 0, 0, 0)",
        "call(427, 0, 0, 0, 0)",
        "call(101, 0, 0, 0, 0)",
        "call(438, 0, 0, 0)",
        "thread = threading.Thread(target=call, args=(41, 2, 1, 0)); thread.start(); thread.join()",
    ],
)
def test_a_call_that_leads_to_the_network_is_refused(code: str) -> None:
    assert confined(code).stdout == "-1 EPERM\n"


@on_x86_64
def test_a_call_of_another_architecture_ends_the_process() -> None:
    """Number 102 through ``int 0x80`` is the 32-bit way to make a socket."""
    code = """
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20; int 0x80; ret: getpid, as harmless as it gets
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))(), flush=True)
"""
    done = confined(code)
    assert (done.stdout, done.returncode) == ("", -signal.SIGSYS)


def test_ordinary_work_goes_on() -> None:
    assert confined("print(sum(range(5)), os.listdir('/') != [])").stdout == "10 True\n"


def test_standard_error_cannot_fill_the_disk() -> None:
    code = """
import tempfile
with tempfile.TemporaryFile() as file:
    try:
        for _ in range(64):
            os.write(file.fileno(), b"x" * 65536)
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
    assert confined(code).stdout == "EFBIG\n"


@pytest.mark.parametrize("option", [1, 22, 38])
def test_a_limit_that_cannot_be_set_keeps_the_process_from_starting(option: int) -> None:
    """The C library's answer is the edge of the machine: here it says no to one option."""
    code = f"""
import ctypes, os, sys
from datasync.ingest.read import child
class Library:
    def __init__(self, *_, **__):
        self.real = real(None, use_errno=True)
    def prctl(self, option, *rest):
        return -1 if option == {option} else self.real.prctl(option, *rest)
real, ctypes.CDLL = ctypes.CDLL, Library
sys.argv = ["child", "--memory-limit-bytes=1073741824", f"--parent={{os.getppid()}}"]
child.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input="", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 78
    assert "cannot be confined" in done.stderr
    assert done.stdout == ""
