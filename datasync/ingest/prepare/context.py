"""What a row has from the rows and cells around it, kept beside its original texts: with both it can be typed again.

Compact JSON, NULL where there is nothing to say: ``{"n":[3,7],"f":{"0":"A1"},"l":1,"o":2,"i":"…"}``

- ``n``: positions of cells that a workbook held as numbers, so that their point is a decimal one whatever the template
  says of texts. A cell without a point may be among them: it reads alike either way.
- ``f``: cells that were filled down into this row, position → text.
- ``l``: the amounts of the order belong to an earlier line of the file.
- ``o`` and ``i``, in quarantine and of numbered lines only: the ordinal and the hash of the identity, where every cell
  that the identity is made of could be read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from datasync.ingest.prepare.original import json_text

_KEPT_ORDER = ("n", "f", "l", "o", "i")


@dataclass(slots=True)
class Said:
    """What a batch's rows have from around them: by position which are number cells, and what was filled into them.

    ``later`` marks lines that are known not to carry the amounts of their order, ``carriers`` those that do.
    """

    numbers: dict[int, pl.Series] = field(default_factory=dict)
    fills: dict[int, pl.Series] = field(default_factory=dict)
    later: pl.Series | None = None
    carriers: pl.Series | None = None


def number_marks(original: pl.DataFrame, numbers: Mapping[str, pl.Series]) -> dict[int, pl.Series]:
    """The marks worth keeping, by position; a column that reads alike in every row is marked as a whole."""
    marks = {int(name[1:]): _worth_keeping(original[name], mask) for name, mask in numbers.items()}
    return {position: marks[position] for position in sorted(marks) if marks[position].any()}


def _worth_keeping(cells: pl.Series, mask: pl.Series) -> pl.Series:
    if mask.all():
        return mask
    pointed = cells.str.contains(".", literal=True).fill_null(value=False)
    odd = mask & pointed
    whole = mask | ~pointed
    return whole if odd.any() and whole.all() else odd


def filled_in(before: pl.DataFrame, after: pl.DataFrame, positions: Mapping[str, int]) -> dict[int, pl.Series]:
    """The texts that ``after`` has where ``before`` has none, by position; null in all other rows."""
    fills: dict[int, pl.Series] = {}
    for name, position in positions.items():
        cells, full = before[name], after[name]
        if cells.null_count() > full.null_count():
            fills[position] = full.zip_with(cells.is_null(), cells.clear(len(cells)))
    return fills


def merged(older: Mapping[int, pl.Series], newer: Mapping[int, pl.Series]) -> dict[int, pl.Series]:
    """Fills of both; the older ones stay."""
    both = {position: series.fill_null(newer[position]) if position in newer else series
            for position, series in older.items()}  # fmt: skip
    return {**newer, **both}


def replaced(said: Said, at: list[int], kept: Said, *, rows: int) -> Said:
    """What ``said`` says of a batch of so many ``rows``, of those at ``at`` what ``kept`` says instead."""
    no, nothing = pl.repeat(False, rows, eager=True), pl.Series([None], dtype=pl.String).new_from_index(0, rows)

    def put(whole: pl.Series | None, part: pl.Series | None, blank: pl.Series) -> pl.Series:
        return (blank if whole is None else whole).clone().scatter(at, blank[: len(at)] if part is None else part)

    later = put(None, kept.later, no)
    return Said(
        numbers={
            position: put(said.numbers.get(position), kept.numbers.get(position), no)
            for position in sorted({*said.numbers, *kept.numbers})
        },
        fills={
            position: put(said.fills.get(position), kept.fills.get(position), nothing)
            for position in {**said.fills, **kept.fills}
        },
        later=later,
        carriers=put(None, ~later.gather(at), no),
    )


def beginnings(said: Said, rows: int) -> pl.Series:
    """What ``n`` and ``f`` say of each row, as JSON without its braces; "" where they say nothing."""
    parts = [part for part in (_numbers(said.numbers), _fills(said.fills)) if part is not None]
    if not parts:
        return pl.Series([""]).new_from_index(0, rows)
    joined = pl.concat_str(parts, separator=",", ignore_nulls=True) if len(parts) > 1 else parts[0].fill_null("")
    made = pl.select(joined.alias("context")).to_series()
    return made if len(made) == rows else made.new_from_index(0, rows)


def contexts(begun: pl.Series, later: pl.Series | None) -> pl.Series:
    """Whole contexts: ``begun`` from ``beginnings``, ``later`` marks the lines whose order's amounts stand earlier."""
    texts = pl.col("begun")
    if later is not None and later.any():
        marked = pl.when(texts == "").then(pl.lit('"l":1')).otherwise(texts + ',"l":1')
        texts = pl.when(pl.lit(later)).then(marked).otherwise(texts)
    whole = pl.when(texts != "").then(pl.concat_str([pl.lit("{"), texts, pl.lit("}")]))
    return begun.to_frame("begun").select(whole.alias("context")).to_series()


