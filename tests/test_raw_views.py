"""The views of original rows by header, and the role that reports may read them with."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from datasync.facts.columns import original_row
from datasync.models import FACT_MODELS, HeaderSet, OrderLine
from datasync.spreadsheets import unique_names
from tests.facts_support import file_of, make, make_shop
from tests.services import postgres_binaries

SCRIPT = Path(__file__).resolve().parent.parent / "deploy" / "postgresql" / "reader-role.sql"


def viewed(fact: Any) -> dict[str, Any]:
    """The row of a view, its object in the order of its keys."""
    view = connection.ops.quote_name(f"{fact._meta.db_table}_raw")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {view} WHERE record_key = %s", [fact.pk if _postgresql() else fact.pk.hex])
        names = [column.name if _postgresql() else column[0] for column in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True))
    row["raw"] = row["raw"] if isinstance(row["raw"], dict) else json.loads(row["raw"])
    return row


def _postgresql() -> bool:
    return connection.vendor == "postgresql"


@pytest.mark.django_db
@pytest.mark.parametrize("domain", FACT_MODELS)
def test_each_domain_has_a_view(domain: str) -> None:
    fact = make(FACT_MODELS[domain], file_of(make_shop("sg-9")))
    row = viewed(fact)
    assert list(row) == [
        "record_key", "platform_id", "shop_id", "granularity", "period_start", "file_last_id", "sheet_row",
        "collected_at", "raw",
    ]  # fmt: skip
    assert (row["platform_id"], row["shop_id"], row["sheet_row"]) == ("shopee", fact.shop_id, fact.sheet_row)
    assert list(row["raw"]) == ["Order ID", "Amount", "column 3", "Amount (2)"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("headers", "cells"),
    [
        (["A", "A", "A", "A (2)", "", " ", "column 5"], list("abcdefg")),
        (["A", "B"], ["1", "2", "3", "4"]),
        (["A", "B", "C"], ["1"]),
        (['say "x"', "a\nb", "漢", "%s {}"], ['"', "\n", "\\", "%"]),
        ([], []),
    ],
)
def test_no_cell_is_lost_and_all_doors_show_the_same(headers: list[str], cells: list[str]) -> None:
    header_set = HeaderSet.objects.create(digest=uuid.uuid4().hex, headers=headers)
    fact = make(OrderLine, header_set=header_set, raw=json.dumps(cells))
    shown = original_row(header_set.names, fact.raw)
    assert [cell for cell in shown.values() if cell is not None] == cells
    raw = viewed(fact)["raw"] or {}
    assert list(raw.items()) == list(shown.items())


@given(st.lists(st.sampled_from(["A", "A (2)", "A (3)", "", " ", "column 1", "column 2", "column 2 (2)"]), max_size=12))
def test_names_are_unique_and_first_ones_keep_theirs(headers: list[str]) -> None:
    names = unique_names(headers)
    assert len(set(names)) == len(names) == len(headers)
    for header in {header for header in headers if header.strip()}:
        assert header in names


@pytest.fixture
def reader(transactional_db: None) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the role that the script makes."""
    if not _postgresql():
        pytest.skip("SQLite has no roles")
    role = f"reader_{uuid.uuid4().hex[:8]}"
    run_script(role)
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"], port=settings["PORT"], dbname=settings["NAME"], user=role, autocommit=True
    ) as opened:
        yield opened
    with connection.cursor() as cursor:
        cursor.execute(f'DROP OWNED BY "{role}"')
        cursor.execute(f'DROP ROLE "{role}"')


def run_script(role: str, *options: str) -> None:
    psql("--variable", f"reader={role}", *options).check_returncode()


def psql(*options: str) -> subprocess.CompletedProcess[str]:
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    command = [str(postgres_binaries() / "psql"), url, "--no-psqlrc", "--quiet", *options, "--file", str(SCRIPT)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.django_db(transaction=True)
def test_without_a_role_the_script_fails_and_says_so() -> None:
    if not _postgresql():
        pytest.skip("SQLite has no roles")
    ended = psql()
    assert ended.returncode != 0
    assert "Name the role" in ended.stderr


def test_the_reader_reads_facts_views_platforms_and_shops(reader: psycopg.Connection[Any]) -> None:
    fact = make(OrderLine, file_of(make_shop("sg-9")), order_id="A")
    assert reader.execute("SELECT order_id FROM datasync_orderline").fetchall() == [("A",)]
    query = (
        "SELECT raw->>'Amount', shop.name "
        "FROM datasync_orderline_raw lines JOIN datasync_shop shop ON shop.id = lines.shop_id"
    )
    assert reader.execute(query).fetchall() == [("12.50", "Shop sg-9")]
    assert reader.execute("SELECT code FROM datasync_platform").fetchall() == [("shopee",)]
    for model in FACT_MODELS.values():
        reader.execute(f"SELECT * FROM {model._meta.db_table}_raw")
    assert fact.pk


def test_the_reader_sees_nothing_else(reader: psycopg.Connection[Any]) -> None:
    readable = {
        table for table in connection.introspection.table_names(include_views=True) if can_select(reader, table)
    }
    facts = {model._meta.db_table for model in FACT_MODELS.values()}
    assert readable == facts | {f"{table}_raw" for table in facts} | {"datasync_platform", "datasync_shop"}
    for table in ("auth_user", "erp_apitoken", "datasync_quarantinedrow", "datasync_catalogfile", "django_session"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"SELECT * FROM {table}")


def can_select(reader: psycopg.Connection[Any], table: str) -> bool:
    return bool(reader.execute("SELECT has_table_privilege(%s, 'SELECT')", [table]).fetchone()[0])  # type: ignore[index]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM datasync_orderline",
        "UPDATE datasync_shop SET name = 'x'",
        "INSERT INTO datasync_platform (code, name) VALUES ('x', 'x')",
        "TRUNCATE datasync_orderline",
        "DROP VIEW datasync_orderline_raw",
        "CREATE TABLE public.mine (id int)",
    ],
)
def test_the_reader_writes_nothing_even_when_it_asks_to(reader: psycopg.Connection[Any], statement: str) -> None:
    with pytest.raises((psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege)):
        reader.execute(statement)
    reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(statement)


def test_the_reader_is_stopped_in_time(reader: psycopg.Connection[Any]) -> None:
    shown = {name: reader.execute(f"SHOW {name}").fetchone()[0] for name in  # type: ignore[index]
             ("statement_timeout", "default_transaction_read_only")}  # fmt: skip
    assert shown == {"statement_timeout": "1min", "default_transaction_read_only": "on"}


def test_the_script_can_run_again_and_grants_quarantine_when_asked(reader: psycopg.Connection[Any]) -> None:
    role = reader.info.user
    run_script(role, "--variable", "quarantine=on")
    assert can_select(reader, "datasync_quarantinedrow")
    run_script(role)
    assert not can_select(reader, "datasync_quarantinedrow")
    assert can_select(reader, "datasync_orderline")
