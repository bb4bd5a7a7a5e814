"""Bars drawn by the server: what a template needs to write them as SVG, in whole units of the drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 200
_LEFT, _TOP, _BOTTOM = 56, 10, 24
_GAP = 2
_MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with what is read when pointing at it. ``mark`` stands below it, where there is room for one."""

    label: str
    value: int
    x: int
    y: int
    width: int
    height: int
    mark: str

    @property
    def middle(self) -> int:
        """Where its mark stands."""
        return self.x + self.width // 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line across the drawing, and the number that it stands for."""

    value: int
    y: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A row of bars with its lines."""

    bars: Sequence[Bar]
    lines: Sequence[Line]
    total: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT


def bars(values: Sequence[tuple[str, str, int]]) -> Chart:
    """A chart of ``(label, mark, value)``; the tallest bar just fits below a round number."""
    top = round_number(max((value for _label, _mark, value in values), default=0))
    floor, room = HEIGHT - _BOTTOM, HEIGHT - _BOTTOM - _TOP
    step = (WIDTH - _LEFT) // max(len(values), 1)
    every = -(-len(values) // _MOST_LABELS)

    def bar(at: int, label: str, mark: str, value: int) -> Bar:
        height = max(1, round(room * value / top)) if value else 0
        return Bar(
            label=label,
            value=value,
            x=_LEFT + at * step,
            y=floor - height,
            width=step - _GAP,
            height=height,
            mark=mark if at % every == 0 else "",
        )

    return Chart(
        bars=[bar(at, *one) for at, one in enumerate(values)],
        lines=[Line(0, floor), Line(top // 2, floor - room // 2), Line(top, floor - room)],
        total=sum(value for _label, _mark, value in values),
    )


def round_number(value: int) -> int:
    """The next number at or above this one, and above 1, that is easily read and halved: 2, 4, 6, 8, 10, 20, 40, …"""
    scale = 1
    while True:
        for factor in (2, 4, 6, 8, 10):
            if factor * scale >= value:
                return factor * scale
        scale *= 10


def shares(values: Sequence[int]) -> list[int]:
    """How long each of some bars is in percent of the longest; what is not 0 can be seen."""
    longest = max(values, default=0)
    return [max(1, round(100 * value / longest)) if value else 0 for value in values]
