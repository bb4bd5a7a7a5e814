"""English Shopee order exports, made line by line, on their whole way: catalogued, submitted, run, and looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from datasync.access import EVERYTHING
from datasync.catalog.services import catalogue_path
from datasync.models import CatalogFile, OrderLine, SyncProgressTask
from datasync.runs import services
from datasync.runs.turns import take_turn
from tests.hostile import parts, write_package

HEADER = [
    "Order ID", "Order Status", "Tracking Number*", "Order Creation Date", "Order Paid Time", "SKU Reference No.",
    "Variation Name", "Original Price", "Deal Price", "Quantity", "Total Amount", "Buyer Paid Shipping Fee",
    "Recipient",
]  # fmt: skip
NAME = "shopee_orders_daily_20260306_100000"
Write = Callable[[Path], None]


def line(order_id: str, **changed: str) -> list[str]:
    """A good line, but for what ``changed`` says: ``price``, ``date``, ``sku``, ``variation``, ``recipient``."""
    price, date = changed.get("price", "20.00"), changed.get("date", "2026-03-06 13:16")
    return [
        order_id, "Completed", "TN1", date, "2026-03-06 13:20", changed.get("sku", "S1"),
        changed.get("variation", "Red"), "25.00", price, "1", "20.00", "1.00", changed.get("recipient", "Ana"),
    ]  # fmt: skip


def text(lines: Iterable[list[str]], *, delimiter: str = ",", end: str = "\n") -> str:
    """A text file of these lines under the header."""
    return end.join(delimiter.join(cells) for cells in [HEADER, *lines]) + end


def row_xml(number: int, cells: Iterable[str], raw: Mapping[str, str] | None = None) -> str:
    """A row of texts; ``raw`` has the XML of whole cells by their header, with ``@`` for the cell's reference."""
    found = []
    for column, (header, cell) in enumerate(zip(HEADER, cells, strict=True)):
        place = f'r="{chr(65 + column)}{number}"'
        made = (raw or {}).get(header)
        found.append(made.replace("@", place) if made else f'<c {place} t="str"><v>{escape(cell)}</v></c>')
    return f'<row r="{number}">{"".join(found)}</row>'


def sheet_xml(lines: Iterable[list[str]], *, bad: Mapping[str, str] | None = None, first: int = 1) -> str:
    """Rows under the header; the last line but one has the cells of ``bad``."""
    rows = [HEADER, *lines]
    return "".join(
        row_xml(number, cells, bad if number == first + len(rows) - 2 else None)
        for number, cells in enumerate(rows, first)
    )


def write_sheet(rows: str, **options: str) -> Write:
    """A builder of a workbook with these rows."""
    return lambda path: write_package(path, parts(rows, **options))  # type: ignore[arg-type]


@dataclass
class End:
    """What became of a file."""

    file: CatalogFile
    task: SyncProgressTask
    orders: set[str] = field(default_factory=set)

    @property
    def reasons(self) -> dict[int, set[tuple[str, str]]]:
        """Quarantined row → its headers and codes."""
        return {
            row.sheet_row: {(reason["header"], reason["code"]) for reason in row.reasons}
            for row in self.file.quarantined.all()
        }


def run(file: CatalogFile) -> End:
    """Submit a catalogued file and do a worker's part of the work."""
    task = services.submit_single(file_id=file.pk, owner=None, sight=EVERYTHING)
    take_turn()
    task.refresh_from_db()
    file.refresh_from_db()
    return End(file, task, {row.order_id or "" for row in OrderLine.objects.filter(file_last=file)})


def shop_folder(root: Path, name: str = "shopee_ana_sg") -> Path:
    """The folder of a shop, whose name describes the files in it."""
    folder = root / "shopee" / name
    folder.mkdir(parents=True)
    return folder


def sync(path: Path, write: Write | bytes) -> End:
    """Write a file into a shop's folder and take it all the way."""
    if isinstance(write, bytes):
        path.write_bytes(write)
    else:
        write(path)
    return run(catalogue_path(path))
