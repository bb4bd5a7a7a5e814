"""A platform of its own with shops, templates and real files, synced in this process and compared with the model."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from datasync.catalog.deletion import delete_file, restore_file
from datasync.catalog.dry_run import dry_run
from datasync.catalog.services import catalogue_path
from datasync.choices import ITEM_SUCCEEDED, QUARANTINE_UNDECIDED, ItemState, RowsFate
from datasync.exceptions import FileDeleted
from datasync.ingest.plan import COUNT_NAMES
from datasync.mapping.services import import_template
from datasync.models import FACT_MODELS, CatalogFile, HeaderTemplate, Platform, QuarantinedRow, SyncTaskFile
from datasync.quality.loss import flow
from datasync.quarantine import services as quarantine
from datasync.quarantine.selectors import Filters
from datasync.runs import services
from datasync.runs.remap.services import start_remap
from datasync.runs.slices import run_slice
from tests.export_layouts import LAYOUTS, as_text, template_text, write
from tests.model_of_facts import Model
from tests.model_of_rows import Export, Identity, Layout, Row

_platforms = itertools.count(1)
SHOPS = ("north", "north", "south")


@dataclass
class Held:
    """A file of the world: what it holds now, and which row of the catalogue it is."""

    export: Export
    row: CatalogFile
    deleted: bool = False


@dataclass
class World:
    """Everything happens on a platform of its own, so that no two worlds meet in the tables."""

    root: Path
    layouts: dict[str, Layout] = field(default_factory=lambda: dict(LAYOUTS))
    model: Model = field(default_factory=Model)
    files: list[Held] = field(default_factory=list)
    platform: str = ""
    _published: set[str] = field(default_factory=set)
    _written: int = 0

    def __post_init__(self) -> None:
        self.platform = f"market{next(_platforms)}"
        Platform.objects.create(code=self.platform, name=self.platform)

    def publish(self, name: str) -> HeaderTemplate:
        """Publish the template of a layout as it is now."""
        path = self.root / f"{self.platform}_{name}.toml"
        path.write_text(template_text(self.layouts[name], self.platform), encoding="utf-8")
        (template,) = import_template(path)
        self._published.add(name)
        return template

    def write(
        self, name: str, shop: str, collected: datetime, rows: tuple[Row | None, ...], *, suffix: str = "csv"
    ) -> Held | None:
        """Write an export as a file of its own and catalogue it.

        The same bytes are the file that is known already; None where that one is deleted, which it then stays.
        """
        if name not in self._published:
            self.publish(name)
        layout = self.layouts[name]
        self._written += 1
        folder = self.root / self.platform / shop / str(self._written)
        kind = f"{layout.domain}_{layout.granularity}"
        path = folder / f"{self.platform}_{kind}_{collected:%Y%m%d_%H%M%S}.{suffix}"
        rows = rows if suffix == "xlsx" else as_text(rows, comma=layout.comma)
        export = Export(str(len(self.files)), shop, name, collected, rows)
        write(export, layout, path)
        try:
            row = catalogue_path(path)
        except FileDeleted:
            return None
        for held in self.files:
            if held.row.pk == row.pk:
                return held
        self.files.append(Held(export, row))
        return self.files[-1]

    def sync(self, held: Held, *, rehearse: bool = True) -> SyncTaskFile:
        """Sync a file here and in the model, and compare the books of the two, and both with a rehearsal.

        A file that is refused changes nothing.
        """
        predicted = dry_run(file_id=held.row.pk) if rehearse else None
        item = run(held.row)
        if predicted:
            assert (predicted.counts.as_dict(), predicted.state) == (counts_of(item), held.row.state)
        if item.state not in ITEM_SUCCEEDED:
            return item
        books = self.model.sync(held.export, self.layouts[held.export.layout])
        assert counts_of(item) == {name: books.counts[name] for name in COUNT_NAMES}
        assert self.waiting(held) == sorted(books.quarantined)
        return item

    def correct(self, held: Held, row: int, corrections: dict[int, str]) -> None:
        """Say what cells of a quarantined row should have held."""
        fields = self.layouts[held.export.layout].fields
        quarantine.correct(
            row_id=self._quarantined(held, row).pk,
            given={fields[at].header: text for at, text in corrections.items()},
            actor=None,
        )

    def release(self, held: Held, row: int, corrections: dict[int, str]) -> str | None:
        """Release a quarantined row with its corrections here and in the model, and compare what became of it."""
        stored = self._quarantined(held, row)
        result = quarantine.release(filters=Filters(ids=[stored.pk]), actor=None)
        stored.refresh_from_db()
        outcome = self.model.release(held.export, self.layouts[held.export.layout], row, corrections)
        assert (stored.outcome or None, dict(result.outcomes)) == (outcome, {outcome: 1} if outcome else {})
        held.row.refresh_from_db()
        return outcome

    def discard(self, held: Held, row: int) -> None:
        """Discard a quarantined row."""
        quarantine.discard(filters=Filters(ids=[self._quarantined(held, row).pk]), note="not ours", actor=None)
        self.model.discard(held.export, row)
        held.row.refresh_from_db()

    def delete(self, held: Held, rows: RowsFate) -> None:
        """Delete a file, with the rows that it wrote last or without."""
        delete_file(file_id=held.row.pk, rows=rows, actor=None, here=True)
        held.deleted = True
        if rows == RowsFate.DELETE:
            self.model.delete(held.export.file)

    def restore(self, held: Held) -> None:
        """Bring a deleted file back."""
        restore_file(file_id=held.row.pk, actor=None)
        held.deleted = False
        held.row.refresh_from_db()

    def correct_template(self, name: str, layout: Layout) -> None:
        """Publish another version of a layout's template and type the stored rows again."""
        self.layouts[name] = layout
        template = self.publish(name)
        started = start_remap(template.pk, owner=None)
        if started is None:
            return
        run_slice(started.task.pk)
        items = list(started.task.items.all())
        assert {item.state for item in items} <= {ItemState.COMPLETED, ItemState.PARTIAL}, [i.error for i in items]
        for item in items:
            counts = counts_of(item)
            assert counts.pop("read") == sum(counts.values())
        remapped = {item.file_id for item in items}
        self.model.remap([held.export.file for held in self.files if held.row.pk in remapped], name, layout)
        for held in self.files:
            held.row.refresh_from_db()

    def _quarantined(self, held: Held, row: int) -> QuarantinedRow:
        return held.row.quarantined.get(sheet_row=row, state__in=QUARANTINE_UNDECIDED)

    def waiting_rows(self) -> list[tuple[Held, int]]:
        """Every row that waits for a decision, with its file."""
        files = [held for held in self.files if not held.deleted]
        return [(held, row) for held in files for row in sorted(self.model.undecided.get(held.export.file, ()))]

    def waiting(self, held: Held) -> list[int]:
        """The rows of a file that wait for a decision, which are those of the model with the same cells."""
        stored = {row.sheet_row: row.values for row in held.row.quarantined.filter(state__in=QUARANTINE_UNDECIDED)}
        model = self.model.undecided.get(held.export.file, {})
        assert {at: [cell or "" for cell in cells] for at, cells in stored.items()} == {
            at: list(line.raw) for at, line in model.items()
        }
        return sorted(stored)

    def check(self) -> None:
        """Compare every fact with the model, and see that the books of everything balance."""
        stored: dict[tuple[str, Identity], dict[str, Any]] = {}
        rows = 0
        for name in self._published:
            layout = self.layouts[name]
            facts = FACT_MODELS[layout.domain]._default_manager.filter(platform=self.platform)
            for fact in facts.filter(granularity=layout.granularity).select_related("shop"):
                rows += 1
                stored[name, identity_of(fact, layout)] = as_known(fact, layout)
        assert rows == len(stored), "two facts have one identity"
        known = {
            key: {
                "values": {name: fact.values.get(name) for name in values_of(self.layouts[key[0]])},
                "raw": list(fact.line.raw),
                "collected": fact.collected,
                "first": (self._row(fact.first), fact.first_row),
                "last": (self._row(fact.last), fact.line.row),
            }
            for key, fact in self.model.facts.items()
        }
        different = {
            key: (stored.get(key), known.get(key))
            for key in stored.keys() | known.keys()
            if stored.get(key) != known.get(key)
        }
        assert different == {}, different
        for held in self.files:
            self.waiting(held)
        assert flow(platform=self.platform).balanced

    def _row(self, file: str) -> int:
        return self.files[int(file)].row.pk


