"""The generated samples hold what their books say, as other readers than the product's see them."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

import lxml.html
import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from datasync.exceptions import error_classes
from datasync.ingest.plan import FileFormat
from datasync.samples import Outcome, SampleFile, SampleSet, bench_orders, make_samples, unknown_exports
from datasync.samples.bench import BENCH_COLUMNS
from datasync.samples.headers import MIAOSHOU_SHOPEE

SIZE = 2_000


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> SampleSet:
    return make_samples(tmp_path_factory.mktemp("samples"), rows=SIZE)


def cells_of(file: SampleFile) -> list[list[str]]:
    """All rows of a file as text; the first cell of a span holds its value."""
    if file.format in {FileFormat.XLSX, FileFormat.XLS}:
        sheet = CalamineWorkbook.from_filelike(BytesIO(file.path.read_bytes())).get_sheet_by_index(0)
        return [[str(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    if file.format is FileFormat.HTML:
        table = lxml.html.fromstring(file.path.read_bytes())
        return [["".join(map(str, cell.itertext())) for cell in row.iter("td")] for row in table.iter("tr")]
    with file.path.open(encoding=file.encoding, newline="") as stream:
        return list(csv.reader(stream, delimiter=file.delimiter))


def readable(samples: SampleSet) -> list[SampleFile]:
    return [file for file in samples.files if file.rows_read]


def test_books_balance_and_come_near_the_size_asked_for(samples: SampleSet) -> None:
    assert all(file.balanced for file in samples.files)
    assert SIZE * 0.8 < samples.rows_read < SIZE * 1.5
    assert len(samples.files) >= 60
    assert len({file.path for file in samples.files}) == len(samples.files)


def test_files_hold_the_rows_of_their_books(samples: SampleSet) -> None:
    for file in readable(samples):
        rows = cells_of(file)[file.data_row :]
        assert sum(1 for row in rows if any(row)) == file.rows_read, file.path.name


def test_headers_stand_where_the_books_say(samples: SampleSet) -> None:
    known = {
        "A": "订单编号",
        "B": "订单编号",
        "C": "商品编号",
        "E": "SKU 订单数",
        "F": "跳出率",
        "H": "*单价\n（元）",
    }
    for file in readable(samples):
        if file.header_set in known:
            assert known[file.header_set] in cells_of(file)[file.header_row], file.path.name
    assert {0, 1, 2, 3, 7, 8} == {file.header_row for file in readable(samples)}


def test_bad_cells_stand_where_the_books_say(samples: SampleSet) -> None:
    found = 0
    for file in samples.by_outcome(Outcome.QUARANTINED):
        rows = cells_of(file)
        for bad in file.bad_cells:
            row = rows[bad.row - 1]
            if bad.header and not bad.value.startswith("#"):
                assert row[rows[file.header_row].index(bad.header)] == bad.value
            if not bad.header:
                assert len(row) != len(rows[file.header_row])
            found += 1
        assert file.quarantined == len({bad.row for bad in file.bad_cells})
    assert found >= 15


def test_every_header_set_and_outcome_is_there(samples: SampleSet) -> None:
    assert set("ABCDEFGHI") <= {file.header_set for file in samples.files}
    assert set(Outcome) - {Outcome.NO_TEMPLATE} == {file.outcome for file in samples.files}
    assert {file.code for file in samples.files if file.code} <= set(error_classes())
    assert {"gb18030", "utf-16"} <= {file.encoding for file in samples.files}


def test_bytes_lie_about_their_extension(samples: SampleSet) -> None:
    ole = [file for file in samples.files if file.path.read_bytes()[:4] == b"\xd0\xcf\x11\xe0"]
    assert {file.path.suffix for file in ole} == {".xls", ".xlsx"}
    assert {file.format for file in ole} == {FileFormat.XLS}
    html = [file for file in samples.files if file.path.read_bytes()[:5] == b"<html"]
    assert [file.path.suffix for file in html] == [".xls"]


def test_shopee_workbooks_lie_about_their_dimension(samples: SampleSet) -> None:
    file = next(
        file for file in samples.files if file.path.name.startswith("Order.all") and file.path.suffix == ".xlsx"
    )
    with zipfile.ZipFile(file.path) as archive:
        assert b'<dimension ref="A1"/>' in archive.read("xl/worksheets/sheet1.xml")[:1000]
        assert archive.infolist()[0].date_time[:3] == (1980, 0, 0)


def test_order_money_stands_on_first_lines_only(samples: SampleSet) -> None:
    file = next(file for file in samples.files if file.header_set == "A" and file.encoding == "gb18030")
    rows = cells_of(file)
    header = rows[file.header_row]
    body = rows[file.data_row : -file.totals]
    paid, order = header.index("买家支付"), header.index("订单编号")
    assert all(bool(row[paid]) == bool(row[order]) for row in body)
    assert any(not row[order] for row in body)
    assert sum(round(float(row[paid]) * 100) for row in body if row[paid]) == file.sums["买家支付"]
    assert float(rows[-1][paid]) == pytest.approx(file.sums["买家支付"] / 100)


def test_a_later_export_of_the_month_repeats_and_changes_rows(samples: SampleSet) -> None:
    first, second = (
        {tuple(row) for row in cells_of(file)[1:]}
        for file in samples.files
        if file.path.name in {"Order.all.20260101_20260110.xlsx", "Order.all.20260101_20260120.xlsx"}
    )
    assert first & second
    assert {row[0] for row in first} <= {row[0] for row in second}
    assert first - second


def test_equal_arguments_give_equal_bytes(samples: SampleSet, tmp_path: Path) -> None:
    again = make_samples(tmp_path, rows=SIZE)
    assert fingerprints(again) == fingerprints(samples)
    assert again.facts == samples.facts


def test_another_day_moves_the_periods(tmp_path: Path) -> None:
    made = make_samples(tmp_path, rows=100, today=date(2026, 3, 31))
    months = {file.period.first.month for file in made.files if file.period}
    assert months == {1, 2, 3}


def fingerprints(samples: SampleSet) -> dict[str, str]:
    return {
        str(path.relative_to(samples.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in samples.folder.rglob("*")
        if path.is_file()
    }


def test_progress_counts_files(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    made = make_samples(tmp_path, rows=100, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(made.files), len(made.files))
    assert [done for done, _ in told] == list(range(1, len(made.files) + 1))


def test_unknown_exports_hold_their_rows(tmp_path: Path) -> None:
    exports = unknown_exports(tmp_path, rows=50)
    assert [export.rows for export in exports] == [50] * 4
    for export in exports:
        if export.path.suffix == ".xlsx":
            sheet = CalamineWorkbook.from_path(export.path).get_sheet_by_index(0)
            lines = [[str(cell) for cell in row] for row in sheet.to_python()]
        else:
            delimiter = "\t" if export.path.suffix == ".txt" else ","
            lines = list(csv.reader(export.path.read_text("utf-8-sig").splitlines(), delimiter=delimiter))
        header, *body = lines
        assert len(body) == export.rows
        assert set(export.fields) <= set(header)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_bench_file_has_its_rows_and_changes_only_a_share(tmp_path: Path, suffix: str) -> None:
    plain = read_bench(bench_orders(tmp_path / f"plain{suffix}", 10_000))
    changed = read_bench(bench_orders(tmp_path / f"changed{suffix}", 10_000, changed_share=0.1))
    assert plain.shape == (10_000, 24)
    assert plain.columns == list(BENCH_COLUMNS)
    assert set(plain.columns) <= set(MIAOSHOU_SHOPEE)
    assert plain.select("订单编号", "平台SKU").n_unique() == 10_000
    assert (plain["销售数量"] != changed["销售数量"]).sum() == 1_000
    assert plain.drop("销售数量").equals(changed.drop("销售数量"))


def read_bench(path: Path) -> pl.DataFrame:
    if path.suffix == ".csv":
        return pl.read_csv(path, skip_rows=1, infer_schema=False)
    return pl.read_excel(path, read_options={"header_row": 1, "dtypes": "string"})
