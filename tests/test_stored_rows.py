"""A stored row is typed from its original cells and its context alone, exactly as the sync that loaded it did."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl
import pytest

from datasync.fields import Domain
from datasync.ingest.pipeline import ingest
from datasync.ingest.plan import CellProblem, NumberFormat, Plan, ShopOf
from datasync.ingest.prepare import Preparer, batches, context
from datasync.ingest.prepare.original import original_rows
from datasync.ingest.prepare.stored import stored_cells
from datasync.models import FACT_MODELS, CatalogFile, HeaderSet, Platform
from datasync.reasons import Reason
from tests.sheets import COLLECTED, ListSheet, Row, make_plan, prepare

SHOPS = {"PH": ShopOf(7, "PHP", "Asia/Manila"), "BR": ShopOf(8, "BRL", "America/Sao_Paulo")}
DAY = "2026-03-02 10:00:00"
ODD = 'Ana "\\n" \\\t\n\x01 ","\u200b中文'


@dataclass(frozen=True)
class Case:
    """A sheet, how it is read, and how many of its rows cannot be trusted."""

    plan: Plan
    rows: Sequence[Row]
    refused: int = 0
    numbers: Mapping[str, Sequence[bool]] = field(default_factory=dict)
    problems: tuple[CellProblem, ...] = ()

    def sheet(self, size: int) -> ListSheet:
        header = [column.header for column in self.plan.columns]
        return ListSheet(header, self.rows, size=size, problems=self.problems, numbers=self.numbers)


def merged_orders(*, every: bool) -> Case:
    fields = ("order_id", "sku", "ordered_at", "buyer_name", "order_status", "profit", "")
    plan = make_plan(Domain.ORDERS, fields, identity=("order_id", "sku"), required=("order_id",), ordinal=True)
    below = zip(("S2", "S2", "S3", "", "S2"), ("paid", None, "", "-", ODD), strict=True)
    rows: list[Row] = [
        ("A1", "S1", DAY, ODD, "paid", "30", ODD),
        *((None, sku, None, None, status, "30", "-") for sku, status in below),
        ("A2", "S1", "31/02/2026", "Bob", None, "7", None),
        (None, "S2", None, None, None, "7", None),
        ("A2", "S3", DAY, "Bob", None, "7", None),
        ("A1", "S1", DAY, "Ana", None, "30", None),
        (" A3 ", "S1", DAY, None, "paid", "1", None),
        ("A4", "S1", DAY, "Cy", "paid", "1", None),
        (None, "S2", None, None, None, "#REF!", None),
    ]  # fmt: skip
    return Case(replace(plan, totals_on_every_line=every), rows, refused=3)


def comma_numbers() -> Case:
    plan = make_plan(Domain.ORDERS, ("order_id", "unit_price", "quantity", "order_amount"), identity=("order_id",))
    columns = [replace(column, number_format=NumberFormat.COMMA) for column in plan.columns]
    rows = [("A1", "3.125", "1", "5"), ("A2", "3.125", "2", "1.5"), ("A3", "7", "3", None), ("A4", "1,5", "4", "2.5")]
    numbers = {"c1": [True, False, True, False], "c2": [True] * 4, "c3": [True, True, False, True]}
    return Case(replace(plan, columns=tuple(columns)), rows, numbers=numbers)


def labelled_shops() -> Case:
    plan = make_plan(Domain.ORDERS, ("order_id", "shop_label", "ordered_at"), identity=("order_id",), shop_id=None,
                     ordinal=True, shops=SHOPS, currency="")  # fmt: skip
    rows = [("A1", "PH", DAY), ("A2", "BR", DAY), ("A2", None, None), ("A3", "?", DAY), ("A4", "BR", "2026-03-05")]
    return Case(plan, rows, refused=1)


def traffic() -> Case:
    plan = make_plan(Domain.ANALYTICS, ("metric_date", "visitors"), identity=("metric_date",), granularity="weekly")
    days = ("01/03/2026 - 07/03/2026", "08/03/2026", "2026-03-09", "46090", "03/04/2026", "13/03/2026 10:00")
    return Case(plan, [(day, str(at)) for at, day in enumerate(days)])


def month_to_date() -> Case:
    plan = make_plan(Domain.PRODUCTS, ("product_id", "page_views"), identity=("product_id", "period_start"),
                     granularity="monthly", period_end=date(2026, 3, 17))  # fmt: skip
    return Case(plan, [("1E3", "1,200"), ("2.7984946015E10", "7"), ("00123", ""), ("1.5", "x")], refused=1)


def entries() -> Case:
    fields = ("settlement_id", "order_id", "amount", "posted_at")
    plan = make_plan(Domain.FINANCE, fields, identity=("settlement_id", "order_id", "amount"), ordinal=True)
    rows = [("S1", "A1", "-1.50", "2026-03-02"), ("S1", "A1", "-1.50", "2026-03-02"), ("S1", None, "2", None)]
    problem = CellProblem(3, 3, Reason.CELL_ERROR, "#N/A")
    return Case(plan, [*rows, *rows, ("S1", "A1", "?", None)], refused=2, problems=(problem,))


CASES = {
    "merged": merged_orders(every=False),
    "totals on every line": merged_orders(every=True),
    "comma": comma_numbers(),
    "shops": labelled_shops(),
    "traffic": traffic(),
    "month to date": month_to_date(),
    "finance": entries(),
}
ALL = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
SIZES = pytest.mark.parametrize("size", [1000, 3, 1])


def loaded(case: Case, size: int) -> pl.DataFrame:
    """What a sync loads of the sheet, without what it numbers by the way."""
    parts = list(Preparer(case.plan).parts(case.sheet(size)))
    assert sum(len(part.rejected) for part in parts) == case.refused
    return pl.concat(part.rows for part in parts)


def kept(rows: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Loaded rows as the database gives them back."""
    cells = stored_cells(rows["raw"], width=len(plan.columns))
    ordinals = rows["line_ordinal"] if plan.ordinal else pl.Series([None], dtype=pl.Int64).new_from_index(0, len(rows))
    return cells.with_columns(rows["sheet_row"].alias("row"), rows["context"], ordinals.alias("line_ordinal"))


