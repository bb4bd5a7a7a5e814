"""An independent reading of exports, in plain Python: what their rows say, by the rules of the domain.

It shares no code with the product and reads the texts of cells by itself. It is slow and knows only what
``tests.random_exports`` can write: one number format and few date formats a template, and no currencies.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.model_of_totals import is_sum, is_total, number_of

NOTHING = frozenset({"", "-", "—", "--", "nan", "N/A", "null", "暂无数据"})
LOCAL_TIME = timedelta(hours=8)
"""A shop's clock runs ahead of UTC by this, unless its region says otherwise."""
Identity = tuple[Any, ...]
KNOWN_SHOPS = frozenset({"north", "south"})
_A_LINE_MAY_DIFFER = frozenset({"order_status"})
"""What the lines of an order share, and yet one of them may say otherwise."""

_ELSEWHERE = "amounts elsewhere"


@dataclass(frozen=True)
class Cell:
    """What a cell holds; ``number`` says that it is a number cell of a workbook, whose point is a point anywhere."""

    text: str = ""
    number: bool = False

    @property
    def clean(self) -> str:
        """The text without the white space and invisible marks around it."""
        return self.text.replace("\u200b", "").strip()

    @property
    def said(self) -> str | None:
        """What the cell says; None where that is nothing."""
        return None if self.clean in NOTHING else self.clean


@dataclass(frozen=True)
class Field:
    """A column of a layout and the standard field that it feeds; ``name`` None: kept in the original row only."""

    header: str
    name: str | None
    kind: str = "text"
    required: bool = False
    shared: bool = False  # by all lines of an order: filled down
    of_order: bool = False  # an amount of the whole order


@dataclass(frozen=True)
class Layout:
    """A template as far as the model knows it. ``formats`` are the strptime formats of dates and times."""

    domain: str
    granularity: str
    fields: tuple[Field, ...]
    identity: tuple[str, ...]
    formats: tuple[str, ...] = ()
    comma: bool = False
    ordinal: bool = False
    totals_on_every_line: bool = False
    sub_domain: str = ""

    @property
    def known(self) -> tuple[Field, ...]:
        """The columns that feed a standard field."""
        return tuple(told for told in self.fields if told.name)

    @property
    def of_order(self) -> tuple[str, ...]:
        """The fields that are amounts of a whole order."""
        return tuple(str(told.name) for told in self.known if told.of_order)

    @property
    def dated(self) -> bool:
        """Whether a column says of which day a row is."""
        return any(told.name in ("ordered_at", "metric_date", "posted_at") for told in self.fields)

    @property
    def names_shop(self) -> bool:
        """Whether each row says of which shop it is."""
        return any(told.name == "shop_label" for told in self.fields)


Row = tuple[Cell, ...]
Place = tuple[int, tuple[str, ...]]


@dataclass(frozen=True)
class Export:
    """One version of a file: a sheet of rows under a header; a row that is None is an empty line of the sheet.

    Without a ``shop`` each row names its own. ``period`` is what a person said; else it follows from the collection.
    """

    file: str
    shop: str
    layout: str
    collected: datetime
    rows: tuple[Row | None, ...]
    first_row: int = 2
    period: tuple[date, date] | None = None

    @property
    def filled(self) -> list[tuple[int, Row]]:
        """The rows that hold anything, with their number as the spreadsheet shows it."""
        numbered = enumerate(self.rows, self.first_row)
        return [(at, row) for at, row in numbered if row is not None and any(cell.clean for cell in row)]


@dataclass(frozen=True)
class Line:
    """A row of an export, read. ``texts`` are its fields with what was filled down; ``bad`` are columns not read.

    ``content`` changes whenever anything does that its values follow from. Of a ``later`` line the amounts of the order
    belong to another one, and so do those that are ``elsewhere``. ``sheet`` is the original row where a person has
    corrected ``cells``.
    """

    row: int
    cells: Row
    texts: Mapping[str, str | None]
    identity: Identity
    values: Mapping[str, Any]
    content: tuple[Any, ...]
    bad: frozenset[int] = frozenset()
    later: bool = False
    sheet: tuple[str, ...] | None = None
    elsewhere: frozenset[str] = frozenset()

    @property
    def raw(self) -> tuple[str, ...]:
        """The cleaned original row."""
        return tuple(cell.clean for cell in self.cells)

    @property
    def place(self) -> tuple[int, tuple[str, ...]]:
        """What a decision on the row is remembered by."""
        return self.row, self.raw if self.sheet is None else self.sheet

    @property
    def order(self) -> Identity:
        """The order that the line is of: its shop and its number."""
        return self.identity[0], self.values.get("order_id")


