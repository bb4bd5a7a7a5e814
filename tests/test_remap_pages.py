"""A remap reads stored rows page by page, and little of them again where another worker goes on with a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasync.choices import TaskState
from datasync.ingest.load.stored import StoredRows
from datasync.mapping.template import Template
from datasync.models import CatalogFile, HeaderTemplate
from datasync.runs.remap import execute, parts
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    counts,
    facts,
    from_scratch,
    inbox,
    line,
    remapped,
    synced,
    template_of,
    with_column,
    write_orders,
)

__all__ = ["bell", "inbox"]
pytestmark = pytest.mark.django_db(transaction=True)
CHUNK = 10
BUYER = with_column("Recipient", field="buyer_name")


def _on_every_line(template: Template) -> Template:
    """Amounts stay on all lines that have them, so that no row says anything of rows far below."""
    return replace(template, totals_on_every_line=False)


def _stored(inbox: Path, lines: Iterable[list[str]]) -> tuple[CatalogFile, HeaderTemplate]:
    template = corrected(template_of("orders", granularity="daily"), _on_every_line)
    return synced(write_orders(inbox, lines)), template


@pytest.fixture
def small_turns(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[int]:
    """A file goes back to the queue after each small chunk; how many rows each look at the table gave."""
    monkeypatch.setattr(parts, "CHUNK_ROWS", CHUNK)
    monkeypatch.setattr(execute, "TURN_SECONDS", 0.0)
    settings.SLICE_SECONDS = 0
    read, pages = StoredRows.read, []

    def watched(self: StoredRows, **asked: Any) -> Any:
        rows = read(self, **asked)
        pages.append(len(rows))
        return rows

    monkeypatch.setattr(StoredRows, "read", watched)
    return pages


def test_rows_are_read_in_pages_however_many_there_are(inbox: Path, bell: Bell, small_turns: list[int]) -> None:
    _file, template = _stored(inbox, (line(f"A{number:03}", sku=f"S{number}") for number in range(200)))
    task = remapped(corrected(template, BUYER))
    assert (task.state, counts(task)) == (TaskState.COMPLETED, {"read": 200, "updated": 200})
    assert max(small_turns) <= CHUNK
    assert sum(small_turns) < 6 * 200, "a file that is taken up again is read from its start"


def test_a_long_order_goes_on_where_the_file_is_taken_up_again(inbox: Path, bell: Bell, small_turns: list[int]) -> None:
    lines = [line("A1", sku="S0"), *(line("", sku=f"S{number}", recipient="") for number in range(1, 35)), line("B1")]
    file, template = _stored(inbox, lines)
    task = remapped(corrected(template, BUYER))
    assert (task.state, counts(task)) == (TaskState.COMPLETED, {"read": 36, "updated": 36}), task.errors
    after = facts()
    assert {row["buyer_name"] for row in after["orders"]} == {"Ana"}
    assert from_scratch(file) == after
