"""The profile of columns: types, empty share, range and examples over a file's first rows."""

from __future__ import annotations

import pytest

from datasync.catalog.profile import profile


def column(*values: str | None) -> dict[str, object]:
    return profile(["x"], [(value,) for value in values])[0]


@pytest.mark.parametrize(
    ("values", "kind", "least", "most"),
    [
        (("1", "1,203", "-5"), "integer", -5, 1203),
        (("1.50", "(12.50)", "¥ 3"), "decimal", -12.5, 3.0),
        (("5.4%", "12%"), "percent", 5.4, 12.0),
        (("2026-03-06 13:16:50", "2026-03-05 00:00"), "datetime", "2026-03-05 00:00", "2026-03-06 13:16:50"),
        (("2026-03-06", "2025-12-31"), "date", "2025-12-31", "2026-03-06"),
        (("23/09/2025", "01/10/2025"), "date", None, None),
        (("00123", "00124"), "text", "00123", "00124"),
        (("a", "1"), "text", "1", "a"),
        (("27984946015384573921",), "text", "27984946015384573921", "27984946015384573921"),
        (("-", None, "暂无数据", " "), "empty", None, None),
    ],
)
def test_types_and_ranges(values: tuple[str | None, ...], kind: str, least: object, most: object) -> None:
    found = column(*values)
    assert (found["type"], found["min"], found["max"]) == (kind, least, most)


def test_empty_share_distinct_values_and_examples() -> None:
    found = column("b", "a", "b", "-", None, "c", "d", "")
    assert (found["empty"], found["distinct"], found["examples"]) == (37.5, 4, ["b", "a", "c", "d"])


def test_ragged_rows_fill_up_and_long_texts_are_cut() -> None:
    first, second = profile(["x", "y"], [("1",), ("2", "z" * 500, "beyond the header")])
    assert (first["distinct"], second["empty"]) == (2, 50.0)
    assert len(str(second["examples"][0])) == 80


def test_without_rows_every_column_is_empty() -> None:
    assert [entry["type"] for entry in profile(["x", "x"], [])] == ["empty", "empty"]
    assert profile([], [("1",)]) == []
