"""Irregular quotation marks: the line that has them is named whole, and no neighbour is swallowed or lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasync.exceptions import UnclosedQuote
from tests.reading import read_whole

IRREGULAR = "WRONG_COLUMN_COUNT"


@pytest.mark.parametrize(
    ("lines", "good", "bad"),
    [
        (['B1,"Red,10', 'B2,"Blue,20', "B3,x,1"], [4], {2: 'B1,"Red,10', 3: 'B2,"Blue,20'}),
        (['"B1"x,Red,10', "B2,x,1"], [3], {2: '"B1"x,Red,10'}),
        (['"B1" ,Red,10', "B2,x,1"], [3], {2: '"B1" ,Red,10'}),
        (['B1,"say "hi"",1', 'B2,"x",1'], [3], {2: 'B1,"say "hi"",1'}),
        (['B1,"a "b" c', 'd",1', 'B2,"x",1'], [4], {2: 'B1,"a "b" c', 3: 'd",1'}),
        (['B1,"open,1', 'B2,"x",1', "B3,y,2"], [3, 4], {2: 'B1,"open,1'}),
        (['B1,"a"b,1', "", "B2,x,1"], [4], {2: 'B1,"a"b,1'}),
        (['B1,5" screen,1', 'B2,6" by 7",2'], [2, 3], {}),
        (['B1,"a\nb",1', 'B2,"c ""d""\n\ne",2'], [2, 3], {}),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_irregular_line_is_set_aside_alone(
    lines: list[str], good: list[int], bad: dict[int, str], end: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(end.join(["a,b,c", *lines, ""]).encode())
    whole = read_whole(path)
    assert {(problem.row, problem.reason.value, problem.value) for problem in whole.problems} == {
        (row, IRREGULAR, line) for row, line in bad.items()
    }
    assert [row[0] for row in whole.rows if row[0] not in bad] == good
    assert {row[0]: row[1] for row in whole.rows if row[0] in bad} == bad


def test_a_mark_that_is_never_closed_still_refuses_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n1,"x"y\n2,z\n3,"open\n4,z\n')
    with pytest.raises(UnclosedQuote) as caught:
        read_whole(path)
    assert caught.value.params == {"row": 4}


def test_an_irregular_line_far_down_a_large_file(tmp_path: Path) -> None:
    """Behind the first block, which the fast reader takes."""
    path = tmp_path / "a.csv"
    lines = [f'{number},"{"z" * 90}",1' for number in range(100_000)]
    lines[70_000] = '70000,"z,1'
    path.write_text("a,b,c\n" + "\n".join(lines) + "\n")
    whole = read_whole(path)
    assert whole.reasons == [(70_002, None, IRREGULAR)]
    assert [row[0] for row in whole.rows] == list(range(2, 100_002))
    assert whole.rows[70_001] == (70_003, "70001", "z" * 90, "1")


def test_an_irregular_line_above_the_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Report of "Ana"\n"My" shop\nnothing\na,b\n1,2\n')
    whole = read_whole(path, header_row=3)
    assert whole.info.header == ("a", "b")
    assert whole.rows == [(5, "1", "2")]
