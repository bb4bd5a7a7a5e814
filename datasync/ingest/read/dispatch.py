"""From a path to its sheet, whatever the format. Runs in the child only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from datasync.ingest.plan import FileFormat, ReadRequest, SheetHead, SheetInfo
from datasync.ingest.read.assemble import assemble, header_end, sheet_head
from datasync.ingest.read.delimited import read_delimited
from datasync.ingest.read.html_tables import read_html
from datasync.ingest.read.legacy import read_legacy
from datasync.ingest.read.package import Package
from datasync.ingest.read.raw import RawRows, RawSheet
from datasync.ingest.read.sniff import open_regular, sniff_open
from datasync.ingest.read.xlsx import read_xlsx

HEAD_BATCH_ROWS = 500


def read_head(request: ReadRequest, rows: int) -> SheetHead:
    """The beginning of a sheet."""
    with _opened(request, head=True) as sheet:
        return sheet_head(sheet, rows)


@contextmanager
def read_sheet(request: ReadRequest) -> Iterator[tuple[SheetInfo, Iterator[RawRows]]]:
    """A sheet's header and, while the file is open, its batches."""
    with _opened(request, head=False) as sheet:
        yield assemble(sheet, request)


@contextmanager
def _opened(request: ReadRequest, *, head: bool) -> Iterator[RawSheet]:
    with ExitStack() as stack:
        file = stack.enter_context(open_regular(request.path))
        form = sniff_open(file)
        batch_rows = HEAD_BATCH_ROWS if head else request.batch_rows
        match form:
            case FileFormat.XLSX:
                package = stack.enter_context(Package(file))
                yield read_xlsx(package, sheet=request.sheet, batch_rows=batch_rows)
            case FileFormat.CSV:
                yield read_delimited(
                    file,
                    name=request.path.stem,
                    expected_header=request.expected_header,
                    header_end=None if head else header_end(request),
                )
            case FileFormat.HTML:
                yield read_html(
                    file, sheet=request.sheet, expected_header=request.expected_header, batch_rows=batch_rows
                )
            case FileFormat.XLS | FileFormat.XLSB | FileFormat.ODS:
                yield read_legacy(file, form, sheet=request.sheet, batch_rows=batch_rows)
