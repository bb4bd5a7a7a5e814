"""Hosts of our own making: each a network namespace, all on one bridge, at whose end this process is the third host.

Names carry the id of the process that made them, so that what a killed session left behind is found and removed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_IP = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "ip"
_NET = "10.213.77"
_OURS = re.compile(r"\berp(\d+)[a-z]?\b")


@dataclass(frozen=True, slots=True)
class Host:
    """A host that reaches the third one, and nothing else in the world."""

    name: str
    address: str

    @property
    def within(self) -> list[str]:
        """The command with which another one runs there."""
        return [_IP, "netns", "exec", self.name]

    def cut_off(self) -> None:
        """Let nothing through any more, in either direction, and tell nobody."""
        _ip("link", "set", f"{self.name}0", "down")

    def connect(self) -> None:
        """Let everything through again."""
        _ip("link", "set", f"{self.name}0", "up")


@dataclass(frozen=True, slots=True)
class Network:
    """The address at which the hosts reach this process's servers, and the hosts."""

    address: str
    hosts: tuple[Host, ...]


@cache
def refusal() -> str:
    """Why no network can be made here; blank where one can."""
    probe = f"erp{os.getpid()}z"
    try:
        _ip("netns", "add", probe)
        _ip("-n", probe, "link", "set", "lo", "up")
        _ip("link", "add", f"{probe}0", "type", "veth", "peer", "name", f"{probe}1")
        _ip("link", "del", f"{probe}0")
    except FileNotFoundError:
        return "iproute2 is not installed; run: make test-packages"
    except subprocess.CalledProcessError as error:
        return f"network namespaces are not permitted here: {error.stderr.strip()}"
    finally:
        _remove(os.getpid())
    return ""


@contextmanager
def network(*, hosts: int) -> Iterator[Network]:
    """A network of so many hosts until the block ends; what runs on them has to end before."""
    _remove_leftovers()
    bridge, made = f"erp{os.getpid()}", []
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("address", "add", f"{_NET}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number in range(hosts):
            host = Host(name=f"{bridge}{chr(ord('a') + number)}", address=f"{_NET}.{number + 2}")
            _add(host, bridge)
            made.append(host)
        yield Network(address=f"{_NET}.1", hosts=tuple(made))
    finally:
        _remove(os.getpid())


def _add(host: Host, bridge: str) -> None:
    ours, theirs = f"{host.name}0", f"{host.name}1"
    _ip("netns", "add", host.name)
    _ip("link", "add", ours, "type", "veth", "peer", "name", theirs)
    _ip("link", "set", theirs, "netns", host.name)
    _ip("link", "set", ours, "master", bridge)
    _ip("link", "set", ours, "up")
    _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", theirs)
    _ip("-n", host.name, "link", "set", "lo", "up")
    _ip("-n", host.name, "link", "set", theirs, "up")


def _remove_leftovers() -> None:
    listed = _ip("netns", "list") + _ip("link", "show", "type", "bridge")
    for process in {int(found) for found in _OURS.findall(listed)}:
        if not Path(f"/proc/{process}").exists():
            _remove(process)


def _remove(process: int) -> None:
    """Remove what that process made; the links of a host go with it."""
    for name in {line.split()[0] for line in _ip("netns", "list").splitlines() if line}:
        if re.fullmatch(rf"erp{process}[a-z]", name):
            _ip("netns", "del", name)
    if Path(f"/sys/class/net/erp{process}").exists():
        _ip("link", "del", f"erp{process}")


def _ip(*words: str) -> str:
    return subprocess.run([_IP, *words], check=True, capture_output=True, text=True).stdout