def read(export: Export, layout: Layout) -> tuple[list[Line], int]:
    """The rows of an export that are data, not yet numbered, and how many are totals."""
    rows = export.filled
    data = [(at, row) for at, row in rows if not is_total(row, layout)]
    if rows and data and data[0] == rows[0] and is_sum(data[0][1], [row for _, row in data[1:]], layout):
        data = data[1:]
    lines = [typed(at, row, texts, export, layout) for at, row, texts in _filled_down(data, layout)]
    return lines, len(rows) - len(data)


def numbered(
    lines: Sequence[Line], released: Mapping[Place, tuple[Line, Line]], discarded: Collection[Place], layout: Layout
) -> Iterator[Line]:
    """The lines with the number of each among equal ones; ``released`` ones as they were loaded and as they are now.

    Each is counted where its own cells put it, so that the others keep their numbers whatever is decided on it. A
    released line takes the number that it was loaded with, where no line above has it. A discarded one leaves a gap.
    """
    counted: Counter[Identity] = Counter()
    taken: set[Identity] = set()
    for line in lines:
        before, now = released.get(line.place, (line, line))
        if not layout.ordinal:
            yield now
            continue
        counted[line.identity] += 1
        number, own = counted[line.identity], now.identity == line.identity
        if line.place in released:
            number = number if own else 1
            number = before.identity[-1] if not own or before.identity[:-1] == now.identity else number
        if line.place not in discarded:
            number = next(free for free in itertools.count(number) if (*now.identity, free) not in taken)
            taken.add((*now.identity, number))
        yield replace(now, identity=(*now.identity, number))


def typed(at: int, row: Row, texts: Mapping[str, str | None], export: Export, layout: Layout) -> Line:
    """A row under a layout, with its identity but for the number among equal lines."""
    values, bad = _typed(row, texts, layout)
    period = _period(values, export, layout)
    values |= {"period_start": period[0], "period_end": period[1]}
    shop, label = export.shop, texts.get("shop_label")
    if layout.names_shop and (label not in KNOWN_SHOPS if not shop else label in KNOWN_SHOPS - {shop}):
        bad |= {at for at, told in enumerate(layout.fields) if told.name == "shop_label"}
    shop = shop or (label if label in KNOWN_SHOPS else "") or ""
    identity: Identity = (shop, *(blank_or(values.get(name)) for name in layout.identity))
    shared = tuple(texts[str(told.name)] for told in layout.known if told.shared)
    said = tuple((cell.clean, cell.number and layout.comma and "." in cell.clean) for cell in row)
    return Line(at, row, texts, identity, values, (said, shared, period, layout.fields), bad)


def blank_or(value: Any) -> Any:
    """A part of an identity, in which nothing and an empty text are one."""
    return "" if value is None else value


def _filled_down(lines: Sequence[tuple[int, Row]], layout: Layout) -> Iterator[tuple[int, Row, dict[str, str | None]]]:
    """Each line with the texts of its fields; what the lines of an order share comes from the last line that says it.

    A blank order number means the order above, unless the line says something else of it than the lines above: then
    nobody knows its order. Nothing is taken from the line of another order.
    """
    order: str | None = None
    above: dict[str, tuple[str, str | None]] = {}  # field → what was last said, and of which order
    for at, row in lines:
        texts = {told.name: cell.said for told, cell in zip(layout.fields, row, strict=True) if told.name}
        if layout.domain == "orders":
            if texts["order_id"] is None and _says_otherwise(texts, above, order, layout):
                order = None
            order = texts["order_id"] = texts["order_id"] or order
            for told in layout.known:
                name = str(told.name)
                if not told.shared or name == "order_id":
                    continue
                said = texts[name]
                if said is not None:
                    above[name] = (said, order)
                elif name in above and above[name][1] == order and order is not None:
                    texts[name] = above[name][0]
        yield at, row, texts


def _says_otherwise(
    texts: Mapping[str, str | None], above: Mapping[str, tuple[str, str | None]], order: str | None, layout: Layout
) -> bool:
    """Whether a line without an order number cannot be of the order above."""
    names = {str(told.name) for told in layout.known if told.shared} - _A_LINE_MAY_DIFFER
    said = {name: texts[name] for name in names if texts[name] is not None and name in above}
    return order is not None and any(
        above[name] != (text, order) and above[name][1] == order for name, text in said.items()
    )


