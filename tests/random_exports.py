"""Random sheets of the layouts of ``tests.export_layouts``, and random corrections of these layouts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from hypothesis import strategies as st

from tests.export_layouts import LAYOUTS
from tests.model_of_rows import KNOWN_SHOPS, Cell, Export, Field, Layout, Row
from tests.model_of_totals import TOTALS_LABEL

_REMARKS = {"orders": "variation", "products": "variant_name", "finance": "description", "inventory": "variation"}


@st.composite
def corrected(draw: st.DrawFn, layout: Layout) -> Layout:
    """The layout with one column read otherwise: fed to another field or to none, or required or no longer so.

    What identifies a row stays, what says when it happened, and what the lines of an order share: of that a stored row
    has only what was filled down into it when it was read.
    """
    fixed = {*layout.identity, *(str(told.name) for told in layout.known if told.shared), "posted_at"}
    free = [at for at, told in enumerate(_origin(layout).fields) if told.name not in fixed]
    at = draw(st.sampled_from(free))
    told = layout.fields[at]
    origin = _origin(layout).fields[at]
    if told.name and draw(st.booleans()):
        changed = replace(told, required=not told.required)
    elif told.name:
        changed = replace(told, name=None, kind="text", required=False, shared=False, of_order=False)
    else:
        changed = origin if origin.name else replace(told, name=_REMARKS.get(layout.domain))
    fields = (*layout.fields[:at], changed, *layout.fields[at + 1 :])
    return replace(layout, fields=fields)


def _origin(layout: Layout) -> Layout:
    """The layout as it was before any correction."""
    return next(
        known for known in LAYOUTS.values() if (known.domain, known.granularity) == (layout.domain, layout.granularity)
    )


# Random cells: few different ids, so that exports meet, and every way of writing a value that the model can read

_BLANKS = st.sampled_from(["", "", "", "-", "—", "nan", "N/A", "暂无数据", "  "])
_PADDING = st.sampled_from(["", "", "", " ", "\t", "\u200b"])


def _cell(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Cell]:
    return st.builds(lambda text, around: Cell(text + around), texts, _PADDING)


def _written(amount: int, *, comma: bool, style: str) -> str:
    """An amount of hundredths as text."""
    text = f"{abs(amount) / 100:,.2f}" if style != "plain" else f"{abs(amount) / 100:.2f}"
    if comma:
        text = text.translate(str.maketrans(",.", ".,"))
    if style == "wide":
        text = text.translate({48 + digit: 0xFF10 + digit for digit in range(10)})
    if amount >= 0:
        return f"RM {text}" if style == "currency" else text
    return f"({text})" if style != "plain" else f"-{text}"


def _amounts(*, comma: bool) -> st.SearchStrategy[Cell]:
    hundredths = st.integers(-150_000, 1_500_000)
    styles = st.sampled_from(["plain", "plain", "grouped", "wide", "currency"])
    written = st.builds(lambda amount, style: _written(amount, comma=comma, style=style), hundredths, styles)
    numbers = st.builds(lambda amount: Cell(f"{amount / 100:g}", number=True), st.integers(0, 99_999))
    return st.one_of(_cell(written), numbers)


def _values(told: Field, layout: Layout) -> st.SearchStrategy[Cell]:
    """Cells of a column that can be read."""
    match told.kind:
        case "hour":
            return _cell(st.sampled_from(["0", "7", "07:00", "23:00-23:59"]))
        case "time" | "day":
            clock = " %H:%M" if told.kind == "time" else ""
            patterns = st.sampled_from([*layout.formats, f"%Y-%m-%d{clock}"])
            days = st.datetimes(min_value=datetime(2026, 3, 1), max_value=datetime(2026, 3, 6))
            return _cell(st.builds(lambda day, pattern: day.strftime(pattern), days, patterns))
        case "count":
            return _cell(st.integers(0, 99).map(str))
        case "amount":
            return _amounts(comma=layout.comma)
        case "share":
            return _cell(st.integers(0, 999).map(lambda share: f"{share}%"))
        case _:
            shops = sorted(KNOWN_SHOPS) if told.name == "shop_label" else []
            few = _ids(told.name) if told.kind == "id" else shops
            return _cell(st.sampled_from(few or ["red", "蓝色", "<b>", "=1+1", "a,b", 'say "x"']))


def _ids(name: str | None) -> list[str]:
    letter = str(name)[0].upper()
    return [f"{letter}1", f"{letter}2", f"{letter}3", f'="00{letter}"']


def good_text(told: Field, layout: Layout) -> st.SearchStrategy[str]:
    """What a person may write into a cell of a column."""
    return _values(told, layout).filter(lambda cell: not cell.number).map(lambda cell: cell.text)


def _bad(told: Field) -> st.SearchStrategy[Cell]:
    """A cell for which its row cannot be trusted."""
    if told.kind in ("time", "day"):
        return st.sampled_from([Cell("31/02/2026 10:00"), Cell("soon")])
    if told.name == "shop_label":
        return st.just(Cell("nowhere"))
    if told.kind == "hour":
        return st.just(Cell("24:00"))
    return st.just(Cell("abc") if told.kind in ("count", "amount", "share") else Cell(""))


@st.composite
def _line(draw: st.DrawFn, layout: Layout) -> Row:
    cells = []
    for told in layout.fields:
        key = told.required or told.name in layout.identity or told.name == "shop_label"
        blank = not told.required and draw(st.integers(0, 9)) < (2 if key else 3)
        cells.append(Cell(draw(_BLANKS)) if blank else draw(_values(told, layout)))
    return tuple(cells)


@st.composite
def _order(draw: st.DrawFn, layout: Layout) -> list[Row]:
    """The lines of an order: merged cells are blank below the first, or an order's totals stand on each line."""
    first = draw(_line(layout))
    lines = [first]
    for _ in range(draw(st.integers(0, 2))):
        own = draw(_line(layout))
        cells = []
        for told, above, cell in zip(layout.fields, first, own, strict=True):
            if layout.totals_on_every_line:
                cells.append(above if told.shared or told.of_order else cell)
            elif told.of_order or (told.shared and (told.name != "order_status" or draw(st.booleans()))):
                cells.append(Cell())
            else:
                cells.append(cell)
        lines.append(tuple(cells))
    return lines


