"""A comparison of two templates as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from datasync.admin.base import NOTHING, grid
from datasync.mapping.compare import Comparison


def comparison_table(found: Comparison) -> SafeString | str:
    """Everything in which two templates differ; a dash where nothing does."""
    return grid((_("what"), _("before"), _("after")), _rows(found.as_dict()))


def _rows(told: dict[str, Any]) -> Iterator[tuple[object, object, object]]:
    labels = {
        "added": _("added"),
        "missing": _("gone"),
        "missing_required": _("gone, required"),
        "renamed": _("renamed"),
        "likely_renamed": _("likely renamed"),
        "moved": _("moved"),
        "currency_changes": _("other currency"),
    }
    differences = told["differences"]
    for name in ("renamed", "likely_renamed", "currency_changes"):
        yield from ((labels[name], before, after) for before, after in differences[name])
    for name in ("missing", "missing_required"):
        yield from ((labels[name], header, NOTHING) for header in differences[name])
    yield from ((labels["added"], NOTHING, header) for header in differences["added"])
    yield from ((labels["moved"], header, header) for header in differences["moved"])
    for change in told["settings"]:
        yield change["name"], _text(change["before"]), _text(change["after"])
    for column in told["columns"]:
        for change in column["changes"]:
            yield f"{column['header']}: {change['name']}", _text(change["before"]), _text(change["after"])


def _text(value: Any) -> str:
    if value in (None, "", []):
        return NOTHING
    return ", ".join(value) if isinstance(value, list) else str(value)
