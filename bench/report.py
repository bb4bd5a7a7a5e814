"""The table of a run, and the file that keeps it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
_HEADER = ("what", "the product", "against", "result", "target", "")


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. ``met`` None: a figure that only describes."""

    what: str
    product: str
    against: str = ""
    result: str = ""
    target: str = ""
    met: bool | None = None


def at_most(what: str, *, value: float, limit: float, unit: str, product: str, against: str = "") -> Result:
    """A line whose figure must not be above its target."""
    return Result(what, product, against, _figure(value, unit), f"≤ {limit:g} {unit}", value <= limit)


def at_least(what: str, *, value: float, limit: float, unit: str, product: str, against: str = "") -> Result:
    """A line whose figure must not be below its target."""
    return Result(what, product, against, _figure(value, unit), f"≥ {limit:g} {unit}", value >= limit)


def seconds(value: float) -> str:
    """A duration with as many digits as it deserves."""
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value:.2f} s"


def rate(rows: int, value: float) -> str:
    """Rows a second."""
    return f"{rows / value:,.0f} rows/s"


def table(results: Iterable[Result], *, scaled_down: bool) -> str:
    """The results as Markdown that is readable in a terminal too. A scaled-down run neither meets nor misses."""
    rows = [_HEADER, *(_cells(result, judged=not scaled_down) for result in results)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = [
        "| " + " | ".join(_pad(cell, width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def write(results: Sequence[Result], *, facts: Mapping[str, str], command: str, path: Path = RESULTS) -> None:
    """Keep a complete run."""
    described = "\n".join(f"- {name}: {value}" for name, value in facts.items())
    path.write_text(
        f"""# What the benchmarks last showed

{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, by `{command}`. What is compared ran in turn in this one run; each ratio is
the median over its turns. `bench/README.md` says what each line measures.

{described}

{table(results, scaled_down=False)}
""",
        encoding="utf-8",
    )


def _cells(result: Result, *, judged: bool) -> tuple[str, ...]:
    *texts, met = astuple(result)
    verdict = "" if met is None or not judged else "met" if met else "MISSED"
    return (*map(str, texts), verdict)


def _figure(value: float, unit: str) -> str:
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f} {unit}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