@st.composite
def sheets(draw: st.DrawFn, layout: Layout) -> tuple[Row | None, ...]:
    """The rows of a sheet: data, now and then a bad cell, an empty line, a line twice, and a row of totals below."""
    rows: list[Row | None] = []
    for _ in range(draw(st.integers(1, 4))):
        rows += draw(_order(layout)) if layout.domain == "orders" else [draw(_line(layout))]
    if draw(st.booleans()):
        rows.append(draw(st.sampled_from(rows)))
    if draw(st.integers(0, 2)) == 0:
        at = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, len(layout.fields) - 2))
        row = rows[at]
        if row is not None:
            rows[at] = (*row[:column], draw(_bad(layout.fields[column])), *row[column + 1 :])
    if draw(st.integers(0, 3)) == 0:
        rows.insert(draw(st.integers(1, len(rows))), None)
    if draw(st.integers(0, 3)) == 0:
        rows.append((Cell(TOTALS_LABEL), *(Cell() for _ in layout.fields[1:])))
    return _amounts_on_first_lines(rows, layout)


def _amounts_on_first_lines(rows: Sequence[Row | None], layout: Layout) -> tuple[Row | None, ...]:
    """The rows of a sheet in which each order has its amounts once, unless they stand on every line."""
    if layout.totals_on_every_line or layout.domain != "orders":
        return tuple(rows)
    order, begun, found = "", set[str](), list[Row | None]()
    for row in rows:
        order = (row[0].said if row else None) or order
        again = row is not None and order in begun
        begun |= {order} if row else set()
        origin = _origin(layout).fields
        found.append(
            tuple(Cell() if again and told.of_order else cell for told, cell in zip(origin, row, strict=True))
            if row
            else row
        )
    return tuple(found)


@st.composite
def changed(draw: st.DrawFn, rows: Sequence[Row | None], layout: Layout) -> tuple[Row | None, ...]:
    """The same data as another export shows it."""
    found = list(rows)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(found) - 1))
        column = draw(st.integers(0, len(layout.fields) - 1))
        row = found[at]
        if row is not None:
            found[at] = (*row[:column], draw(_values(layout.fields[column], layout)), *row[column + 1 :])
    what = draw(st.sampled_from(["as it is", "as it is", "shorter", "longer", "moved"]))
    if what == "shorter" and len(found) > 1:
        found.pop(draw(st.integers(0, len(found) - 1)))
    elif what == "longer":
        found += draw(sheets(layout))
    elif what == "moved":
        found = draw(st.permutations(found))
    return _amounts_on_first_lines(found, layout) if any(found) else tuple(rows)


@st.composite
def corrected_at_the_source(
    draw: st.DrawFn, export: Export, bad: Mapping[int, Collection[int]], layout: Layout
) -> tuple[Row | None, ...]:
    """The rows of an export in which somebody has put some of the bad cells right."""
    rows = list(export.rows)
    for number in sorted(bad):
        at = number - export.first_row
        row = rows[at] if at < len(rows) else None
        if row is not None and draw(st.booleans()):
            rows[at] = tuple(
                draw(_values(layout.fields[column], layout)) if column in bad[number] else cell
                for column, cell in enumerate(row)
            )
    return _amounts_on_first_lines(rows, layout)
