"""Following a task: what is new since the last look, or since a client was there the last time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from datasync.access import Sight
from datasync.choices import TASK_TERMINAL, TaskState
from datasync.models import SyncProgressTask, SyncTaskFile
from datasync.runs.progress import Glance, glance, progress, result_document, result_rows

FILES_AT_ONCE = 500
_POSITIONS_AT_ONCE = 10_000
_OVERLAP = timedelta(seconds=10)
"""A file is visible only when its transaction ends, a moment after the time it says: so far back is looked again."""
_LATEST = timedelta(minutes=2)
"""No transaction ends later than that: its session is ended soon after the lease that it works under."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ID = re.compile(rf"([0-9]{{1,9}})-({'|'.join(TaskState.values)})-([0-9]{{1,16}})")


@dataclass(frozen=True, slots=True)
class News:
    """Something new: ``progress`` of the task, a ``file`` that is done, or the ``end``; ``id`` is where to go on."""

    name: str
    id: str
    data: dict[str, Any]


class Follower:
    """One client that follows a task.

    An id is ``<finished files>-<state>-<when the last of them was finished, in microseconds>``; only the time is read
    again. Each file is told at least once, and twice to a client that comes back shortly after it: files are told
    apart by their ``file_id``. One that was visible very late is told before the end. An id that is none of ours begins
    at the beginning.
    """

    def __init__(self, task_id: int, *, after: str = "") -> None:
        self._task_id = task_id
        known = _ID.fullmatch(after)
        self._until = _EPOCH + timedelta(microseconds=int(known[3])) if known else None
        self._since = self._until - _LATEST if self._until is not None else _EPOCH
        self._recent: dict[int, datetime] = {}
        self._told = _Numbers()
        self._version = ""

    def look(self, *, sight: Sight) -> list[News]:
        """What is new, the files first; ``end`` once all of them have been told. The task has to be in sight."""
        task = SyncProgressTask.objects.get(pk=self._task_id)  # before its files: a task that is over has them all
        seen = glance(task)
        news = list(self._files(task, seen))
        if len(news) >= FILES_AT_ONCE:  # there may be more, which comes first
            return news
        if task.state in TASK_TERMINAL:
            late = list(self._late_files(task, seen))
            if len(late) >= FILES_AT_ONCE:
                return [*news, *late]
            return [*news, *late, self._say("end", seen, progress(task, sight=sight, page_size=0, seen=seen))]
        if seen.version() != self._version:
            self._version = seen.version()
            news.append(self._say("progress", seen, progress(task, sight=sight, page_size=0, seen=seen)))
        return news

    def _files(self, task: SyncProgressTask, seen: Glance) -> Iterator[News]:
        """The files that were finished since, oldest first, so many at once."""
        done = result_rows(task).filter(finished_at__isnull=False).order_by("finished_at", "pk")
        if self._until is not None:
            done = done.filter(finished_at__gte=self._until - _OVERLAP)
        keys = done.values_list("pk", flat=True)[: FILES_AT_ONCE + len(self._recent)]
        new = [pk for pk in keys if pk not in self._recent][:FILES_AT_ONCE]
        yield from self._tell(done.filter(pk__in=new) if new else (), seen)
        if self._until is not None:
            self._recent = {pk: at for pk, at in self._recent.items() if at >= self._until - _OVERLAP}

    def _late_files(self, task: SyncProgressTask, seen: Glance) -> Iterator[News]:
        """Files of a task that is over which no look has found, so many at once: they were visible too late for it."""
        done = SyncTaskFile.objects.filter(task=task, finished_at__gte=self._since).order_by("position")
        positions = done.values_list("position", flat=True).iterator(chunk_size=_POSITIONS_AT_ONCE)
        missed = list(islice((one for one in positions if one not in self._told), FILES_AT_ONCE))
        yield from self._tell(result_rows(task).filter(position__in=missed).order_by("pk") if missed else (), seen)

    def _tell(self, items: Iterable[SyncTaskFile], seen: Glance) -> Iterator[News]:
        for item in items:
            at = item.finished_at
            if at is None:
                continue
            self._told.add(item.position)
            self._recent[item.pk] = at
            self._until = at if self._until is None else max(self._until, at)
            yield self._say("file", seen, result_document(item, seen.situation))

    def _say(self, name: str, seen: Glance, data: dict[str, Any]) -> News:
        task = seen.task
        done = seen.situation.counts.get("processed", task.succeeded_files + task.failed_files + task.skipped_files)
        stamp = (self._until - _EPOCH) // timedelta(microseconds=1) if self._until else 0
        return News(name=name, id=f"{done}-{task.state}-{stamp}", data=data)


class _Numbers:
    """A set of small whole numbers, a bit for each up to the largest: a million take 125 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> None:
        place, bit = divmod(number, 8)
        self._bits.extend(bytes(max(0, place + 1 - len(self._bits))))
        self._bits[place] |= 1 << bit

    def __contains__(self, number: int) -> bool:
        place, bit = divmod(number, 8)
        return place < len(self._bits) and bool(self._bits[place] >> bit & 1)
