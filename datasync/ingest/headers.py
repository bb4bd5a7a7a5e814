"""How the rows of a header become one name for each column: the same for whoever looks for it and whoever reads it."""

from __future__ import annotations

from collections.abc import Sequence

JOINT = " / "


def join_header(lines: Sequence[Sequence[str]]) -> list[str]:
    """One name a column. In a grouped header a name stands for the blank cells to its right, as merged cells do."""
    width = max((len(line) for line in lines), default=0)
    padded = [[*line, *[""] * (width - len(line))] for line in lines]
    if len(padded) == 1:
        return padded[0]
    names: list[str] = []
    groups = [""] * (len(padded) - 1)
    for column in range(width):
        own = [line[column] for line in padded]
        for level, text in enumerate(own[:-1]):
            if text:
                groups[level:] = [text, *[""] * (len(groups) - level - 1)]
        parts = [*groups, own[-1]] if own[-1] else own
        names.append(JOINT.join(dict.fromkeys(part for part in parts if part.strip())))
    return names