def _typed(row: Row, texts: Mapping[str, str | None], layout: Layout) -> tuple[dict[str, Any], frozenset[int]]:
    """The values of a row, and the columns for which it cannot be trusted."""
    values: dict[str, Any] = {}
    bad = set()
    for at, (told, cell) in enumerate(zip(layout.fields, row, strict=True)):
        if not told.name:
            continue
        text = texts[told.name]
        values[told.name] = None
        if text is None:
            bad |= {at} if told.required else set()
            continue
        try:
            values[told.name] = _value(text, told.kind, layout, number=cell.number)
        except ValueError:
            bad.add(at)
    return values, frozenset(bad)


def _value(text: str, kind: str, layout: Layout, *, number: bool) -> Any:
    if kind == "time":
        return (_moment(text, layout) - LOCAL_TIME).replace(tzinfo=UTC)
    if kind == "hour":
        return _hour(text)
    if kind == "day":
        return _moment(text, layout).date()
    if kind == "id":
        guarded = re.fullmatch(r'="(.*)"', text)
        return guarded[1] if guarded else text
    return text if kind == "text" else _figure(text, kind, comma=layout.comma and not number)


def _figure(text: str, kind: str, *, comma: bool) -> Any:
    amount = number_of(text, comma=comma)
    if kind == "share":
        return amount / 100 if text.endswith("%") else amount
    if kind == "count" and amount != int(amount):
        raise ValueError(text)
    return int(amount) if kind == "count" else amount


def _moment(text: str, layout: Layout) -> datetime:
    """A time in one of the stated formats; one that begins with the year can be read one way only."""
    for pattern in (*layout.formats, "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    raise ValueError(text)


def _hour(text: str) -> int:
    """The hour at which an hour of a day begins."""
    hour = int(text.partition(":")[0])
    if not 0 <= hour <= 23:
        raise ValueError(text)
    return hour


def _period(values: dict[str, Any], export: Export, layout: Layout) -> tuple[date, date]:
    """The days that a row is about: its own, else those from the beginning of the period to the collection."""
    day = export.collected.date()
    if layout.domain == "inventory":
        values["snapshot_date"] = day
        return day, day
    own = next((values[name] for name in ("ordered_at", "metric_date", "posted_at") if values.get(name)), None)
    if isinstance(own, datetime):
        own = (own + LOCAL_TIME).date()
    if own is not None:
        return own, own
    if export.period is not None:
        return export.period
    first = day.replace(day=1) if layout.granularity == "monthly" else day
    if layout.granularity == "weekly":
        first = day - timedelta(days=day.weekday())
    return first, day


def amounts_once(lines: Sequence[Line], released: Collection[Place], layout: Layout) -> Iterator[Line]:
    """Amounts that stand on every line of an order belong to the first of these lines that can be trusted.

    A released line that has them stays the one that has them, wherever it stands.
    """
    if not layout.totals_on_every_line:
        yield from lines
        return
    led = {line.order for line in lines if line.place in released and not (line.later or line.bad)}
    begun: set[Identity] = set()
    standing: set[Identity] = set()
    for line in lines:
        if line.place in released and (line.later or not line.bad):
            first = not line.later
            begun |= {line.order} if first else set()
        elif line.bad:
            first = line.order not in standing
        else:
            first = line.order not in begun and not (line.order in led and said(line, layout))
            begun.add(line.order)
        standing |= {line.order} if first and not line.bad else set()
        yield line if first else later(line, layout)


def said(line: Line, layout: Layout) -> set[str]:
    """The amounts of its order that a line says."""
    return {name for name in layout.of_order if line.values[name] is not None}


def later(line: Line, layout: Layout) -> Line:
    """The line of an order whose amounts stand on another one."""
    blank = {str(told.name): None for told in layout.known if told.of_order}
    content = line.content if _ELSEWHERE in line.content else (*line.content, _ELSEWHERE)
    return replace(line, values={**line.values, **blank}, content=content, later=True)


def has_all_of(line: Line, stored: Line, layout: Layout) -> bool:
    """Whether a line has all that a stored one of equal cells got from the lines above it."""
    return _from_above(stored, layout).items() <= _from_above(line, layout).items()


def _from_above(line: Line, layout: Layout) -> dict[str, str]:
    own = zip(layout.fields, line.cells, strict=True)
    blank = [str(told.name) for told, cell in own if told.name and told.shared and cell.said is None]
    return {name: text for name in blank if (text := line.texts.get(name)) is not None}


def texts_under(line: Line, layout: Layout) -> dict[str, str | None]:
    """The texts of a line's fields under another layout: shared ones as they were filled down, others of its cells."""
    own = zip(layout.fields, line.cells, strict=True)
    return {
        str(told.name): line.texts.get(str(told.name)) if told.shared else cell.said for told, cell in own if told.name
    }
