"""Clean rows: export them, count them, or see where one comes from."""

from __future__ import annotations

import os
import sys
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.access import EVERYTHING
from datasync.choices import DomainChoice, Granularity, SubDomain
from datasync.exceptions import InvalidRequest
from datasync.facts import selectors
from datasync.facts.columns import columns_of, document_of
from datasync.facts.export import Export, Stream, csv_stream, json_stream
from datasync.facts.filters import Filters
from datasync.facts.lineage import Lineage, Origin, lineage_of
from datasync.management.arguments import file_id, require_platform, require_shop
from datasync.management.base import ActionsCommand, Outcome
from datasync.management.progress import Counter, add_progress_option, progress_wanted
from datasync.management.tables import facts as lines_of
from datasync.management.tables import table

STREAMS = {"csv": csv_stream, "json": json_stream}


class Command(ActionsCommand):
    summary = gettext_lazy("Export or count clean rows, or show one with the files that it comes from.")

    def add_actions(self) -> None:
        """Declare the actions."""
        exported = self.add_action("export", self.export, _("write rows to a file or to standard output"))
        _add_filters(exported)
        exported.add_argument(
            "--format", choices=STREAMS, default="csv", help=_("csv, or json: one object a line (default %(default)s)")
        )
        exported.add_argument(
            "--output", required=True, metavar="FILE", help=_("the file to write; “-” for standard output")
        )
        exported.add_argument("--fields", default="", help=_("columns, with commas between them; by default all"))
        exported.add_argument(
            "--ordering", choices=selectors.ORDERINGS, help=_("by default as the database finds them")
        )
        exported.add_argument("--raw", action="store_true", help=_("the original row too, as an object by header"))
        exported.add_argument(
            "--bom", action="store_true", help=_("begin CSV with the mark that spreadsheets look for")
        )
        add_progress_option(exported)
        _add_filters(self.add_action("count", self.count, _("count rows")))
        shown = self.add_action("show", self.show, _("show one row, its original and where it comes from"))
        shown.add_argument("domain", choices=DomainChoice.values)
        shown.add_argument("key", help=_("its record key"))

    def export(self, options: dict[str, Any]) -> Outcome:
        """Write all rows that match; a file appears only when it is complete."""
        if options["bom"] and options["format"] != "csv":
            raise InvalidRequest(detail=_("Only CSV has a byte order mark."))
        export = Export(
            sight=EVERYTHING,
            domain=options["domain"],
            filters=_filters(options),
            fields=[name.strip() for name in options["fields"].split(",") if name.strip()],
            ordering=options["ordering"],
            raw=options["raw"],
            bom=options["bom"],
        )
        to_console = options["output"] == "-"
        if to_console and options["json"]:
            raise InvalidRequest(detail=_("--json needs --output FILE: standard output cannot hold both."))
        stream = STREAMS[options["format"]](export)
        try:
            if to_console:
                _write(stream, self.stdout_bytes, shown=progress_wanted(options))
                return Outcome(None)
            path = Path(options["output"])
            with _whole_file(path) as target:
                size = _write(stream, target, shown=progress_wanted(options))
        except BrokenPipeError:
            raise
        except OSError as error:
            raise InvalidRequest(detail=f"{options['output']}: {error.strerror}") from error
        finally:
            stream.close()
        written = {"path": str(path), "rows": stream.rows, "bytes": size}
        shown = {"path": path, "rows": f"{stream.rows:,}"}
        return Outcome(written, [_("%(rows)s rows written to %(path)s") % shown])

    @property
    def stdout_bytes(self) -> BinaryIO:
        """Standard output for bytes."""
        return sys.stdout.buffer

    def count(self, options: dict[str, Any]) -> Outcome:
        """How many rows match."""
        rows = selectors.count(options["domain"], _filters(options), sight=EVERYTHING)
        return Outcome({"domain": options["domain"], "rows": rows}, [_("%(rows)s rows") % {"rows": f"{rows:,}"}])

    def show(self, options: dict[str, Any]) -> Outcome:
        """One row."""
        fact = selectors.find(options["domain"], options["key"], sight=EVERYTHING)
        told = document_of(fact, columns_of(options["domain"]).values())
        lineage = lineage_of(fact, sight=EVERYTHING)
        document = {"fact": told, "raw": lineage.raw, "lineage": _lineage_document(lineage)}
        lines = [
            *lines_of((name, value) for name, value in told.items() if value not in {None, ""}),
            "",
            *table((_("original row"), ""), lineage.raw.items()),
            "",
            *table((_("where it comes from"), _("file"), _("row"), _("collected"), _("name")), _lineage_rows(lineage)),
        ]
        return Outcome(document, lines)


