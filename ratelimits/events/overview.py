"""What the page of limits shows: what was refused by hour and by day, to whom, where, and who stands out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.template.defaultfilters import date as written
from django.utils import timezone

from ratelimits.events import selectors
from ratelimits.events.charts import Chart, bars, shares
from ratelimits.events.choices import LEVEL_COLOURS
from ratelimits.events.clock import today
from ratelimits.events.selectors import Anomaly

SHOWN = 10


def overview() -> dict[str, Any]:
    """The charts and tables of this moment, in a fixed number of statements."""
    stats = selectors.stats_of(today())
    return {
        "hours": _hours(),
        "days": _days(),
        "callers": _ranked((caller.username or caller.key, caller.refused) for caller in stats.by_key[:SHOWN]),
        "paths": _ranked((path.path, path.refused) for path in stats.by_path[:SHOWN]),
        "unusual": _unusual(),
        "threshold": selectors.USUAL_THRESHOLD,
    }


def _hours() -> Chart:
    """The last 24 hours, in the reader's time zone."""
    local = ((timezone.localtime(hour), refused) for hour, refused in selectors.refused_by_hour())
    return bars([(written(hour, "DATETIME_FORMAT"), written(hour, "H:i"), refused) for hour, refused in local])


def _days() -> Chart:
    counted = selectors.refused_by_day()
    return bars([(written(day, "DATE_FORMAT"), written(day, "m-d"), refused) for day, refused in counted])


def _ranked(counted: Iterable[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Name, count, and the length of the bar beside it."""
    rows = list(counted)
    return [
        (name, count, share)
        for (name, count), share in zip(rows, shares([count for _name, count in rows]), strict=True)
    ]


def _unusual() -> list[tuple[Anomaly, str]]:
    """Who stands out, each with the colour of its level."""
    threshold = selectors.USUAL_THRESHOLD
    found = selectors.anomalies(selectors.unusual_callers(threshold=threshold)[:SHOWN], threshold=threshold)
    return [(anomaly, LEVEL_COLOURS[anomaly.level]) for anomaly in found]
