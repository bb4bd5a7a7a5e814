"""Remarks: what a person should know of a file that was synced all the same, kept as a code and what it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_noop


class RemarkCode(StrEnum):
    """What there is to remark."""

    NO_ROWS = "NO_ROWS"
    CORRECTIONS_DROPPED = "CORRECTIONS_DROPPED"
    MAPPING_SUGGESTED = "MAPPING_SUGGESTED"
    HEADER_MOVED = "HEADER_MOVED"
    COLUMNS_REWORDED = "COLUMNS_REWORDED"
    COLUMNS_ADDED = "COLUMNS_ADDED"
    COLUMNS_GONE = "COLUMNS_GONE"


SENTENCES: Mapping[str, str] = {
    RemarkCode.NO_ROWS: gettext_noop("The file has a header but no rows of data."),
    RemarkCode.CORRECTIONS_DROPPED: gettext_noop(
        "Corrections that were not needed any more: %(count)s. The rows' own cells can be read now, or the file has "
        "other cells in their place."
    ),
    RemarkCode.MAPPING_SUGGESTED: gettext_noop("No template fits; the suggested mapping was used."),
    RemarkCode.HEADER_MOVED: gettext_noop("The header was found in row %(found)s, not in row %(expected)s."),
    RemarkCode.COLUMNS_REWORDED: gettext_noop("Reworded columns: %(columns)s"),
    RemarkCode.COLUMNS_ADDED: gettext_noop("New columns, kept with the original row: %(columns)s"),
    RemarkCode.COLUMNS_GONE: gettext_noop("Optional columns gone: %(columns)s"),
}
"""In English; ``%(name)s`` are the parameters of the remark."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark about one file; ``params`` are what the sentence of its code names, as plain values."""

    code: RemarkCode
    params: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """As it is stored: ``{"code", "message", "params"}``, the message in English."""
        message = SENTENCES[self.code] % self.params
        return {"code": self.code.value, "message": message, "params": dict(self.params)}