def again(plan: Plan, rows: pl.DataFrame, *, at_once: int, fill: bool) -> pl.DataFrame:
    """The stored rows typed again, some at once."""
    preparer = Preparer(plan)
    settled = [column.position for column in plan.columns if column.fill_down] if fill else []
    parts = [
        preparer.prepare_stored(part, fill=fill, settled=settled) for part in kept(rows, plan).iter_slices(at_once)
    ]
    assert not any(part.rejected for part in parts)
    return pl.concat(part.rows for part in parts).drop("at", "identity")


@ALL
@SIZES
@pytest.mark.parametrize("at_once", [1000, 4, 1])
@pytest.mark.parametrize("fill", [True, False])
def test_stored_rows_have_the_same_key_content_and_values_again(
    case: Case, size: int, at_once: int, fill: bool
) -> None:
    rows = loaded(case, size)
    typed = again(case.plan, rows, at_once=at_once, fill=fill)
    assert typed.drop("context").equals(rows.drop("context"))


@ALL
@pytest.mark.parametrize("seed", range(3))
def test_any_of_the_rows_do_alone_and_in_any_order(case: Case, seed: int) -> None:
    rows = loaded(case, 1000)
    chosen = random.Random(seed).sample(range(len(rows)), k=max(1, len(rows) // 2))
    some = rows[chosen]
    assert again(case.plan, some, at_once=2, fill=False).drop("context").equals(some.drop("context"))


def test_a_long_order_over_two_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_LONGEST", 2)
    case = CASES["totals on every line"]
    rows = loaded(case, 2)
    assert again(case.plan, rows, at_once=3, fill=True).drop("context").equals(rows.drop("context"))


@pytest.mark.django_db(transaction=True)
@ALL
def test_rows_as_the_database_gives_them_back(case: Case) -> None:
    Platform.objects.create(code="shopee", name="Shopee")
    file = CatalogFile.objects.create(root="r", storage_name="1.csv", original_name="x", size=1, modified_at=COLLECTED,
                                      sha256="1", content_sha256="")  # fmt: skip
    header = HeaderSet.objects.create(digest="d", headers=[column.header for column in case.plan.columns])
    plan = replace(case.plan, file_id=file.pk, header_set_id=header.pk)
    ingest(sheet=case.sheet(3), plan=plan, item_id=None, template_id=None, allow_quarantine=True,
           before_commit=lambda result: None)  # fmt: skip
    columns = ["record_key", "content_hash", "sheet_row", "raw", "context"]
    columns += ["line_ordinal"] if plan.ordinal else []
    facts = FACT_MODELS[plan.scope.domain]._default_manager.order_by("sheet_row").values(*columns)
    stored = [fact | {name: fact[name].hex for name in ("record_key", "content_hash")} for fact in facts]
    assert stored
    rows = pl.DataFrame(stored, schema_overrides={"context": pl.String, "sheet_row": pl.UInt32})
    typed = again(plan, rows, at_once=4, fill=True)
    same = [column for column in columns if column != "context"]
    assert typed.select(same).equals(rows.select(same))


def test_hostile_texts_survive_being_stored() -> None:
    texts = ['","', '"', "\\", '\\",\\"', '["a"]', "\\u0000", "\x01\x1f", "\t\r\n", "\u2028", "😀", "null", "\\\\"]
    for width in (1, 2, 5):
        names = [f"c{position}" for position in range(width)]
        rows = [[texts[(at + position) % len(texts)] for position in range(width)] for at in range(len(texts))]
        cells = pl.DataFrame(
            [*rows, [None] * width, [""] * width], schema=dict.fromkeys(names, pl.String), orient="row"
        )
        back = stored_cells(original_rows(cells, names), width=width)
        assert back.rows() == [*map(tuple, rows), (None,) * width, (None,) * width]


def contexts(case: Case) -> dict[int, str | None]:
    return dict(loaded(case, 1000).select("sheet_row", "context").rows())


def test_what_contexts_say() -> None:
    assert contexts(CASES["comma"]) == {2: '{"n":[1,2,3]}', 3: '{"n":[2,3]}', 4: '{"n":[2,3]}', 5: '{"n":[2,3]}'}
    every = contexts(CASES["totals on every line"])
    filled = ODD.replace("\u200b", "").replace("\\", "\\\\").replace('"', '\\"')
    filled = filled.replace("\t", "\\t").replace("\n", "\\n").replace("\x01", "\\u0001")
    assert every[2] is None
    assert every[3] == f'{{"f":{{"0":"A1","2":"{DAY}","3":"{filled}"}},"l":1}}'
    assert set(contexts(CASES["month to date"]).values()) == {None}


def test_a_refused_line_keeps_its_number_where_its_identity_can_be_trusted() -> None:
    case = CASES["finance"]
    refused = prepare(case.plan, case.rows, problems=case.problems).rejected
    first, second = ((row.row, context.line_of(row.context)) for row in refused)
    rows = loaded(case, 1000)
    assert second == (8, None)
    assert first[0] == 3
    assert first[1] is not None
    ordinal, identity = first[1]
    again = Preparer(case.plan).prepare_stored(kept(rows, case.plan)[:1], fill=False).rows
    assert (ordinal, identity) == (2, again["identity"][0])
    key = Preparer(case.plan).keys.renumbered(again, pl.Series([3]))["record_key"][0]
    assert key == rows.filter(pl.col("sheet_row") == 5)["record_key"][0]


def test_corrections_are_texts_of_their_own() -> None:
    said = '{"n":[1,3],"f":{"0":"A1","2":"x"},"l":1,"o":2,"i":"ab"}'
    assert context.corrected(said, [0, 1]) == '{"n":[3],"f":{"2":"x"},"l":1,"o":2,"i":"ab"}'
    assert context.corrected('{"n":[1]}', [1]) is None
    assert context.as_later_line(None) == '{"l":1}'
    assert context.line_of(said) == (2, "ab")


def test_a_row_is_refused_for_what_the_reader_saw_and_nobody_put_right() -> None:
    case = CASES["traffic"]
    stored = kept(loaded(case, 1000), case.plan)
    problem = CellProblem(3, 1, Reason.CELL_ERROR, "#N/A")
    prepared = Preparer(case.plan).prepare_stored(stored, fill=False, problems=(problem,))
    assert [(row.at, row.row, row.reasons) for row in prepared.rejected] == [
        (0, 3, (("visitors", "CELL_ERROR", "#N/A"),))
    ]
    assert len(prepared.rows) == len(stored) - 1


def test_columns_that_are_filled_down_only_now_are_filled() -> None:
    case = CASES["merged"]
    old = replace(case.plan, columns=tuple(replace(column, field=None) if column.field == "buyer_name" else column
                                           for column in case.plan.columns))  # fmt: skip
    rows = pl.concat(part.rows for part in Preparer(old).parts(case.sheet(1000)))
    typed = Preparer(case.plan).prepare_stored(kept(rows, old), fill=True).rows
    assert typed["buyer_name"].to_list() == loaded(case, 1000)["buyer_name"].to_list()
    assert typed["content_hash"].to_list() == loaded(case, 1000)["content_hash"].to_list()
