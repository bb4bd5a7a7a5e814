"""Files become the items of a task in one statement, whether one or a hundred thousand.

The database copies what an item needs from the catalogue; the partial unique index ``item_one_active_per_file`` decides
alone whether a file is busy, whoever asks at once, and a busy file is left out. So is one that somebody deletes, or
moves out of sight, at the same moment: its row is locked, and judged as it is then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import F, Field, QuerySet, Window
from django.db.models.functions import RowNumber

from datasync.access import Sight
from datasync.choices import FileState, ItemState
from datasync.exceptions import NeedsDescription
from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile

_ORDER = ("collected_at", "id")
_FIELDS: dict[str, Field[Any, Any]] = {field.name: field for field in SyncTaskFile._meta.concrete_fields}
_FROM_THE_FILE = {
    "file": "f.id",
    "position": "wanted.position",
    "file_sha256": "f.content_sha256",
    "state_before": "f.state",
    "rows_expected": "NULLIF(CAST(f.rows ->> 'read' AS bigint), 0)",
}
_LOCKED = {"postgresql": "FOR NO KEY UPDATE OF f", "sqlite": ""}
_BY_IDS = {
    "postgresql": """
        SELECT ordinality - 1 AS position, CAST(value AS bigint) AS file_id
        FROM jsonb_array_elements_text(CAST(%s AS jsonb)) WITH ORDINALITY""",
    "sqlite": "SELECT key AS position, value AS file_id FROM json_each(%s)",
}


def take_chosen(task: SyncProgressTask, file_ids: Sequence[int], *, sight: Sight) -> int:
    """Make items of those of the files that may be loaded and are not busy, in the order given; how many they are.

    Those that wait for a description are done with at once; ``task``, not yet its row, says how many they are.
    """
    return _take(task, _BY_IDS[connection.vendor], [json.dumps(list(file_ids))], sight=sight)


def take_found(task: SyncProgressTask, files: QuerySet[CatalogFile], *, limit: int | None, sight: Sight) -> int:
    """The same of the first ``limit`` files, oldest collection first."""
    position = Window(RowNumber(), order_by=[F(name).asc() for name in _ORDER]) - 1
    wanted = files.order_by(*_ORDER).annotate(position=position, file_id=F("pk")).values("position", "file_id")
    return _take(task, *wanted[:limit].query.sql_with_params(), sight=sight)


def _take(task: SyncProgressTask, wanted: str, params: Sequence[Any], *, sight: Sight) -> int:
    undescribed = FileState.NEEDS_DESCRIPTION.value
    state = [undescribed, ItemState.SKIPPED.value, ItemState.QUEUED.value]
    nothing = _stored("error", {})
    error = [undescribed, nothing, nothing, _stored("error", NeedsDescription().document)]
    columns: dict[str, tuple[str, list[Any]]] = {
        **{name: (sql, []) for name, sql in _FROM_THE_FILE.items()},
        "state": ("CASE WHEN f.state = %s THEN %s ELSE %s END", state),
        "error": ("CASE WHEN f.state <> %s THEN %s WHEN f.last_error = %s THEN %s ELSE f.last_error END", error),
    }
    for field in _FIELDS.values():
        if field.name not in columns and not field.primary_key and not field.has_db_default():
            value = task.pk if field.name == "task" else field.get_default()
            columns[field.name] = ("%s", [_stored(field.name, value)])
    quoted = connection.ops.quote_name
    may_be_loaded, shops = _may_be_loaded(sight)
    names = ", ".join(quoted(_FIELDS[name].column or name) for name in columns)
    statement = f"""
        INSERT INTO {quoted(SyncTaskFile._meta.db_table)} ({names})
        SELECT {", ".join(sql for sql, _ in columns.values())}
        FROM ({wanted}) AS wanted
        JOIN {quoted(CatalogFile._meta.db_table)} f ON f.id = wanted.file_id
        WHERE f.state <> %s AND {may_be_loaded}
        ORDER BY f.id
        {_LOCKED[connection.vendor]}
        ON CONFLICT DO NOTHING
    """  # noqa: S608 - names of our own tables and columns only; in the order of ids, lest two batches lock each other
    with connection.cursor() as cursor:
        values = (value for _, values in columns.values() for value in values)
        cursor.execute(statement, [*values, *params, FileState.DELETED.value, *shops])
        taken: int = cursor.rowcount
    queued = SyncTaskFile.objects.filter(task=task, state=ItemState.QUEUED).values("file")
    task.skipped_files = taken - CatalogFile.objects.filter(pk__in=queued).update(state=FileState.QUEUED)
    return taken


def _may_be_loaded(sight: Sight) -> tuple[str, list[int]]:
    """What ``Sight.files_to_load`` asks, of the row that is locked: where that had to wait, it is another by then."""
    if sight.shop_ids is None:
        return "1 = 1", []
    if not sight.shop_ids:
        return "1 = 0", []
    return f"f.shop_id IN ({', '.join(['%s'] * len(sight.shop_ids))})", sorted(sight.shop_ids)


def _stored(name: str, value: Any) -> Any:
    """The value as the item's column of this name takes it."""
    return _FIELDS[name].get_db_prep_save(value, connection)
