"""What a figure depends on: the machine and the versions."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.servers import POSTGRES_SETTINGS
from tests.services import postgres_binaries

_OURS = ("django", "celery", "psycopg", "polars", "fastexcel", "python-calamine")
_PEERS = ("dlt", "pandas", "sqlalchemy", "django-import-export", "openpyxl")


def facts() -> dict[str, str]:
    """Machine, servers and packages of this run."""
    return {
        "machine": f"{os.cpu_count()} cores, {_processor()}, {_memory_gigabytes():.0f} GB, {platform.platform()}",
        "load before the run": " ".join(f"{load:.1f}" for load in os.getloadavg()),
        "Python": platform.python_version(),
        "PostgreSQL": f"{_output(str(postgres_binaries() / 'postgres'), '--version')}; {_settings()}",
        "Redis": _output("redis-server", "--version"),
        "the product's packages": _versions(_OURS),
        "the peers": _versions(_PEERS),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gigabytes() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def _settings() -> str:
    return ", ".join(f"{name} = {value}" for name, value in POSTGRES_SETTINGS.items())


def _versions(names: tuple[str, ...]) -> str:
    found = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} is not installed")
    return ", ".join(found)


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[0].strip()
