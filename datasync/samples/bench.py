"""The file of the benchmarks: order lines in some of header set A's columns, written column-wise to be quick."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl

from datasync.samples import wording
from datasync.samples.shops import SHOPEE_SG
from datasync.samples.workbook import DECLARATION, MAIN, SHEET_PART, STRINGS_PART, open_workbook, part

TITLE = "妙手ERP订单导出"
BENCH_COLUMNS = (
    "订单编号",
    "下单时间",
    "平台SKU",
    "订单状态",
    "销售数量",
    "店铺",
    "订单原始金额(RMB)",
    "订单原始金额",
    "利润(RMB)",
    "利润",
    "买家支付(RMB)",
    "买家支付",
    "产品ID",
    "SKU ID",
    "平台产品标题",
    "规格",
    "商品名称",
    "售后状态",
    "出库仓库",
    "付款时间",
    "发货时间",
    "预估回款金额(RMB)",
    "产品原价",
    "包裹号",
)
"""Header of the file, those of the identity and of the core fields first; all are in header set A."""
_PERIOD_START = datetime(2026, 1, 1)  # noqa: DTZ001 - exports write the shop's local time without a zone
_PERIOD_SECONDS = 31 * 86_400 - 7_200
_ROWS_AT_ONCE = 50_000
_EXPONENT = 10_000


def bench_orders(
    path: Path,
    rows: int,
    columns: int = 24,
    changed_share: float = 0.0,
    seed: int = 20260101,
    *,
    first: int = 0,
    total: int | None = None,
) -> Path:
    """Write ``rows`` order lines to an .xlsx or .csv file with a title row and the header in row 1, as header set A.

    Every tenth line is the second of its order, which bears no order-level money; (order, sku) is unique. A file with
    a ``changed_share`` differs from one with 0.0 in the quantity of that share of its rows and in nothing else.
    ``first`` and ``total`` write the lines from there on of a set of so many, so that several files share no key.
    """
    frame = _frame(rows, changed_share=changed_share, seed=seed, first=first, of_rows=total or rows)
    frame = frame.select(frame.columns[:columns])
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        with path.open("wb") as file:
            file.write((TITLE + "," * (frame.width - 1) + "\n").encode())
            frame.write_csv(file)
    else:
        _write_xlsx(path, frame)
    return path


def bench_shop_orders(path: Path, rows: int, *, first: int) -> Path:
    """Write ``rows`` orders of one shop to an .xlsx or .csv file, as the marketplace itself exports them in English.

    The shop is that of the folder. Files of other ``first`` numbers share no key with it.
    """
    line = pl.col("line")
    price = (line * 137 % 19_000 + 199) / 100
    at = (pl.lit(_PERIOD_START) + pl.duration(minutes=line % 40_000)).dt.strftime("%Y-%m-%d %H:%M")
    frame = pl.select(pl.int_range(first, first + rows).alias("line")).select(
        pl.format("26D{}", line.cast(pl.String).str.zfill(10)).alias("Order ID"),
        pl.lit("Completed").alias("Order Status"),
        pl.format("TN{}", line).alias("Tracking Number*"),
        at.alias("Order Creation Date"),
        at.alias("Order Paid Time"),
        pl.format("LM-{}", line % 4_999).alias("SKU Reference No."),
        pl.lit("Red").alias("Variation Name"),
        *(price.round(2).alias(name) for name in ("Original Price", "Deal Price")),
        pl.lit(1).alias("Quantity"),
        price.round(2).alias("Total Amount"),
        pl.lit(1.0).alias("Buyer Paid Shipping Fee"),
        pl.lit("Ana").alias("Recipient"),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_excel(path)
    return path


def _frame(rows: int, *, changed_share: float, seed: int, first: int, of_rows: int) -> pl.DataFrame:
    line = pl.col("line")
    second = line % 10 == 9
    order = line - second.cast(pl.Int64)
    good = (line * 31 + seed) % 4999 + 1
    ordered = pl.lit(_PERIOD_START) + pl.duration(seconds=order * _PERIOD_SECONDS // max(of_rows, 1))
    price = (good * 137 % 19_000 + 199) / 100
    quantity = line % 3 + 1
    total = (price * quantity * 1.25).round(2)
    changed = line * 2_654_435_761 % _EXPONENT < round(changed_share * _EXPONENT)
    profit = total * 0.18

    def money(amount: pl.Expr) -> pl.Expr:
        return pl.when(~second).then(amount.round(2))

    titles = [chinese for chinese, _, _ in wording.GOODS]
    english = [name for _, name, _ in wording.GOODS]
    values = (
        pl.format("{}D{}", ordered.dt.strftime("%y%m%d"), order.cast(pl.String).str.zfill(8)),
        ordered.dt.strftime("%Y-%m-%d %H:%M:%S"),
        pl.format("LM-{}", good.cast(pl.String).str.zfill(6)),
        _pick(order, wording.ORDER_STATUSES),
        (quantity + changed.cast(pl.Int64)),
        pl.lit(SHOPEE_SG.aliases[0]),
        money(total * 5.42),
        money(total),
        money(profit * 5.42),
        money(profit),
        money(total * 0.95 * 5.42),
        money(total * 0.95),
        (27_984_940_000 + good).cast(pl.String),
        (184_400_000_000 + good).cast(pl.String),
        _pick(good, english),
        _pick(good, wording.VARIATIONS),
        _pick(good, titles),
        _pick(order, wording.AFTER_SALE),
        _pick(good, ("义乌仓", "深圳仓", "海外仓")),
        (ordered + pl.duration(minutes=order % 25 + 1)).dt.strftime("%Y-%m-%d %H:%M:%S"),
        (ordered + pl.duration(hours=order % 40 + 3)).dt.strftime("%Y-%m-%d %H:%M:%S"),
        money(total * 0.82 * 5.42),
        price.round(2),
        pl.format("PK{}", order.cast(pl.String).str.zfill(10)),
    )
    named = [value.alias(name) for name, value in zip(BENCH_COLUMNS, values, strict=True)]
    return pl.select(pl.int_range(first, first + rows).alias("line")).select(named)


def _pick(index: pl.Expr, words: list[str] | tuple[str, ...]) -> pl.Expr:
    """One of a few words for each row; "" becomes an empty cell."""
    values = pl.Series([word or None for word in words], dtype=pl.String)
    return pl.lit(values, allow_object=False).gather(index % len(words))


def _write_xlsx(path: Path, frame: pl.DataFrame) -> None:
    """A workbook as Excel itself would save it: shared strings for text, numbers as numbers."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    table = pl.concat(
        [pl.Series("text", [TITLE, *frame.columns]), *(frame[name].alias("text").drop_nulls() for name in texts)]
    )
    table = table.unique(maintain_order=True)
    numbered = pl.DataFrame({"text": table}).with_row_index("number")
    indexed = frame.with_columns(
        frame.select(name)
        .join(numbered, left_on=name, right_on="text", how="left", maintain_order="left")["number"]
        .alias(name)
        for name in texts
    )
    with open_workbook(path, level=1) as archive:
        with archive.open(part(STRINGS_PART), "w", force_zip64=True) as strings:
            strings.write(f'{DECLARATION}<sst xmlns="{MAIN}" uniqueCount="{len(table)}">'.encode())
            strings.write("".join(f"<si><t>{escape(text)}</t></si>" for text in table).encode())
            strings.write(b"</sst>")
        with archive.open(part(SHEET_PART), "w", force_zip64=True) as sheet:
            sheet.write(f'{DECLARATION}<worksheet xmlns="{MAIN}"><sheetData>'.encode())
            sheet.write(b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>')
            names = (f'<c r="{chr(65 + i)}2" t="s"><v>{i + 1}</v></c>' for i in range(frame.width))
            sheet.write(f'<row r="2">{"".join(names)}</row>'.encode())
            for start in range(0, frame.height, _ROWS_AT_ONCE):
                lines = _row_texts(indexed.slice(start, _ROWS_AT_ONCE), texts, first_row=start + 3)
                sheet.write("".join(lines).encode())
            sheet.write(b"</sheetData></worksheet>")


def _row_texts(frame: pl.DataFrame, texts: list[str], *, first_row: int) -> pl.Series:
    row = (pl.int_range(pl.len()) + first_row).cast(pl.String)
    cells = [
        pl.concat_str(
            pl.lit(f'<c r="{chr(65 + index)}'),
            row,
            pl.lit('" t="s"><v>' if name in texts else '"><v>'),
            pl.col(name).cast(pl.String),
            pl.lit("</v></c>"),
        ).fill_null("")
        for index, name in enumerate(frame.columns)
    ]
    return frame.select(pl.concat_str(pl.lit('<row r="'), row, pl.lit('">'), *cells, pl.lit("</row>")).alias("row"))[
        "row"
    ]
