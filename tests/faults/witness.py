"""Somebody who reads the tables all the time, whatever is killed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import Error, connection

from datasync.models import OrderLine, SyncTaskFile

_LOOK = f"""
    SELECT coalesce(stored.file_id, done.file_id), coalesce(stored.rows, 0)
    FROM (SELECT file_last_id AS file_id, count(*) AS rows FROM {OrderLine._meta.db_table} GROUP BY 1) AS stored
    FULL JOIN (SELECT DISTINCT file_id FROM {SyncTaskFile._meta.db_table} WHERE state = 'completed') AS done
        ON done.file_id = stored.file_id
"""
_PAUSE_SECONDS = 0.05


@dataclass
class Witness:
    """What was seen of the files: of each nothing, or all of its rows and an item that says so.

    ``expected``: the order ids of each file, by its primary key; it may grow.
    """

    expected: Mapping[int, Sequence[str]]
    looks: int = 0
    parts: list[tuple[int, int]] = field(default_factory=list)  # a file, and how many of its rows were seen
    _left: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Look until the block ends; fail with what was seen of any file in part."""
        thread = threading.Thread(target=self._run, name="witness", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._left.set()
            thread.join()
        assert self.looks
        assert self.parts == []

    def _run(self) -> None:
        while not self._left.wait(_PAUSE_SECONDS):
            try:
                self._look()
            except Error:  # a server that restarts
                connection.close()
        connection.close()

    def _look(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_LOOK)
            seen = cursor.fetchall()
        self.parts += [(file_id, rows) for file_id, rows in seen if rows != len(self.expected[file_id])]
        self.looks += 1
