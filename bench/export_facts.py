"""One export of all order lines as CSV to nowhere: ``python -m bench.export_facts stream|django``.

Prints its seconds, rows, and the peak of the process's memory in megabytes.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import sys
import time
from pathlib import Path

import django

django.setup()

from django.db import transaction  # noqa: E402 - the models exist only now

from datasync.access import EVERYTHING  # noqa: E402
from datasync.facts.export import Export, csv_stream  # noqa: E402
from datasync.facts.selectors import with_columns  # noqa: E402
from datasync.spreadsheets import escape  # noqa: E402

_EXPORT = Export(domain="orders", sight=EVERYTHING)


def stream() -> int:
    """The product's way."""
    found = csv_stream(_EXPORT)
    with Path(os.devnull).open("wb") as nowhere:
        nowhere.writelines(found)
    return found.rows


def django_rows() -> int:
    """A careful loop over Django's iterator: a server-side cursor, the same columns, the same rule for formulas."""
    written = 0
    columns = _EXPORT.columns
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, transaction.atomic():
        writer = csv.writer(nowhere)
        for row in with_columns(_EXPORT.rows, columns).iterator(chunk_size=2_000):
            values = (row[column.source] for column in columns)
            writer.writerow([escape(value) if isinstance(value, str) else value for value in values])
            written += 1
    return written


def main(how: str) -> None:
    """Export and tell."""
    begun = time.perf_counter()
    rows = stream() if how == "stream" else django_rows()
    took = time.perf_counter() - begun
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    sys.stdout.write(json.dumps({"seconds": took, "rows": rows, "megabytes": megabytes}))


if __name__ == "__main__":
    main(sys.argv[1])
