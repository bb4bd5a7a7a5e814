"""Small disks: file systems in memory that a test mounts, fills and enlarges."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A mounted file system of a few pages."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Leave no room on it."""
        with self._ballast.open("wb", buffering=0) as stream:
            block = bytes(4096)
            try:
                while True:
                    stream.write(block)
            except OSError:
                return

    def make_room(self) -> None:
        """Give back what filled it, and enlarge it."""
        self._ballast.unlink(missing_ok=True)
        _mount("-o", "remount,size=256m", str(self.folder))


@contextmanager
def small_disk(*, size: str, owner: str = "root") -> Iterator[Disk]:
    """A disk of that size (``512k``, ``4m``); skips the test where nothing may be mounted."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    parent = Path(tempfile.mkdtemp(prefix="erp-disk-"))
    parent.chmod(0o755)  # the server of the database has to come through
    folder = parent / "disk"
    folder.mkdir()
    try:
        refused = _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
        if refused:
            pytest.skip(f"no small disk can be mounted: {refused}")
        try:
            shutil.chown(folder, owner)
            yield Disk(folder)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def _mount(*arguments: str) -> str:
    """What mount complains of; blank where it is done."""
    done = subprocess.run(["mount", *arguments], check=False, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""
