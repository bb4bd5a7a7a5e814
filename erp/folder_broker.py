"""The embedded broker: kombu's file-system transport, made safe for several processes and given priorities.

As it comes, a message file is visible before it is written, so that a worker that looks at the wrong moment reads half
of it and dies; the same holds for the table of bindings. Here both appear by a rename. The name of a message begins
with its priority, and whoever reads takes the first name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

SCHEME = "folder"
_LOWEST = 10


class Channel(filesystem.Channel):
    """Messages as files: written aside and renamed into place, taken by a rename that only one reader wins."""

    def _put(self, queue: str, payload: dict[str, Any], **_kwargs: Any) -> None:  # type: ignore[override]
        if payload.get("redelivered"):  # where kombu leaves it, no consumer finds it
            payload["properties"]["delivery_info"]["redelivered"] = True
        priority = max(0, min(_LOWEST, int(payload.get("properties", {}).get("priority") or 0)))
        name = f"{_LOWEST - priority:02d}-{time.time_ns():020d}-{uuid.uuid4().hex}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 - polling never waits
        suffix = f".{queue}.msg"
        names = os.listdir(self.data_folder_in)  # noqa: PTH208 - names are enough, and this runs 20 times a second
        for name in sorted(name for name in names if name.endswith(suffix)):
            taken = Path(self.processed_folder) / name
            try:
                (Path(self.data_folder_in) / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was faster
            message = loads(taken.read_bytes())
            if not self.store_processed:
                taken.unlink()
            return message
        raise Empty

    def get_table(self, exchange: str) -> list[filesystem.exchange_queue_t]:  # type: ignore[override]
        try:
            rows = loads(self._table(exchange).read_bytes())
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._bindings_locked():
            table = self.get_table(exchange)
            if row not in table:
                _write(self._table(exchange), [row, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_args: Any, **_kwargs: Any) -> None:
        self._purge(queue)
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._bindings_locked():
            table = self.get_table(exchange)
            if row in table:
                _write(self._table(exchange), [other for other in table if other != row])

    def _table(self, exchange: str) -> Path:
        return Path(self._exchange_file(exchange))  # type: ignore[attr-defined]  # newer than the type stubs

    @contextlib.contextmanager
    def _bindings_locked(self) -> Iterator[None]:
        with (Path(self.control_folder) / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    """``folder://``, with the options of kombu's ``filesystem://``."""

    Channel = Channel


def _write(path: Path, content: Any) -> None:
    aside = path.with_name(f".{uuid.uuid4().hex}")
    aside.write_text(dumps(content))
    aside.rename(path)


def register() -> None:
    """Make ``folder://`` known to kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:Transport"
