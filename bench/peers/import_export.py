"""django-import-export in bulk, told that all rows are new, so that it looks none of them up."""

# mypy: disable-error-code="import-not-found,import-untyped,misc,no-any-unimported"

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import tablib

from bench.peers.columns import KEY, NAMES, TITLE_ROWS, typed_value
from bench.peers.django_table import order_model


def load(path: Path, database: str) -> float:
    """Seconds from the file to the stored rows."""
    model = order_model(database)
    resource = _resource(model)
    begun = time.perf_counter()
    with path.open("rb") as file:
        sheet = tablib.Dataset().load(file, format="xlsx", skip_lines=TITLE_ROWS)
    names = [NAMES[header] for header in sheet.headers]
    rows = ([typed_value(name, value) for name, value in zip(names, row, strict=True)] for row in sheet)
    result = resource.import_data(tablib.Dataset(*rows, headers=names), raise_errors=True)
    if result.has_errors():
        raise RuntimeError(result.totals)
    return time.perf_counter() - begun


def _resource(order: Any) -> Any:
    from import_export import resources  # noqa: PLC0415 - wants Django's settings

    class OrderResource(resources.ModelResource):
        class Meta:
            model = order
            import_id_fields = KEY
            fields = tuple(NAMES.values())
            use_bulk = True
            batch_size = 1_000
            force_init_instance = True
            skip_diff = True
            skip_html_diff = True

    return OrderResource()
