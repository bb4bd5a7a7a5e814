"""From a batch of text cells to typed rows with their identity, and the rows that cannot be trusted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import polars as pl

from datasync.ingest.decided import DecidedRows
from datasync.ingest.hashes import digest, digests
from datasync.ingest.plan import Batch, CellProblem, Plan
from datasync.ingest.prepare import cells, context, scope, text, totals
from datasync.ingest.prepare.batches import whole_orders
from datasync.ingest.prepare.content import Content
from datasync.ingest.prepare.dates import check_timezone
from datasync.ingest.prepare.identity import IDENTITY, RecordKeys
from datasync.ingest.prepare.judge import judge, refused
from datasync.ingest.prepare.lines import OrderLines
from datasync.ingest.prepare.number_cells import in_template_format
from datasync.ingest.prepare.original import original_rows
from datasync.ingest.prepare.prepared import Cleaned, Prepared
from datasync.ingest.prepare.typed import Typed, type_columns


class Preparer:
    """Prepares the batches of one file, in order: equal lines may lie in two batches, and very long orders.

    Rows in ``decided`` keep their place among the lines around them, but are neither judged nor given out. Raises
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
        """Clean, leave totals out, fill down, type, identify and judge the rows of ``batch``."""
        cleaned = self._clean(batch.frame, batch.numbers)
        aside = totals.not_data(cleaned.values, self.plan, first=self._first, last=last)
        self._first = False
        if aside.any():
            cleaned = cleaned.without(aside)
        fields = self._fields(cleaned.values)
        filled = self._lines.fill(fields, self._broken(fields, cleaned.original["row"], batch.problems))
        said = context.Said(
            numbers=context.number_marks(cleaned.original, cleaned.numbers),
            fills=context.filled_in(fields, filled, self._filled),
        )
        released, discarded = self._decided.find(cleaned.original, self._columns)
        prepared = self._typed(cleaned.original, filled, said, problems=batch.problems, held=released + discarded)
        prepared.rows = prepared.rows.drop(IDENTITY, "at")
        prepared.read, prepared.totals, prepared.last = len(batch.frame), int(aside.sum()), last
        prepared.released, prepared.discarded = len(released), len(discarded)
        repeated = self._decided.repeated(prepared.rows)
        if repeated is not None:
            prepared.rows, prepared.repeated = prepared.rows.filter(~repeated), int(repeated.sum())
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
        said = context.read(rows["context"], [column.position for column in self.plan.columns])
        numbers = {f"c{position}": mask for position, mask in said.numbers.items()}
        cleaned = self._clean(rows.select("row", *self._columns), numbers)
        fields = self._given(self._fields(cleaned.values), said)
        if fill:
            filled = self._lines.fill(fields, self._broken(fields, rows["row"], problems))
            kept = [fields[name] for name, position in self._filled.items() if position in settled]
            filled = filled.with_columns(kept)
            said.fills = context.merged(said.fills, context.filled_in(fields, filled, self._filled))
            fields = filled
        said.numbers = context.number_marks(cleaned.original, numbers)
        prepared = self._typed(cleaned.original, fields, said, problems=problems, ordinals=rows["line_ordinal"])
        prepared.rows = prepared.rows.with_columns(digests(prepared.rows[IDENTITY]).alias(IDENTITY))
        return prepared

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
        original: pl.DataFrame,
        fields: pl.DataFrame,
        said: context.Said,
        *,
        problems: tuple[CellProblem, ...],
        held: Collection[int] = (),
        ordinals: pl.Series | None = None,
    ) -> Prepared:
        """The part that sheets and kept rows have in common. Rows at ``held`` are left out and not judged."""
        shops = scope.shops_of(fields, self.plan)
        typed = type_columns(fields, self._bound, self.plan, shops.zones)
        rows = self._rows(original, fields, typed, shops, ordinals)
        marks = judge(rows, fields, typed, shops, plan=self.plan, problems=problems)
        marks.without(held)
        accepted = pl.repeat(True, len(rows), eager=True)
        if marks.rows or held:
            accepted = accepted.scatter([*marks.rows, *held], False)
        later = self._lines.later_lines(rows, accepted, said.later)
        begun = context.beginnings(said, len(rows))
        rejected = refused(marks, original, rows, plan=self.plan, begun=begun, later=later)
        rows = rows.with_columns(context.contexts(begun, later))
        if marks.rows or held:
            rows, later = rows.filter(accepted), later.filter(accepted) if later is not None else None
        if later is not None:
            rows = self._lines.amounts_moved(rows, later)
        rows = rows.with_columns(digest(pl.col("content")).alias("content_hash")).drop("content")
        return Prepared(rows, rejected, len(original), 0)

    def _rows(
        self,
        original: pl.DataFrame,
        fields: pl.DataFrame,
        typed: Typed,
        shops: scope.RowShops,
        ordinals: pl.Series | None,
    ) -> pl.DataFrame:
        rows = pl.DataFrame([series.alias(name) for name, series in typed.columns.items()])
        rows = rows.with_columns(
            original["row"].alias("sheet_row"),
            original["row"].alias("first_sheet_row"),
            original_rows(original, self._columns),
            shops.shop_id,
        ).with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("at"))
        rows = scope.add_currency(scope.add_period(rows, typed, self.plan), self.plan, shops)
        rows = self.keys.add(rows) if ordinals is None else self.keys.given(rows, ordinals)
        return rows.with_columns(self._content.of(fields, shops))