def run(file: CatalogFile) -> SyncTaskFile:
    """Submit a file and do a worker's part of the work."""
    task = services.submit_single(file_id=file.pk, owner=None)
    run_slice(task.pk)
    file.refresh_from_db()
    item = SyncTaskFile.objects.get(task=task)
    assert flow(task_id=task.pk).balanced
    return item


def counts_of(item: SyncTaskFile) -> dict[str, int]:
    """The books of a file of a task."""
    return {name: getattr(item, f"rows_{name}") for name in COUNT_NAMES}


def values_of(layout: Layout) -> list[str]:
    """The standard fields that a fact of the layout can hold, those that its template no longer feeds among them."""
    said = ["snapshot_date"] if layout.domain == "inventory" else []
    once = {str(told.name) for known in LAYOUTS.values() if known.domain == layout.domain for told in known.known}
    return [*sorted(once | {str(told.name) for told in layout.known}), "period_start", "period_end", *said]


def identity_of(fact: Any, layout: Layout) -> Identity:
    """A fact's identity, as the model writes it."""
    parts = (fact.shop.shop_id, *(getattr(fact, name) or "" for name in layout.identity))
    return (*parts, fact.line_ordinal) if layout.ordinal else parts


def as_known(fact: Any, layout: Layout) -> dict[str, Any]:
    """A fact as the model knows it."""
    return {
        "values": {name: getattr(fact, name) for name in values_of(layout)},
        "raw": json.loads(fact.raw),
        "collected": fact.collected_at,
        "first": (fact.file_first_id, fact.first_sheet_row),
        "last": (fact.file_last_id, fact.sheet_row),
    }
