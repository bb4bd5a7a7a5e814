"""Catalogued files, tasks and a stand-in for reading and loading, for the tests of the runs room."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User

from datasync.choices import FileState
from datasync.fields import Domain
from datasync.ingest.plan import Counts
from datasync.mapping import services as mapping
from datasync.models import CatalogFile, HeaderTemplate, Platform, SyncTaskFile
from datasync.remarks import Remark, RemarkCode
from datasync.runs import dispatch, execute, turns
from datasync.runs.remap import execute as remap_execute
from datasync.runs.sweep import turns as lost_turns
from tests.sheets import make_plan

_numbers = itertools.count(1)


def make_file(*, folder: Path | None = None, state: str = FileState.PENDING, **fields: Any) -> CatalogFile:
    """A catalogued file of its own, on disk where a folder is given."""
    number = next(_numbers)
    platform, _ = Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    name = f"orders{number}.csv"
    modified = datetime.now(tz=UTC)
    if folder is not None:
        (folder / name).write_text("x")
        modified = datetime.fromtimestamp((folder / name).stat().st_mtime, tz=UTC)
    values: dict[str, Any] = {
        "root": str(folder or "root"),
        "storage_name": name,
        "original_name": name,
        "size": 1,
        "modified_at": modified,
        "sha256": f"{number:064x}",
        "content_sha256": f"{number:064x}",
        "platform": platform,
        "domain": "orders",
        "granularity": "daily",
        "state": state,
    }
    return CatalogFile.objects.create(**(values | fields))


def make_template() -> HeaderTemplate:
    """A published template; nothing of it is read here."""
    platform, _ = Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    return HeaderTemplate.objects.get_or_create(
        platform=platform, source_platform=platform, domain="orders", granularity="daily", state="published"
    )[0]


def make_user(name: str = "ana", **fields: Any) -> User:
    """A person who may submit."""
    user, _ = User.objects.get_or_create(username=name, defaults=fields)
    return user


@dataclass
class Bell:
    """Takes the place of the broker: remembers the priorities of the turns that were given, and whether it hears."""

    rung: list[int] = field(default_factory=list)
    later: list[float] = field(default_factory=list)  # after how many seconds others are to be given
    heard: bool = True

    def give_turns(self, *, turns: int = 1, first_id: str | None = None, priority: int = 5) -> bool:
        if self.heard:
            self.rung += [priority] * turns
        return self.heard


@pytest.fixture
def bell(monkeypatch: pytest.MonkeyPatch) -> Bell:
    """No broker: turns are only counted."""
    bell = Bell()
    monkeypatch.setattr(lost_turns, "messages_waiting", lambda _queue: 0)
    for module in (dispatch, turns):
        monkeypatch.setattr(module, "give_turns", bell.give_turns)
    for module in (execute, remap_execute):
        monkeypatch.setattr(module, "give_turn_later", bell.later.append)
    return bell


@dataclass
class Ingest:
    """Takes the place of reading and loading: each file ends as told, by default with ten new rows."""

    ends: dict[int, Counts | Exception] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)
    meanwhile: Callable[[SyncTaskFile], None] = lambda _: None
    interrupt: Callable[[], None] = lambda: None

    def __call__(self, *, item_id: int, before_commit: Callable[[Any], None], **_: Any) -> None:
        from django.db import transaction  # noqa: PLC0415

        item = SyncTaskFile.objects.get(pk=item_id)
        self.seen.append(item.file_id)
        self.meanwhile(item)
        end = self.ends.get(item.file_id, Counts(read=10, inserted=10))
        with transaction.atomic():
            CatalogFile.objects.filter(pk=item.file_id).update(account="loaded")
            if isinstance(end, Exception):
                raise end
            before_commit(SimpleNamespace(counts=end, measures={}, discarded=0,
                                          warnings=[] if end.read else [Remark(RemarkCode.NO_ROWS)]))  # fmt: skip


@pytest.fixture
def ingest(monkeypatch: pytest.MonkeyPatch) -> Ingest:
    """No reading: only what the runs room does around it."""
    ingest = Ingest()

    @contextmanager
    def opened(_request: Any) -> Any:
        yield SimpleNamespace(info=None)

    monkeypatch.setattr(execute, "ingest", ingest)
    monkeypatch.setattr(execute, "verify_unchanged", lambda *_: None)
    monkeypatch.setattr(execute, "look_again", lambda *_: None)
    monkeypatch.setattr(execute, "reader", lambda: SimpleNamespace(open=opened, interrupt=ingest.interrupt))
    monkeypatch.setattr(mapping, "prepare_read", lambda *_: None)
    monkeypatch.setattr(mapping, "suggest_for_file", lambda *_, **__: None)
    plan = make_plan(Domain.ORDERS, ("order_id",), identity=("order_id",))
    resolved = SimpleNamespace(plan=plan, template_id=None, warnings=())
    monkeypatch.setattr(mapping, "bind", lambda *_: resolved)
    return ingest
