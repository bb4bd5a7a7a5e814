"""``manage.py facts``: exports that are whole or not there, counts, and one row with its files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from datasync.facts import export
from datasync.facts.export import Block
from datasync.management.base import ConsoleError, Exit
from datasync.models import OrderLine
from tests.facts_support import file_of, make, make_shop, store, unsaved
from tests.programs import embedded, run

pytestmark = pytest.mark.django_db(transaction=True)


def called(*arguments: object) -> str:
    out = io.StringIO()
    call_command("facts", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_export_as_csv(tmp_path: Path) -> None:
    target = tmp_path / "orders.csv"
    file = file_of(make_shop("1"))
    store(unsaved(OrderLine, file, order_id=f"A{number}") for number in range(3))
    make(OrderLine, file_of(make_shop("2")), order_id="other")
    told = called("export", "orders", "--shop", 1, "--fields", "order_id,shop", "--bom", "--output", target)
    assert "3 rows written" in told
    rows = list(csv.DictReader(io.StringIO(target.read_text("utf-8-sig"))))
    assert sorted((row["order_id"], row["shop"]) for row in rows) == [("A0", "1"), ("A1", "1"), ("A2", "1")]
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]
    assert target.stat().st_mode & 0o777 == 0o666 & ~0o022


def test_export_as_lines_of_json_with_the_original_row(tmp_path: Path) -> None:
    target = tmp_path / "orders.json"
    make(OrderLine, order_id="A", unit_price="9.9")
    arguments = (
        "--format",
        "json",
        "--raw",
        "--fields",
        "order_id,unit_price",
        "--ordering=-period_start",
        "--json",
    )
    told = json.loads(called("export", "orders", "--output", target, *arguments))
    assert told == {"path": str(target), "rows": 1, "bytes": target.stat().st_size}
    row = json.loads(target.read_text("utf-8"))
    assert (row["order_id"], row["unit_price"]) == ("A", "9.9000")
    assert list(row["raw"]) == ["Order ID", "Amount", "column 3", "Amount (2)"]


def test_an_export_of_nothing_is_a_file_with_a_header(tmp_path: Path) -> None:
    target = tmp_path / "orders.csv"
    assert "0 rows" in called("export", "orders", "--fields", "sku", "--output", target)
    assert target.read_text() == "sku\n"


def test_an_export_that_breaks_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "orders.csv"
    target.write_text("of yesterday")

    def break_off(*_: Any, **__: Any) -> Iterator[Block]:
        yield Block(b"sku\n", 0)
        raise RuntimeError("gone")

    monkeypatch.setattr(export, "_blocks", break_off)
    with pytest.raises(RuntimeError, match="gone"):
        called("export", "orders", "--output", target)
    assert target.read_text() == "of yesterday"
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]


def test_count() -> None:
    store(unsaved(OrderLine, file_of(), sku=sku) for sku in ("S", "S", "T"))
    assert called("count", "orders", "--sku", "S").strip() == "2 rows"
    assert json.loads(called("count", "orders", "--json")) == {"domain": "orders", "rows": 3}


def test_filters_by_time() -> None:
    make(OrderLine)
    for name, value, rows in (
        ("period-from", "2026-03-05", 1), ("period-from", "2026-03-06", 0), ("period-to", "2026-03-04", 0),
        ("collected-since", "2026-03-06", 1), ("collected-since", "2026-03-06T13:16:51+08:00", 0),
        ("updated-since", "2026-03-06T05:16:50", 1),
    ):  # fmt: skip
        assert json.loads(called("count", "orders", f"--{name}", value, "--json"))["rows"] == rows, (name, value)


def test_show() -> None:
    fact = make(OrderLine, order_id="A1", product_name="\x1b[31msocks")
    told = called("show", "orders", fact.pk)
    assert "order_id" in told
    assert "Amount (2)" in told
    assert fact.file_last.original_name in told
    assert "\x1b" not in told
    document = json.loads(called("show", "orders", fact.pk.hex, "--json"))
    assert document["fact"]["order_id"] == "A1"
    assert document["lineage"]["last"] == {
        "file_id": fact.file_last_id, "name": fact.file_last.original_name, "state": "pending", "collected_at": None,
        "sheet_row": fact.sheet_row, "content_changed": False,
    }  # fmt: skip
    assert (document["lineage"]["released_from"], document["lineage"]["confirmed_by"]) == (None, [])


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "orders", "nonsense"),
        ("show", "orders", "0" * 32),
        ("count", "analytics", "--sku", "x"),
        ("count", "orders", "--platform", "nonsense"),
        ("count", "orders", "--shop", "nonsense"),
        ("export", "orders", "--output", "/nonexistent/x.csv"),
        ("export", "orders", "--output", "-", "--json"),
        ("export", "orders", "--output", "-", "--fields", "password"),
        ("export", "orders", "--output", "-", "--format", "json", "--bom"),
    ],
)
def test_what_is_wrong_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ConsoleError) as refused:
        called(*arguments)
    assert refused.value.returncode == Exit.USAGE
    assert refused.value.message


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nonsense", "0" * 32),
        ("count", "nonsense"),
        ("count", "orders", "--period-from", "yesterday"),
        ("count", "orders", "--collected-since", "2026-13-01"),
        ("count", "orders", "--order-id__gt", "1"),
        ("export", "orders"),
        ("export", "orders", "--output", "-", "--ordering", "sku"),
    ],
)
def test_what_cannot_be_understood_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        called(*arguments)


@pytest.mark.services
def test_in_a_shell(tmp_path: Path) -> None:
    environment = embedded(tmp_path)
    assert run(["migrate", "--verbosity=0"], environment=environment)[0] == Exit.OK
    code, output, errors = run(
        ["facts", "export", "orders", "--fields", "sku,shop", "--output", "-"], environment=environment
    )
    assert (code, output, errors) == (Exit.OK, "sku,shop\n", "")
    code, output, _errors = run(["facts", "show", "orders", "x", "--json"], environment=environment)
    assert (code, json.loads(output)["error"]["code"]) == (Exit.USAGE, "FACT_NOT_FOUND")
