"""The console speaks of every field, reason and note in the reader's language."""

from __future__ import annotations

import json
import re

import pytest
from django.utils import translation

from datasync.admin.field_names import FIELD_NAMES
from datasync.admin.reason_names import reason_in_words
from datasync.fields import FIELDS, Kind
from datasync.reasons import Reason
from datasync.remarks import SENTENCES, Remark, RemarkCode
from datasync.runs.words import remark_in_words

CHINESE = re.compile(r"[\u4e00-\u9fff]")
REMARKS = [
    (Remark(RemarkCode.NO_ROWS), "文件只有表头，没有数据行。"),
    (
        Remark(RemarkCode.CORRECTIONS_DROPPED, {"count": 1}),
        "不再需要的更正：1 处。这些行自身的单元格现已可以读取，或文件中对应的单元格已变。",
    ),
    (Remark(RemarkCode.MAPPING_SUGGESTED), "没有合适的模板，已使用建议映射。"),
    (Remark(RemarkCode.HEADER_MOVED, {"found": 3, "expected": 1}), "表头位于第 3 行，而不是第 1 行。"),
    (Remark(RemarkCode.COLUMNS_REWORDED, {"columns": "Qty → Quantity"}), "改写的列：Qty → Quantity"),
    (Remark(RemarkCode.COLUMNS_ADDED, {"columns": "%s, 备注"}), "新增列，随原始行保留：%s, 备注"),
    (Remark(RemarkCode.COLUMNS_GONE, {"columns": "A"}), "缺失的可选列：A"),
]


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


@pytest.mark.parametrize(("remark", "chinese"), REMARKS)
def test_stored_remarks_follow_the_reader(remark: Remark, chinese: str) -> None:
    stored = remark.document
    assert json.loads(json.dumps(stored)) == stored
    for language, wanted in (("en", stored["message"]), ("zh-hans", chinese)):
        with translation.override(language):
            assert remark_in_words(stored) == {"code": remark.code, "message": wanted}


def test_every_remark_is_told() -> None:
    assert {remark.code for remark, _chinese in REMARKS} == set(RemarkCode) == SENTENCES.keys()


def test_remarks_of_before_are_shown_as_they_are() -> None:
    with translation.override("zh-hans"):
        for stored in ({"code": "NOTE", "message": "100%s of before."}, {"code": "COLUMNS_GONE", "message": "Gone: A"}):
            assert remark_in_words(stored) == stored


def test_contradictions_are_translated() -> None:
    with translation.override("zh-hans"):
        told = [translation.gettext(f"its values are no {kind}") for kind in Kind]
    assert all(words.startswith("其值不是") for words in told)
