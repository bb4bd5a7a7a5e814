"""From a batch of text cells to typed rows with their identity, and the rows that cannot be trusted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import polars as pl

from datasync.ingest.decided import DecidedRows, Found, ReleasedRow
from datasync.ingest.hashes import digest, digests
from datasync.ingest.plan import Batch, CellProblem, Plan
from datasync.ingest.prepare import cells, context, released, scope, text, totals
from datasync.ingest.prepare.batches import whole_orders
from datasync.ingest.prepare.content import Content
from datasync.ingest.prepare.dates import check_timezone
from datasync.ingest.prepare.identity import IDENTITY, RecordKeys
from datasync.ingest.prepare.judge import judge, refused
from datasync.ingest.prepare.lines import OrderLines
from datasync.ingest.prepare.number_cells import in_template_format
from datasync.ingest.prepare.numbering import Released
from datasync.ingest.prepare.original import original_rows
from datasync.ingest.prepare.prepared import Cleaned, Lines, Prepared
from datasync.ingest.prepare.typed import Typed, type_columns


class Preparer:
    """Prepares the batches of one file, in order: equal lines may lie in two batches, and very long orders.

    Rows in ``decided`` keep their place among the lines around them. Those that were discarded are neither judged nor
    given out; those that were released are typed with their corrections and from their own contexts. Raises
    ``InvalidTimezone`` when the local times of the file cannot be understood.
    """

    def __init__(self, plan: Plan, decided: DecidedRows | None = None) -> None:
        self.plan = plan
        self.keys = RecordKeys(plan)
        self._decided = decided or DecidedRows()
        self._columns = [f"c{column.position}" for column in plan.columns]
        self._bound = [column for column in plan.columns if column.field]
        self._lines = OrderLines(plan)
        self._order = next(
            (column for column in self._bound if self._lines.active and column.field == "order_id"), None
        )
        filled = {"order_id", *self._lines.shared} if self._lines.active else set()
        self._filled = {str(column.field): column.position for column in self._bound if column.field in filled}
        self._content = Content(plan, self._lines.shared if self._lines.active else ())
        self._first = True
        check_timezone(plan.scope.timezone)

    @property
    def order_column(self) -> str | None:
        """The column of a batch that holds the order's id, where lines belong to orders."""
        return f"c{self._order.position}" if self._order else None

    def parts(self, sheet: Iterable[Batch]) -> Iterator[Prepared]:
        """All batches of a sheet, prepared; the lines of an order stay together."""
        for batch, last in whole_orders(sheet, self.order_column):
            yield self.prepare(batch, last=last)

    def prepare(self, batch: Batch, *, last: bool = False) -> Prepared:
        """Clean, leave totals out, fill down, type, identify and judge the rows of ``batch``.

        Rows of nothing but white space are no rows, unless the reader saw something in them.
        """
        cleaned = self._clean(batch.frame, batch.numbers)
        blank = cells.blank(cleaned.original, self._columns) & ~_with_problems(cleaned.original["row"], batch.problems)
        if blank.any():
            cleaned = cleaned.without(blank)
        read = len(cleaned.original)
        aside = totals.not_data(cleaned.values, self.plan, first=self._first, last=last)
        self._first = False
        if aside.any():
            aside = aside.scatter(self._decided.find(cleaned.original, self._columns).positions, False)
            cleaned = cleaned.without(aside)
        fields = self._fields(cleaned.values)
        filled = self._lines.fill(fields, self._broken(fields, cleaned.original["row"], batch.problems))
        said = context.Said(
            numbers=context.number_marks(cleaned.original, cleaned.numbers),
            fills=context.filled_in(fields, filled, self._filled),
        )
        found = self._decided.find(cleaned.original, self._columns)
        lines = Lines(cleaned.original, filled, said, batch.problems)
        prepared = self._typed(
            self._as_released(lines, found.released) if found.released else lines,
            shown=cleaned.original,
            held=found.discarded,
            decided=self._decided_lines(lines, found),
        )
        prepared.rejected = released.with_corrections(prepared.rejected, found.released)
        prepared.rows = prepared.rows.drop(IDENTITY, "at")
        prepared.read, prepared.totals, prepared.last = read, int(aside.sum()), last
        prepared.discarded = len(found.discarded)
        return prepared

    def prepare_stored(
        self,
        rows: pl.DataFrame,
        *,
        fill: bool,
        settled: Collection[int] = (),
        problems: tuple[CellProblem, ...] = (),
    ) -> Prepared:
        """Type, identify and judge rows that were kept: ``row``, ``c0 … cN``, ``context`` and ``line_ordinal``.

        What a row had from around it comes from its context, its ordinal is the one given; nothing is looked at as a
        total. Under the plan by which a sync loaded a row it gets the same key, content and values again. ``fill``:
        the rows are of one file and in its order, so columns that are filled down now may be filled, except at the
        positions in ``settled``, where the blanks that are left say that the file has nothing. ``problems`` are what
        the reader once saw of these rows and nobody has put right.

        ``rows`` of the result have in addition ``at``, their position among those given, and ``identity``, the hash
        of their identity without its ordinal.
        """
        lines = replace(self._kept(rows), problems=problems)
        if fill:
            fields, said = lines.fields, lines.said
            filled = self._lines.fill(fields, self._broken(fields, rows["row"], problems))
            kept = [fields[name] for name, position in self._filled.items() if position in settled]
            filled = filled.with_columns(kept)
            fills = context.merged(said.fills, context.filled_in(fields, filled, self._filled))
            lines = replace(lines, fields=filled, said=replace(said, fills=fills))
        prepared = self._typed(lines, shown=lines.original, ordinals=rows["line_ordinal"])
        prepared.rows = prepared.rows.with_columns(digests(prepared.rows[IDENTITY]).alias(IDENTITY))
        return prepared

    def _kept(self, rows: pl.DataFrame) -> Lines:
        """Kept rows with what their contexts say."""
        said = context.read(rows["context"], [column.position for column in self.plan.columns])
        numbers = {f"c{position}": mask for position, mask in said.numbers.items()}
        cleaned = self._clean(rows.select("row", *self._columns), numbers)
        said.numbers = context.number_marks(cleaned.original, numbers)
        return Lines(cleaned.original, self._given(self._fields(cleaned.values), said), said)

    def _as_released(self, lines: Lines, rows: Mapping[int, ReleasedRow]) -> Lines:
        """``lines`` with the released ``rows`` as they were loaded."""
        at = list(rows)
        contexts = pl.Series("context", [row.context for row in rows.values()], dtype=pl.String)
        cells = released.corrected_cells(lines.original[at], rows.values(), self._columns)
        kept = released.filled(self._kept(cells.with_columns(contexts)), lines.fields[at], rows.values(), self._filled)
        corrected = dict(zip(kept.original["row"], (row.corrected for row in rows.values()), strict=True))
        problems = released.unsettled(lines.problems, corrected, (column.position for column in self.plan.columns))
        return released.in_place(lines, kept, at, problems)

    def _decided_lines(self, lines: Lines, found: Found) -> Mapping[int, Released | None]:
        """What the numbering of lines has to know of those that people have decided on."""
        decided: dict[int, Released | None] = dict.fromkeys(found.discarded)
        if found.released and self.plan.ordinal:
            at = list(found.released)
            rows, _typed, _shops = self._identified(lines.original[at], lines.fields[at])
            became = (context.line_of(row.context) for row in found.released.values())
            decided |= zip(at, map(Released, rows[IDENTITY], became), strict=True)
        return decided

    def _clean(self, frame: pl.DataFrame, numbers: Mapping[str, pl.Series]) -> Cleaned:
        original = cells.strip(frame, self._columns)
        values = cells.without_nulls(original, self._columns)
        return Cleaned(original, in_template_format(values, numbers, self._bound), numbers)

    def _fields(self, values: pl.DataFrame) -> pl.DataFrame:
        return values.select(pl.col(f"c{column.position}").alias(str(column.field)) for column in self._bound)

    def _given(self, fields: pl.DataFrame, said: context.Said) -> pl.DataFrame:
        """``fields`` with the texts that were filled into them, where the plan fills this field at all."""
        given = [
            fields[name].fill_null(said.fills[position])
            for name, position in self._filled.items()
            if position in said.fills
        ]
        return fields.with_columns(given)

    def _broken(
        self, fields: pl.DataFrame, sheet_rows: pl.Series, problems: tuple[CellProblem, ...]
    ) -> pl.Series | None:
        """Lines whose own order id cannot be trusted: nothing may be filled down from them."""
        if self._order is None:
            return None
        errors = cells.Errors()
        text.identifiers(fields["order_id"], errors)
        broken = [mask for mask, _ in errors.masks]
        odd = [problem.row for problem in problems if problem.column in (None, self._order.position)]
        if odd:
            broken.append(sheet_rows.is_in(odd))
        if not any(mask.any() for mask in broken):
            return None
        return pl.select(pl.any_horizontal(broken)).to_series()

    def _typed(
        self,
        lines: Lines,
        *,
        shown: pl.DataFrame,
        held: Collection[int] = (),
        decided: Mapping[int, Released | None] = MappingProxyType({}),
        ordinals: pl.Series | None = None,
    ) -> Prepared:
        """The part that sheets and kept rows have in common. Rows at ``held`` are left out and not judged.

        ``shown`` are the cells with which a row goes into quarantine.
        """
        rows, typed, shops = self._identified(lines.original, lines.fields)
        rows = self.keys.add(rows, decided) if ordinals is None else self.keys.given(rows, ordinals)
        rows = rows.with_columns(self._content.of(lines, shops))
        marks = judge(rows, lines.fields, typed, shops, plan=self.plan, problems=lines.problems)
        marks.without(held)
        accepted = pl.repeat(True, len(rows), eager=True)
        if marks.rows or held:
            accepted = accepted.scatter([*marks.rows, *held], False)
        later = self._lines.later_lines(rows, accepted, lines.said)
        begun = context.beginnings(lines.said, len(rows))
        rejected = refused(marks, shown, rows, plan=self.plan, begun=begun, later=later)
        rows = rows.with_columns(context.contexts(begun, later))
        if marks.rows or held:
            rows, later = rows.filter(accepted), later.filter(accepted) if later is not None else None
        if later is not None:
            rows = self._lines.amounts_moved(rows, later)
        rows = rows.with_columns(digest(pl.col("content")).alias("content_hash")).drop("content")
        return Prepared(rows, rejected, len(shown), 0)

    def _identified(self, original: pl.DataFrame, fields: pl.DataFrame) -> tuple[pl.DataFrame, Typed, scope.RowShops]:
        """Typed rows with the text of their identity, what could not be read of them, and their shops."""
        shops = scope.shops_of(fields, self.plan)
        typed = type_columns(fields, self._bound, self.plan, shops.zones)
        rows = pl.DataFrame([series.alias(name) for name, series in typed.columns.items()])
        rows = rows.with_columns(
            original["row"].alias("sheet_row"),
            original["row"].alias("first_sheet_row"),
            original_rows(original, self._columns),
            shops.shop_id,
        ).with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("at"))
        rows = scope.add_currency(scope.add_period(rows, typed, self.plan), self.plan, shops)
        return rows.with_columns(self.keys.identities(rows)), typed, shops


def _with_problems(sheet_rows: pl.Series, problems: tuple[CellProblem, ...]) -> pl.Series:
    return sheet_rows.is_in([problem.row for problem in problems])
