"""The console speaks of every field, reason and note in the reader's language."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from datasync.admin.field_names import FIELD_NAMES
from datasync.admin.reason_names import reason_in_words
from datasync.fields import FIELDS, Kind
from datasync.reasons import Reason
from datasync.runs.words import remark_in_words

CHINESE = re.compile(r"[\u4e00-\u9fff]")
NOTES = {
    "The header was found in row 3, not in row 1.": "表头位于第 3 行，而不是第 1 行。",
    "Reworded columns: Qty → Quantity": "改写的列：Qty → Quantity",
    "New columns, kept with the original row: %s, 备注": "新增列，随原始行保留：%s, 备注",
    "Optional columns gone: A": "缺失的可选列：A",
    "A sentence of before.": "A sentence of before.",
}


def test_every_field_has_a_name() -> None:
    names = {name for fields in FIELDS.values() for name in fields} | {"line_ordinal"}
    assert names == FIELD_NAMES.keys()
    with translation.override("zh-hans"):
        english = {name for name in names if not CHINESE.search(str(FIELD_NAMES[name]))}
    assert english == {"sku", "erp_sku"}  # Chinese operators call them so, too


def test_every_reason_has_words() -> None:
    for language in ("en", "zh-hans"):
        with translation.override(language):
            told = {reason: reason_in_words(reason).removeprefix(f"{reason}: ") for reason in Reason}
        assert all(bool(CHINESE.search(words)) is (language == "zh-hans") for words in told.values()), told
    assert reason_in_words("OF_BEFORE") == "OF_BEFORE"


@pytest.mark.parametrize("note", NOTES)
def test_stored_notes_follow_the_reader(note: str) -> None:
    for language, wanted in (("en", note), ("zh-hans", NOTES[note])):
        with translation.override(language):
            assert remark_in_words({"code": "NOTE", "message": note})["message"] == wanted


def test_contradictions_are_translated() -> None:
    with translation.override("zh-hans"):
        told = [translation.gettext(f"its values are no {kind}") for kind in Kind]
    assert all(words.startswith("其值不是") for words in told)