def _write(stream: Stream, target: BinaryIO, *, shown: bool) -> int:
    """Write the stream and say how far it is; the number of bytes."""
    counter, size = Counter(unit=_("rows"), shown=shown), 0
    try:
        for block in stream:
            target.write(block)
            size += len(block)
            counter.reached(stream.rows)
        target.flush()
    finally:
        counter.close()
    return size


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes its name only when it is complete and on disk; one of before stays until then."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as target:
        unfinished = Path(target.name)
        try:
            yield target  # type: ignore[misc]
            target.flush()
            os.fsync(target.fileno())
            unfinished.chmod(0o666 & ~_umask())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def _umask() -> int:
    """What the user keeps from others; it can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _add_filters(parser: CommandParser) -> None:
    parser.add_argument("domain", choices=DomainChoice.values)
    parser.add_argument("--platform", help=_("only of this platform"))
    parser.add_argument("--shop", help=_("only of this shop, by the platform's id of it"))
    parser.add_argument("--sub-domain", choices=SubDomain.values)
    parser.add_argument("--granularity", choices=Granularity.values)
    parser.add_argument("--period-from", type=_day, metavar="DATE", help=_("periods that begin on this day or later"))
    parser.add_argument("--period-to", type=_day, metavar="DATE", help=_("periods that begin on this day or earlier"))
    parser.add_argument("--collected-since", type=_moment, metavar="TIME", help=_("collected then or later"))
    parser.add_argument("--updated-since", type=_moment, metavar="TIME", help=_("inserted or changed then or later"))
    parser.add_argument("--file-id", type=file_id, help=_("only rows that this file wrote last"))
    parser.add_argument("--order-id", help=_("orders and finance"))
    parser.add_argument("--sku", help=_("orders, products, inventory and finance"))
    parser.add_argument("--product-id", help=_("orders, products and inventory"))


def _filters(options: dict[str, Any]) -> Filters:
    """What to look for; platforms and shops that do not exist are refused, instead of having no rows."""
    require_platform(options["platform"])
    require_shop(options["shop"], platform=options["platform"])
    return Filters(**{name: options[name] for name in Filters.__dataclass_fields__})


def _day(text: str) -> date:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError(_("“%(text)s” is no date such as 2026-03-05") % {"text": text})
    return found


def _moment(text: str) -> datetime:
    """A point in time; a day is its beginning, and what has no offset is UTC."""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    found = found or datetime.combine(_day(text), datetime.min.time())
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _lineage_document(lineage: Lineage) -> dict[str, Any]:
    released = lineage.released_from
    return {
        "first": _origin_document(lineage.first),
        "last": _origin_document(lineage.last),
        "released_from": released
        and {
            "id": released.pk,
            "file_id": released.file_id,
            "sheet_row": released.sheet_row,
            "outcome": released.outcome,
        },
        "confirmed_by": [
            {"file_id": one.file_id, "name": one.file.original_name, "collected_at": one.collected_at}
            for one in lineage.confirmed_by
        ],
    }


def _origin_document(origin: Origin) -> dict[str, Any]:
    file = origin.file
    return {
        "file_id": origin.file_id,
        "name": file and file.original_name,
        "state": file and file.state,
        "collected_at": file and file.collected_at,
        "sheet_row": origin.sheet_row,
        "content_changed": origin.content_changed,
    }


def _lineage_rows(lineage: Lineage) -> Iterable[tuple[Any, ...]]:
    for name, origin in ((_("first"), lineage.first), (_("last"), lineage.last)):
        file = origin.file
        remarks = [str(file.get_state_display())] if file else []
        remarks += [_("other content since")] if origin.content_changed else []
        told = (file.collected_at, f"{file.original_name} ({', '.join(remarks)})") if file else (None, "")
        yield name, str(origin.file_id), str(origin.sheet_row or ""), *told
    if released := lineage.released_from:
        yield (
            _("released"),
            str(released.file_id),
            str(released.sheet_row),
            released.decided_at,
            released.file.original_name,
        )
    for one in lineage.confirmed_by:
        yield _("confirmed"), str(one.file_id), "", one.collected_at, one.file.original_name
