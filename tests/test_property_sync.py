"""Whatever is synced, in whatever order: the tables hold what an independent model says, and no row is lost.

``make test`` tries the same few runs each time; ``PROPERTY_EXAMPLES=1000`` tries so many longer ones at random. A run
that fails prints the steps that led to it, as small as they can be made.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from datasync.choices import ITEM_SUCCEEDED, RowsFate
from tests.export_layouts import LAYOUTS
from tests.exports_synced import SHOPS, World, counts_of
from tests.model_of_amounts import has_orders_of_several_exports
from tests.model_of_rows import Row
from tests.random_exports import changed, corrected, corrected_at_the_source, good_text, sheets
from tests.runs_support import Bell, bell

__all__ = ["bell"]
pytestmark = pytest.mark.django_db(transaction=True)
QUICK = settings(max_examples=25, stateful_step_count=8, derandomize=True)
_One = TypeVar("_One")
FIRST = datetime(2026, 3, 6, 8, tzinfo=UTC)


class Syncs(RuleBasedStateMachine):
    """Operations on random files; after each the tables are compared with the model."""

    root: Path

    @initialize(names=st.lists(st.sampled_from(sorted(LAYOUTS)), min_size=1, max_size=2, unique=True))
    def begin(self, names: list[str]) -> None:
        """A platform of its own for each run, with one or two kinds of exports, so that exports meet."""
        self.world, self.names = World(self.root), names

    @rule(
        data=st.data(),
        kind=st.integers(0, 1),
        shop=st.sampled_from(SHOPS),
        hours=st.integers(0, 3),
        suffix=st.sampled_from(["csv", "csv", "xlsx"]),
    )
    def sync_another_export(self, data: st.DataObject, kind: int, shop: str, hours: int, suffix: str) -> None:
        """Newer or older than what is there, of the same shop or another."""
        name = self.names[kind % len(self.names)]
        rows = data.draw(sheets(self.world.layouts[name]))
        self._sync_new(name, shop, hours, rows, suffix)

    @precondition(lambda self: self.world.files)
    @rule(data=st.data(), number=st.integers(0, 50), hours=st.integers(0, 3), suffix=st.sampled_from(["csv", "xlsx"]))
    def sync_the_same_data_later_or_earlier(self, data: st.DataObject, number: int, hours: int, suffix: str) -> None:
        """Another export of what a file has, in which some rows have changed, gone, come or moved."""
        other = self._one_of(self.world.files, number).export
        rows = data.draw(changed(other.rows, self.world.layouts[other.layout]))
        self._sync_new(other.layout, other.shop, hours, rows, suffix)

    def _sync_new(self, name: str, shop: str, hours: int, rows: tuple[Row | None, ...], suffix: str) -> None:
        held = self.world.write(name, shop, FIRST + timedelta(hours=hours), rows, suffix=suffix)
        if held is not None:
            self.world.sync(held)

    @precondition(lambda self: any(not held.deleted for held in self.world.files))
    @rule(number=st.integers(0, 50))
    def sync_again(self, number: int) -> None:
        """Any file a second time, and once more: then nothing may change."""
        held = self._one_of([held for held in self.world.files if not held.deleted], number)
        self.world.sync(held)
        again = self.world.sync(held)
        if again.state in ITEM_SUCCEEDED:
            assert (again.rows_inserted, again.rows_updated) == (0, 0), counts_of(again)

    @precondition(lambda self: any(held.path and not held.deleted for held in self.world.files))
    @rule(data=st.data(), number=st.integers(0, 50), sync=st.sampled_from([True, True, False]))
    def put_new_content_under_a_path(self, data: st.DataObject, number: int, sync: bool) -> None:
        """Rows moved, added, gone or corrected at the source; mostly the file is synced then."""
        held = self._one_of([held for held in self.world.files if held.path and not held.deleted], number)
        layout = self.world.layouts[held.export.layout]
        bad = {row: waiting.bad for row, waiting in self.world.model.undecided(held.export.file).items()}
        at_source = data.draw(corrected_at_the_source(held.export, bad, layout))
        rows = data.draw(changed(at_source, layout))
        if self.world.rewrite(held, rows) and sync:
            self.world.sync(held)

    @precondition(lambda self: any(held.path and held.deleted for held in self.world.files))
    @rule(data=st.data(), number=st.integers(0, 50))
    def put_new_content_where_a_file_was_deleted(self, data: st.DataObject, number: int) -> None:
        """Then the file is there again."""
        held = self._one_of([held for held in self.world.files if held.path and held.deleted], number)
        rows = data.draw(changed(held.export.rows, self.world.layouts[held.export.layout]))
        if self.world.rewrite(held, rows):
            self.world.sync(held)

    @precondition(lambda self: any(not held.deleted for held in self.world.files))
    @rule(number=st.integers(0, 50), shop=st.sampled_from(SHOPS), hours=st.integers(0, 3), days=st.sampled_from([0, 9]))
    def describe_otherwise(self, number: int, shop: str, hours: int, days: int) -> None:
        """As of another shop, or as collected at another time and so of another period; and synced."""
        held = self._one_of([held for held in self.world.files if not held.deleted], number)
        self.world.describe(held, shop=shop, collected=FIRST + timedelta(days=days, hours=hours))
        self.world.sync(held)

    @precondition(lambda self: self.world.waiting_rows())
    @rule(data=st.data(), number=st.integers(0, 50), more=st.booleans(), several=st.booleans())
    def correct_and_release(self, data: st.DataObject, number: int, more: bool, several: bool) -> None:
        """Rows with their bad cells put right, now and then another cell changed too, perhaps all of a file at once."""
        held, row = self._one_of(self.world.waiting_rows(), number)
        if held.replaced:
            self.world.refuses(held, row)
            return
        layout = self.world.layouts[held.export.layout]
        waiting = self.world.model.undecided(held.export.file)
        corrections: dict[int, dict[int, str]] = {}
        for one in sorted(waiting) if several else [row]:
            columns = set(waiting[one].bad) | ({data.draw(st.integers(0, len(layout.fields) - 1))} if more else set())
            corrections[one] = {at: data.draw(good_text(layout.fields[at], layout)) for at in sorted(columns)}
        if not self.world.model.meets_a_row_that_left_no_trace(held.export, layout, corrections):
            self.world.release(held, corrections)

    @precondition(lambda self: self.world.waiting_rows())
    @rule(number=st.integers(0, 50))
    def discard(self, number: int) -> None:
        """A row that stays out for good."""
        held, row = self._one_of(self.world.waiting_rows(), number)
        if held.replaced:
            self.world.refuses(held, row)
        else:
            self.world.discard(held, row)

    @precondition(lambda self: self.world.files)
    @rule(data=st.data(), kind=st.integers(0, 1), remap=st.booleans())
    def correct_a_template(self, data: st.DataObject, kind: int, remap: bool) -> None:
        """A new version of a template, and what is stored typed again by it, at once or when files are synced."""
        name = self.names[kind % len(self.names)]
        before, now = self.world.layouts[name], data.draw(corrected(self.world.layouts[name]))
        if set(now.of_order) - set(before.of_order) and has_orders_of_several_exports(self.world.model.facts, name):
            remap = False  # which export's line gets an amount that is fed for the first time is not settled
        self.world.correct_template(name, now, remap=remap)

    @precondition(lambda self: self.world.files)
    @rule(number=st.integers(0, 50), rows=st.sampled_from(RowsFate))
    def delete_or_restore(self, number: int, rows: RowsFate) -> None:
        """A file, with its rows or without; one that is deleted already comes back, an upload by another upload."""
        held = self._one_of(self.world.files, number)
        if held.deleted and (held.path is None or rows == RowsFate.DELETE):
            self.world.upload(held)
        elif held.deleted:
            self.world.restore(held)
        else:
            self.world.delete(held, rows)

    @staticmethod
    def _one_of(choice: Sequence[_One], number: int) -> _One:
        return choice[number % len(choice)]

    @invariant()
    def facts_are_as_the_model_says(self) -> None:
        """Every value, every original row and every lineage."""
        if hasattr(self, "world"):
            self.world.check()


@pytest.mark.timeout(0)
def test_random_syncs_arrive_at_what_the_model_says(bell: Bell, tmp_path: Path, settings: Any) -> None:
    settings.DATA_ROOTS = [tmp_path]
    settings.SLICE_SECONDS = 600.0  # a task ends in one slice, however busy the machine is
    Syncs.root = tmp_path
    run_state_machine_as_test(Syncs, settings=_profile())


def _profile() -> settings:
    examples = os.environ.get("PROPERTY_EXAMPLES")
    profile = settings(max_examples=int(examples), stateful_step_count=25) if examples else QUICK
    return settings(
        profile,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=False,
    )
