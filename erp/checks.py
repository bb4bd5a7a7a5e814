"""Mistakes of an operator that the readers of the environment cannot see, each with an id and what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name

from erp import folder_broker
from erp.connections import is_redis_server

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})


@register(Tags.security)
def check_hosts(**_options: Any) -> list[CheckMessage]:
    """In production somebody else than this machine asks."""
    if not settings.PRODUCTION or not set(settings.ALLOWED_HOSTS) <= _LOCAL_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS names this machine only; every request from outside is refused.",
            hint="Set ALLOWED_HOSTS to the names under which the product is reached.",
            id="erp.W003",
        )
    ]


@register(Tags.files)
def check_folders(**_options: Any) -> list[CheckMessage]:
    """The folders must be there, ours must be writable, and none may lie in another."""
    return [*_missing_roots(), *_overlapping_folders(), *_unwritable_folders()]


@register(Tags.database)
def check_services(**_options: Any) -> list[CheckMessage]:
    """A real broker means several processes or machines, for which SQLite has one lock."""
    sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if not sqlite or not _has_server_as_broker():
        return []
    return [
        Warning(
            "The database is SQLite while the broker is a server.",
            hint="Set DATABASE_URL to a PostgreSQL database; SQLite is for one machine with few workers.",
            id="erp.W008",
        )
    ]


@register(Tags.caches, deploy=True)
def check_shared_cache(**_options: Any) -> list[CheckMessage]:
    """Limits and cached lists have to be the same in every process."""
    if not settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
        return []
    return [
        Warning(
            "The cache lives in each process alone.",
            hint="Set REDIS_URL or CACHE_URL, so that all processes share one cache.",
            id="erp.W009",
        )
    ]


@register(Tags.caches)
def check_shared_limits(**_options: Any) -> list[CheckMessage]:
    """Several machines count rate limits together only in one Redis; a broker may be of many other kinds."""
    if is_redis_server(settings.REDIS_URL) or not _has_server_as_broker():
        return []
    return [
        Warning(
            "The broker is a server while each machine counts rate limits by itself.",
            hint="Set REDIS_URL to one Redis (redis:// or rediss://); another broker is named in CELERY_BROKER_URL.",
            id="erp.W010",
        )
    ]


def _has_server_as_broker() -> bool:
    broker: str = getattr(settings, "CELERY_BROKER_URL", "")
    return not broker.startswith(f"{folder_broker.SCHEME}:")


def _missing_roots() -> Iterator[CheckMessage]:
    """Roots that were configured but are not there; the default one is made by the first scan."""
    for root in settings.DATA_ROOTS:
        if root != settings.VAR_DIR / "inbox" and not root.is_dir():
            yield Warning(
                f"The data root {root} is no folder that can be read.",
                hint="Create it, mount it, or correct DATA_ROOTS.",
                id="erp.W004",
            )


def _overlapping_folders() -> Iterator[CheckMessage]:
    folders = [*settings.DATA_ROOTS, settings.UPLOAD_DIR]
    for one, other in combinations(folders, 2):
        if one.is_relative_to(other) or other.is_relative_to(one):
            yield Error(
                f"{one} and {other} lie in one another; their files would be catalogued twice.",
                hint="Choose DATA_ROOTS and UPLOAD_DIR apart from each other.",
                id="erp.E005",
            )


def _unwritable_folders() -> Iterator[CheckMessage]:
    for name in ("VAR_DIR", "UPLOAD_DIR"):
        folder: Path = getattr(settings, name)
        existing = next(part for part in (folder, *folder.parents) if part.exists())
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            yield Error(
                f"{name} ({folder}) cannot be written.",
                hint=f"Give the user of this process the right to write there, or set {name} to another folder.",
                id="erp.E006",
            )
