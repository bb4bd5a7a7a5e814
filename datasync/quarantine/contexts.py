"""What a quarantined row has from the rows around it, as corrections and a release change it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from datasync.ingest.plan import Plan
from datasync.ingest.prepare.context import corrected
from datasync.models import QuarantinedRow
from datasync.quarantine.values import corrections, original

Line = tuple[int, str]
"""Ordinal and hash of the identity."""


def contexts_of(rows: Sequence[QuarantinedRow], plan: Plan) -> list[str | None]:
    """What the rows have from those around them, as far as the corrections leave it.

    A cell that a person has only confirmed stays what it was: a number cell, or one that is filled from above.
    """
    order = {column.position for column in plan.columns if column.field in {"order_id", "shop_label"}}
    contexts: list[str | None] = []
    for row in rows:
        cells = original(row)
        given = {at for at, text in corrections(row).items() if at >= len(cells) or text != cells[at]}
        context = corrected(row.context, given) if given else row.context
        contexts.append(in_another_order(context) if given & order else context)
    return contexts


def has_all_of(context: str | None, stored: str | None) -> bool:
    """Whether a row with this context has all that a stored row of equal cells got from the lines above it.

    If not, the two stood below other lines. A template since may have filled more.
    """
    return _filled_down(stored).items() <= _filled_down(context).items()


def in_another_order(context: str | None) -> str | None:
    """The context of a row that was moved to another order: who comes first there is another question."""
    said = json.loads(context) if context else {}
    said.pop("l", None)
    return _text(said)


def with_line(context: str | None, line: Line | None) -> str | None:
    """The context of a released row: as it was loaded, and which line of its identity it has become."""
    said = json.loads(context) if context else {}
    for name in ("o", "i"):
        said.pop(name, None)
    if line is not None:
        said["o"], said["i"] = line
    return _text(said)


def _filled_down(context: str | None) -> dict[str, str]:
    return dict(json.loads(context).get("f", {})) if context else {}


def _text(said: dict[str, object]) -> str | None:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) if said else None
