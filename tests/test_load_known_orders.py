"""A batch asks for stored orders together with its keys, and a first load does not ask at all."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from django.db import connection

from datasync.ingest.load import loader_for
from datasync.ingest.load.loader import Stored
from datasync.ingest.load.orders import Asked, EmptyScopes
from datasync.ingest.load.postgresql import PostgresqlLoader
from datasync.ingest.load.sqlite import SqliteLoader
from datasync.ingest.prepare import Preparer
from datasync.models import OrderLine
from tests.sheets import ListSheet
from tests.test_load_order_amounts import FIELDS, Desk, line

pytestmark = pytest.mark.django_db(transaction=True)
SG, MY = "11111111", "22222222"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked | None]:
    """What the loader of the session's database is asked besides the keys of each batch; a rehearsal asks it too."""
    found: list[Asked | None] = []
    kind = PostgresqlLoader if connection.vendor == "postgresql" else SqliteLoader
    classify = kind.classify

    def listening(loader: Any, rows: pl.DataFrame, what: Asked | None = None) -> Stored:
        found.append(what)
        return classify(loader, rows, what)

    monkeypatch.setattr(kind, "classify", listening)
    return found


def batch(*lines: tuple[str, str | None, str | None]) -> pl.DataFrame:
    """Lines by the scope of their key, their order and its profit."""
    keys = [scope + f"{at:024x}" for at, (scope, _, _) in enumerate(lines)]
    orders, profits = [order for _, order, _ in lines], [profit for _, _, profit in lines]
    columns = {"record_key": keys, "order_id": orders, "profit": profits}
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def test_a_first_load_asks_for_its_scope_and_then_for_nothing(asked: list[Asked | None]) -> None:
    desk = Desk()
    desk.sync(0, *(line("1", "50", order=f"A{number}") for number in range(4)), size=1)
    rehearsed, (first, *later) = asked[: len(asked) // 2], asked[len(asked) // 2 :]
    assert first is not None
    assert set(later) == {None}
    assert rehearsed == [first, *later]


def test_a_second_file_asks_for_the_orders_of_which_it_says_an_amount(asked: list[Asked | None]) -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"))
    asked.clear()
    desk.sync(1, line("1", "7", order="A2"), line("2", order="A2"), line("1", order="A3"))
    first = asked[0]
    assert first is not None
    assert (first.order_ids, first.amounts) == (("A2",), ("buyer_paid", "profit"))


def test_tables_without_amounts_of_orders_ask_for_nothing() -> None:
    assert EmptyScopes().ask(batch((SG, "A1", "5")), ()) is None


def test_a_scope_that_a_later_batch_brings_is_asked_for_then() -> None:
    empty = EmptyScopes()
    first = empty.ask(batch((SG, "A1", None)), ("profit",))
    assert first == Asked((SG,), (), ("profit",))
    empty.learn(first, ())
    assert empty.ask(batch((SG, "A2", "5")), ("profit",)) is None
    both = empty.ask(batch((SG, "A3", "5"), (MY, "A4", "5"), (MY, "A4", "5"), (MY, None, "5")), ("profit",))
    assert both == Asked((MY,), ("A4",), ("profit",))
    empty.learn(both, (MY,))
    assert empty.ask(batch((MY, "A5", "5")), ("profit",)) == Asked((MY,), ("A5",), ("profit",))


@pytest.mark.parametrize(("order", "amounts", "known"), [
    ("A1", ("profit",), True),
    ("A1", ("buyer_paid",), False),
    ("A9", ("profit",), False),
])  # fmt: skip
def test_what_is_stored_answers(order: str, amounts: tuple[str, ...], known: bool) -> None:
    desk = Desk()
    desk.sync(0, line("1", "50"))
    scope = OrderLine.objects.get().record_key.hex[:8]
    plan = desk.plan(1)
    (rows,) = (part.rows for part in Preparer(plan).parts(ListSheet(FIELDS, [line("2", "60", order=order)])))
    loader = loader_for(plan)
    with loader.transaction():
        loader.begin()
        stored = loader.classify(rows, Asked((scope, "ffffffff"), (order,), amounts))
        unheard = loader.classify(rows, Asked(("ffffffff", "00000000"), (order,), amounts))
    assert (stored.scopes, stored.orders, stored.frame.is_empty()) == (frozenset({scope}), known, True)
    assert (unheard.scopes, unheard.orders) == (frozenset(), False)
