"""A platform of its own with shops, templates and real files, synced in this process and compared with the model."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasync.access import EVERYTHING
from datasync.catalog.correct import describe_file
from datasync.catalog.deletion import delete_file, restore_file
from datasync.catalog.description import Description
from datasync.catalog.dry_run import dry_run
from datasync.catalog.services import catalogue_path, store_upload
from datasync.choices import FILE_SYNCED, ITEM_SUCCEEDED, QUARANTINE_UNDECIDED, FileState, ItemState, RowsFate
from datasync.exceptions import FileDeleted, RowNotFound, RowsOfOldContent
from datasync.ingest.plan import COUNT_NAMES
from datasync.mapping.services import import_templates
from datasync.mapping.template_file import load_templates
from datasync.models import FACT_MODELS, CatalogFile, HeaderTemplate, Platform, QuarantinedRow, Shop, SyncTaskFile
from datasync.quality.loss import flow
from datasync.quarantine import services as quarantine
from datasync.quarantine.selectors import Filters
from datasync.runs import services
from datasync.runs.remap.services import start_remap
from datasync.runs.turns import take_turn
from tests.export_layouts import LAYOUTS, as_written, template_text, write
from tests.model_of_facts import Model
from tests.model_of_rows import KNOWN_SHOPS, Export, Identity, Layout, Row, blank_or

_platforms = itertools.count(1)
SHOPS = ("north", "north", "south")


@dataclass
class Held:
    """A file of the world: what it holds now, and which row of the catalogue it is.

    ``path`` is None for an upload. ``synced``: the books of the catalogue are those of what it holds now.
    """

    export: Export
    row: CatalogFile
    path: Path | None
    stamp: datetime
    content: bytes
    deleted: bool = False
    synced: bool = False
    replaced: bool = False


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
        for shop in sorted(KNOWN_SHOPS):
            Shop.objects.create(platform_id=self.platform, shop_id=shop, name=shop)

    def publish(self, name: str) -> HeaderTemplate:
        """Publish the template of a layout as it is now."""
        path = self.root / f"{self.platform}_{name}.toml"
        path.write_text(template_text(self.layouts[name], self.platform), encoding="utf-8")
        (imported,) = import_templates(load_templates(path), publish_now=True, sight=EVERYTHING)
        template = imported.row
        assert template is not None
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
        shop = "" if layout.names_shop else shop
        self._written += 1
        folder = self.root / self.platform / shop / str(self._written)
        path = folder / self._name_of(layout, collected, suffix)
        export = Export(str(len(self.files)), shop, name, collected, as_written(rows, layout, suffix))
        write(export, layout, path)
        try:
            row = catalogue_path(path)
        except FileDeleted:
            return None
        for held in self.files:
            if held.row.pk == row.pk:
                return held
        self.files.append(Held(export, row, path, collected, path.read_bytes()))
        return self.files[-1]

    def _name_of(self, layout: Layout, collected: datetime, suffix: str) -> str:
        parts = (self.platform, layout.domain, layout.sub_domain, layout.granularity, f"{collected:%Y%m%d_%H%M%S}")
        return f"{'_'.join(part for part in parts if part)}.{suffix}"

    def rewrite(self, held: Held, rows: tuple[Row | None, ...]) -> bool:
        """Put new content where a file lies; what a person said of its shop stays. Says whether it is new."""
        assert held.path is not None
        layout = self.layouts[held.export.layout]
        rows = as_written(rows, layout, held.path.suffix.removeprefix("."))
        if rows == held.export.rows:
            return False
        told = replace(held.export, rows=rows, collected=held.stamp, period=None)
        write(told, layout, held.path)
        held.row = catalogue_path(held.path)
        assert held.row.state == FileState.PENDING
        held.export, held.content = told, held.path.read_bytes()
        held.synced, held.deleted, held.replaced = False, False, True
        return True

    def describe(self, held: Held, *, shop: str, collected: datetime) -> None:
        """Say otherwise of which shop a file is and when it was collected."""
        told: dict[str, Any] = {"collected_at": collected}
        if held.export.shop:
            told["shop_id"] = shop
            held.export = replace(held.export, shop=shop)
        held.row = describe_file(held.row, **told, sight=EVERYTHING)
        held.export = replace(held.export, collected=collected)
        held.synced = False

    def upload(self, held: Held) -> None:
        """Upload the bytes of a deleted file, which is the file again."""
        export, layout = held.export, self.layouts[held.export.layout]
        name = self._name_of(layout, export.collected, held.row.original_name.rpartition(".")[2])
        told = Description(platform=self.platform, shop_id=export.shop)
        row = store_upload(uploaded=SimpleUploadedFile(name, held.content), description=told, sight=EVERYTHING)
        assert (row.pk, row.state) == (held.row.pk, FileState.PENDING)
        held.row, held.path, held.deleted = row, None, False

    def sync(self, held: Held, *, rehearse: bool = True) -> SyncTaskFile:
        """Sync a file here and in the model, and compare the books of the two, and both with a rehearsal.

        A file that is refused changes nothing.
        """
        predicted = dry_run(file_id=held.row.pk, sight=EVERYTHING) if rehearse else None
        item = run(held.row)
        if predicted:
            assert (predicted.counts.as_dict(), predicted.state) == (counts_of(item), held.row.state)
        if item.state not in ITEM_SUCCEEDED:
            return item
        books = self.model.sync(held.export, self.layouts[held.export.layout])
        expected = {name: books[name] for name in COUNT_NAMES}
        assert counts_of(item) == expected, (counts_of(item), expected)
        held.synced, held.replaced = True, False
        return item

    def correct(self, held: Held, row: int, corrections: Mapping[int, str]) -> None:
        """Say what cells of a quarantined row should have held."""
        fields = self.layouts[held.export.layout].fields
        quarantine.correct(
            row_id=self._quarantined(held, row).pk,
            given={fields[at].header: text for at, text in corrections.items()},
            actor=None,
            sight=EVERYTHING,
        )

    def release(self, held: Held, corrections: Mapping[int, Mapping[int, str]]) -> None:
        """Release rows of a file at once, with corrections, here and in the model; compare what became of them."""
        stored = {row: self._quarantined(held, row) for row in corrections}
        for row, given in corrections.items():
            self.correct(held, row, given)
        result = quarantine.release(
            filters=Filters(ids=[row.pk for row in stored.values()]), actor=None, sight=EVERYTHING
        )
        outcomes = self.model.release(held.export, self.layouts[held.export.layout], corrections)
        for kept in stored.values():
            kept.refresh_from_db()
        assert {row: found.outcome or None for row, found in stored.items()} == outcomes
        assert dict(result.outcomes) == dict(Counter(outcome for outcome in outcomes.values() if outcome))
        held.row.refresh_from_db()

    def discard(self, held: Held, row: int) -> None:
        """Discard a quarantined row."""
        quarantine.discard(
            filters=Filters(ids=[self._quarantined(held, row).pk]), note="not ours", actor=None, sight=EVERYTHING
        )
        self.model.discard(held.export.file, row)
        held.row.refresh_from_db()

    def refuses(self, held: Held, row: int) -> None:
        """Nothing may be decided about a row of content that the file does not have any more."""
        filters = Filters(ids=[self._quarantined(held, row).pk])
        for act in (quarantine.release, partial(quarantine.discard, note="not ours")):
            with pytest.raises(RowsOfOldContent):
                act(filters=filters, actor=None, sight=EVERYTHING)

    def delete(self, held: Held, rows: RowsFate) -> None:
        """Delete a file, with the rows that it wrote last or without."""
        delete_file(file_id=held.row.pk, rows=rows, actor=None, here=True, sight=EVERYTHING)
        held.deleted = True
        if rows == RowsFate.DELETE:
            gone = [other.export.file for other in self.files if other.deleted]
            self.model.delete(held.export.file, gone=gone)
            held.synced = False
        hidden = list(held.row.quarantined.values_list("pk", flat=True))
        if hidden:
            with pytest.raises(RowNotFound):
                quarantine.release(filters=Filters(ids=hidden), actor=None, sight=EVERYTHING)

    def restore(self, held: Held) -> None:
        """Bring a deleted file back."""
        restore_file(file_id=held.row.pk, actor=None, sight=EVERYTHING)
        held.deleted = False
        held.row.refresh_from_db()

    def correct_template(self, name: str, layout: Layout, *, remap: bool) -> None:
        """Publish another version of a layout's template; ``remap``: and type the stored rows again."""
        self.layouts[name] = layout
        template = self.publish(name)
        if not remap:
            return
        started = start_remap(template.pk, owner=None, sight=EVERYTHING)
        if started is None:
            return
        take_turn()
        refused = [item for item in started.task.items.all() if item.state == ItemState.FAILED]
        assert {item.error["code"] for item in refused} <= {"HEADER_CHANGED"}  # such a file stays as it is
        items = list(started.task.items.exclude(state=ItemState.FAILED))
        assert {item.state for item in items} <= {ItemState.COMPLETED, ItemState.PARTIAL}, [i.error for i in items]
        for item in items:
            counts = counts_of(item)
            assert counts.pop("read") == sum(counts.values())
        remapped = {item.file_id for item in items}
        files = [held for held in self.files if held.row.pk in remapped]
        shown = {
            (held.export.file, row.sheet_row, tuple(cell or "" for cell in row.values))
            for held in files
            for row in held.row.quarantined.filter(state__in=QUARANTINE_UNDECIDED)
        }
        self.model.remap([held.export.file for held in files], name, layout, shown)
        for held in self.files:
            held.row.refresh_from_db()

    def _quarantined(self, held: Held, row: int) -> QuarantinedRow:
        return held.row.quarantined.get(sheet_row=row, state__in=QUARANTINE_UNDECIDED)

    def waiting_rows(self) -> list[tuple[Held, int]]:
        """Every row that waits for a decision, with its file."""
        files = [held for held in self.files if not held.deleted]
        return [(held, row) for held in files for row in sorted(self.model.undecided(held.export.file))]

    def _check_file(self, held: Held) -> None:
        """The rows of a file that wait for a decision are those of the model with the same cells; so are its books."""
        stored = {row.sheet_row: row.values for row in held.row.quarantined.filter(state__in=QUARANTINE_UNDECIDED)}
        model = self.model.undecided(held.export.file)
        assert {at: [cell or "" for cell in cells] for at, cells in stored.items()} == {
            at: list(waiting.line.raw) for at, waiting in model.items()
        }
        if held.deleted or not held.synced:
            return
        if held.row.state in FILE_SYNCED:
            assert (held.row.state == FileState.INGESTED) == (not model), held.row.state
        paper = self.model.papers[held.export.file]
        books = {name: paper.counts[name] for name in COUNT_NAMES}
        found = flow(file_id=held.row.pk, sight=EVERYTHING)
        assert (held.row.rows, found.counts.as_dict()) == (books, books)
        counted = [waiting for waiting in model.values() if waiting.counted]
        assert (found.balanced, found.undecided) == (True, len(counted))
        assert found.discarded == books["quarantined"] - len(counted)

    def check(self) -> None:
        """Compare every fact with the model, and see that the books of everything balance."""
        stored: dict[tuple[str, Identity], dict[str, Any]] = {}
        rows = 0
        for name in self._published:
            layout = self.layouts[name]
            facts = FACT_MODELS[layout.domain]._default_manager.filter(platform=self.platform)
            facts = facts.filter(granularity=layout.granularity, sub_domain=layout.sub_domain)
            for fact in facts.select_related("shop"):
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
            self._check_file(held)
        assert self.model.amounts_that_stand_twice(self.layouts) == set()
        assert flow(platform=self.platform, sight=EVERYTHING).balanced

    def _row(self, file: str) -> int:
        return self.files[int(file)].row.pk


def run(file: CatalogFile) -> SyncTaskFile:
    """Submit a file and do a worker's part of the work."""
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    take_turn()
    file.refresh_from_db()
    item = SyncTaskFile.objects.get(task=task)
    assert flow(task_id=task.pk, sight=EVERYTHING).balanced
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
    parts = (fact.shop.shop_id, *(blank_or(getattr(fact, name)) for name in layout.identity))
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
