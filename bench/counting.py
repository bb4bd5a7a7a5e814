"""What the durable queue asks of database and broker for a file, counted in the process that works.

Not counted is what a file would cost without a queue: finding its template, reading it, loading its rows with the
transaction around them, and judging the quality of a task's data and keeping the report; nor is the question by which a
worker learns that there is nothing left to do. The last statements of the loading transaction, which record the file's
end, are counted.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar
from unittest.mock import patch

from django.db import connection

from datasync.mapping import services as mapping
from datasync.runs import close, execute, finish, turns
from datasync.runs.pick import pick_task
from datasync.runs.publish import give_turns

R = TypeVar("R")
_FILE_WORK = (
    *((execute, "ingest"), (mapping, "prepare_read"), (mapping, "bind")),
    *((close, "_assess"), (close, "_store")),
)
_SHOWN = 60
_NUMBERED = re.compile(r' "s\d+_x\d+"')
"""The name of a savepoint."""


@dataclass(slots=True)
class Cost:
    """Statements by how they begin, and seconds, as the worker sees them: the way there and back included."""

    statements: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    messages: int = 0
    database_seconds: float = 0.0
    broker_seconds: float = 0.0
    counting: bool = True

    @contextmanager
    def switched(self, *, on: bool) -> Iterator[None]:
        """Count, or do not, while the block runs."""
        before, self.counting = self.counting, on
        try:
            yield
        finally:
            self.counting = before

    def statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Django's execute wrapper."""
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if self.counting:
                self.database_seconds += time.perf_counter() - began
                self.statements[_NUMBERED.sub("", " ".join(str(sql).split()))[:_SHOWN]] += 1

    def commit(self, commit: Callable[[], None]) -> None:
        """The end of a transaction."""
        began = time.perf_counter()
        commit()
        if self.counting:
            self.database_seconds += time.perf_counter() - began
            self.commits += 1

    def publish(self, **options: Any) -> bool:
        """A turn that is passed on."""
        began = time.perf_counter()
        heard = give_turns(**options)
        self.broker_seconds += time.perf_counter() - began
        self.messages += 1
        return heard


@contextmanager
def counted() -> Iterator[Cost]:
    """Count what this process's turns cost while the block runs."""
    cost = Cost()
    commit = connection.commit
    with ExitStack() as stack:
        for module, name in _FILE_WORK:
            stack.enter_context(patch.object(module, name, _switched(getattr(module, name), cost, on=False)))
        stack.enter_context(patch.object(finish, "succeed", _switched(finish.succeed, cost, on=True)))
        stack.enter_context(patch.object(connection, "commit", lambda: cost.commit(commit)))
        stack.enter_context(patch.object(turns, "give_turns", cost.publish))
        stack.enter_context(patch.object(turns, "pick_task", _if_found(pick_task, cost)))
        stack.enter_context(connection.execute_wrapper(cost.statement))
        yield cost


def _if_found(function: Callable[[], R | None], cost: Cost) -> Callable[[], R | None]:
    def wrapped() -> R | None:
        before = cost.statements.copy(), cost.database_seconds
        found = function()
        if found is None:
            cost.statements, cost.database_seconds = before
        return found

    return wrapped


def _switched(function: Callable[..., Any], cost: Cost, *, on: bool) -> Callable[..., Any]:
    @wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        with cost.switched(on=on):
            return function(*args, **options)

    return wrapped