def of_rejected(begun: str, *, later: bool, line: tuple[int, str] | None) -> str | None:
    """The context of one refused row; ``line`` is its ordinal and the hash of its identity, where it has one."""
    parts = [begun] if begun else []
    if later:
        parts.append('"l":1')
    if line is not None:
        parts.append(f'"o":{line[0]},"i":"{line[1]}"')
    return f"{{{','.join(parts)}}}" if parts else None


def read(texts: pl.Series, positions: Iterable[int]) -> Said:
    """What contexts say of rows of which the cells at ``positions`` are known."""
    if texts.null_count() == len(texts):
        return Said()
    names = [str(position) for position in positions]
    shape = pl.Struct({"n": pl.List(pl.UInt32), "f": pl.Struct(dict.fromkeys(names, pl.String)), "l": pl.UInt8})
    parts = texts.str.json_decode(shape).struct.unnest()
    fills = parts["f"].struct.unnest()
    lists = parts["n"]
    marked = lists.drop_nulls().explode(empty_as_null=False).unique().sort().to_list()
    later = (parts["l"] == 1).fill_null(value=False)
    return Said(
        numbers={position: lists.list.contains(position).fill_null(value=False) for position in marked},
        fills={int(name): fills[name] for name in names if fills[name].null_count() < len(fills)},
        later=later if later.any() else None,
    )


def corrected(context: str | None, positions: Collection[int]) -> str | None:
    """The context of a row whose cells at ``positions`` a person wrote anew: texts of their own, filled by nobody."""
    said = _loaded(context)
    said["n"] = [position for position in said.get("n", ()) if position not in positions]
    said["f"] = {key: text for key, text in said.get("f", {}).items() if int(key) not in positions}
    return _dumped(said)


def as_later_line(context: str | None) -> str:
    """The context of a row whose order's amounts stand on another line."""
    return _dumped(_loaded(context) | {"l": 1}) or ""


def line_of(context: str | None) -> tuple[int, str] | None:
    """The ordinal and the hash of the identity that a refused row had among the lines of its file."""
    said = _loaded(context)
    return (int(said["o"]), str(said["i"])) if "o" in said and "i" in said else None


def _numbers(marks: Mapping[int, pl.Series]) -> pl.Expr | None:
    if not marks:
        return None
    if all(mask.all() for mask in marks.values()):
        return pl.lit(f'"n":[{",".join(map(str, marks))}]')
    items = [pl.when(pl.lit(mask)).then(pl.lit(str(position))) for position, mask in marks.items()]
    listed = pl.concat_str(items, separator=",", ignore_nulls=True)
    return pl.when(listed != "").then(pl.concat_str([pl.lit('"n":['), listed, pl.lit("]")]))


def _fills(fills: Mapping[int, pl.Series]) -> pl.Expr | None:
    if not fills:
        return None
    items = [
        pl.concat_str([pl.lit(f'"{position}":"'), json_text(pl.lit(fills[position])), pl.lit('"')])
        for position in sorted(fills)
    ]
    listed = pl.concat_str(items, separator=",", ignore_nulls=True)
    return pl.when(listed != "").then(pl.concat_str([pl.lit('"f":{'), listed, pl.lit("}")]))


def _loaded(context: str | None) -> dict[str, Any]:
    return dict(json.loads(context)) if context else {}


def _dumped(said: Mapping[str, Any]) -> str | None:
    ordered = {key: said[key] for key in _KEPT_ORDER if said.get(key)}
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")) if ordered else None
