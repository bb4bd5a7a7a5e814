"""How many rows stand in quarantine: by reason, state, domain, shop and file. Counted by the database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Count, Min, QuerySet

from datasync.choices import QuarantineState
from datasync.models import QuarantinedRow

MOST_FILES = 20
"""Files that the figures name, those with the most rows first."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Rows in quarantine. A row counts once for each of its reasons; ``oldest`` is the oldest undecided one."""

    total: int
    oldest: datetime | None
    states: dict[str, int]
    domains: dict[str, int]
    reasons: dict[str, int]
    platforms: dict[str, int]
    shops: list[dict[str, Any]] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)


def looks_into_json(using: str) -> bool:
    """Whether the database can ask what a JSON column contains."""
    return connections[using].features.supports_json_field_contains


def figures(found: QuerySet[QuarantinedRow]) -> Figures:
    """All figures of the rows, in seven statements however many rows there are."""
    states = _counted(found, "state")
    undecided = found.filter(state__in=(QuarantineState.OPEN, QuarantineState.CORRECTED))
    shops = _plain(found).values("file__platform_id", "file__shop__shop_id", "file__shop__name")
    files = _plain(found).values("file_id", "file__original_name")
    return Figures(
        total=sum(states.values()),
        oldest=undecided.aggregate(oldest=Min("created_at"))["oldest"],
        states={state: states.get(state, 0) for state in QuarantineState.values},
        domains=_counted(found, "domain"),
        reasons=reason_counts(found),
        platforms=_counted(found, "file__platform_id"),
        shops=[
            {
                "platform": shop["file__platform_id"],
                "shop_id": shop["file__shop__shop_id"],
                "name": shop["file__shop__name"],
                "rows": shop["rows"],
            }
            for shop in shops.annotate(rows=Count("pk")).order_by("-rows", "file__platform_id", "file__shop__shop_id")
        ],
        files=[
            {"file_id": file["file_id"], "file": file["file__original_name"], "rows": file["rows"]}
            for file in files.annotate(rows=Count("pk")).order_by("-rows", "file_id")[:MOST_FILES]
        ],
    )


def reason_counts(found: QuerySet[QuarantinedRow]) -> dict[str, int]:
    """How many rows each reason stands on, most frequent first. A row counts once for each of its reasons."""
    counts: dict[str, int] = defaultdict(int)
    for _file, code, count in _reasons_by_file(found):
        counts[code] += count
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def file_counts(found: QuerySet[QuarantinedRow]) -> dict[int, int]:
    """How many of the rows each file has."""
    counted = found.select_related(None).order_by("file_id").values_list("file_id").annotate(rows=Count("pk"))
    return dict(counted)


def files(found: QuerySet[QuarantinedRow]) -> QuerySet[Any, Any]:
    """The files that have such rows, those with the most rows first, with how many and since when."""
    by_file = _plain(found).values("file_id", "file__original_name", "file__state")
    return by_file.annotate(rows=Count("pk"), oldest=Min("created_at")).order_by("-rows", "file_id")


def told(listed: list[dict[str, Any]], found: QuerySet[QuarantinedRow]) -> list[dict[str, Any]]:
    """Some of ``files`` with their rows by state and by reason: two statements for all of them."""
    ids = [file["file_id"] for file in listed]
    rows = found.filter(file_id__in=ids)
    states: dict[int, dict[str, int]] = defaultdict(dict)
    for file_id, state, count in _plain(rows).values_list("file_id", "state").annotate(rows=Count("pk")):
        states[file_id][state] = count
    reasons: dict[int, dict[str, int]] = defaultdict(dict)
    for file_id, code, count in _reasons_by_file(rows) if ids else ():
        reasons[file_id][code] = count
    return [
        {
            "file_id": file["file_id"],
            "file": file["file__original_name"],
            "file_state": file["file__state"],
            "rows": file["rows"],
            "oldest": file["oldest"],
            "states": {state: states[file["file_id"]].get(state, 0) for state in QuarantineState.values},
            "reasons": reasons[file["file_id"]],
        }
        for file in listed
    ]


def _plain(found: QuerySet[QuarantinedRow]) -> QuerySet[QuarantinedRow]:
    return found.select_related(None).order_by()


def _counted(found: QuerySet[QuarantinedRow], name: str) -> dict[str, int]:
    return dict(_plain(found).values_list(name).annotate(rows=Count("pk")).order_by("-rows", name))


def _reasons_by_file(found: QuerySet[QuarantinedRow]) -> list[tuple[int, str, int]]:
    """File, reason code and number of rows. The reasons of a row are a JSON list, which the database unfolds."""
    try:
        chosen, params = _plain(found).values("pk", "file_id", "reasons").query.sql_with_params()
    except EmptyResultSet:
        return []
    if looks_into_json(found.db):
        code, unfolded = "reason.value ->> 'code'", "jsonb_array_elements(chosen.reasons)"
    else:
        code, unfolded = "json_extract(reason.value, '$.code')", "json_each(chosen.reasons)"
    statement = (
        f"WITH chosen (pk, file_id, reasons) AS ({chosen}) "  # noqa: S608 - made by Django
        f"SELECT chosen.file_id, {code}, COUNT(DISTINCT chosen.pk) FROM chosen, {unfolded} AS reason "
        "GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2"
    )
    with connections[found.db].cursor() as cursor:
        cursor.execute(statement, params)
        return [(int(file_id), str(code), int(count)) for file_id, code, count in cursor.fetchall()]
