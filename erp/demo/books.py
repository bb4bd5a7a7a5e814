"""Compare what a sync did with what is true about the generated files. No difference: the books balance."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet, Sum

from datasync.choices import FileState, QuarantineState
from datasync.ingest.plan import COUNT_NAMES
from datasync.models import FACT_MODELS, QuarantinedRow, SyncProgressTask, SyncTaskFile
from datasync.samples import Outcome, SampleFile, SampleSet

FILE_STATES = {
    Outcome.OK: FileState.INGESTED,
    Outcome.QUARANTINED: FileState.PARTIAL,
    Outcome.REFUSED: FileState.FAILED,
    Outcome.TEMPLATE_UPDATE_REQUIRED: FileState.TEMPLATE_UPDATE_REQUIRED,
    Outcome.NEEDS_DESCRIPTION: FileState.NEEDS_DESCRIPTION,
    Outcome.NO_TEMPLATE: FileState.PENDING,
}
"""The state in which a file of each outcome has to end."""

_KEPT = ("inserted", "updated", "unchanged", "stale")


def counts_of(row: SyncProgressTask | SyncTaskFile) -> dict[str, int]:
    """The books of a task or of one of its files, by name."""
    return {name: getattr(row, f"rows_{name}") for name in COUNT_NAMES}


def differences(samples: SampleSet, task: SyncProgressTask, *, repeated: bool) -> Iterator[str]:
    """Everything that does not fit, as sentences. A repeated sync must not have changed a row."""
    items = {item.file.storage_name: item for item in task.items.select_related("file")}
    truths = {file.path.relative_to(samples.folder).as_posix(): file for file in samples.files}
    for name in sorted(truths.keys() ^ items.keys()):
        yield f"{name}: {'was not synced' if name in truths else 'was not generated, but synced'}."
    for name in sorted(truths.keys() & items.keys()):
        yield from (f"{name}: {difference}" for difference in _of_file(truths[name], items[name]))
    yield from _of_task(task)
    yield from _of_tables(samples)
    changed = task.rows_inserted + task.rows_updated
    if repeated and changed:
        yield f"The same files were synced again, and {changed} rows were inserted or updated instead of none."


def _of_file(truth: SampleFile, item: SyncTaskFile) -> Iterator[str]:
    """Does one file end as it has to, with every row accounted for?"""
    wanted, counts = FILE_STATES[truth.outcome], counts_of(item)
    if item.file.state != wanted:
        code = f" ({item.error['code']})" if item.error else ""
        yield f"is {item.file.state}{code}, has to be {wanted}."
    elif truth.code and item.error.get("code") != truth.code:
        yield f"was refused with {item.error.get('code')}, has to be {truth.code}."
    if counts["read"] != sum(counts[name] for name in COUNT_NAMES if name != "read"):
        yield f"its books do not add up: {counts}."
    found = {
        "read": counts["read"],
        "good": sum(counts[name] for name in _KEPT),
        "quarantined": counts["quarantined"],
        "totals": counts["totals"],
        "duplicates": counts["duplicates"],
    }
    true = {
        "read": truth.rows_read,
        "good": truth.good,
        "quarantined": truth.quarantined,
        "totals": truth.totals,
        "duplicates": truth.duplicates,
    }
    wrong = [f"{name} {found[name]} instead of {number}" for name, number in true.items() if found[name] != number]
    if wrong:
        yield f"rows: {', '.join(wrong)}."
    open_rows = item.file.quarantined.filter(state=QuarantineState.OPEN).count()
    if open_rows != counts["quarantined"]:
        yield f"{open_rows} rows lie in quarantine, {counts['quarantined']} were counted."


def _of_task(task: SyncProgressTask) -> Iterator[str]:
    """Are the task's books the sum of its files' books?"""
    sums = task.items.aggregate(**{name: Sum(f"rows_{name}", default=0) for name in COUNT_NAMES})
    if sums != counts_of(task):
        yield f"The task counts {counts_of(task)}, its files {sums}."
    if task.items.count() != task.succeeded_files + task.failed_files + task.skipped_files:
        yield "The task did not account for every file."


def _of_tables(samples: SampleSet) -> Iterator[str]:
    """Do the tables hold exactly the distinct rows of all files?"""
    for domain, model in FACT_MODELS.items():
        stored, true = QuerySet(model).count(), samples.facts.get(domain, 0)
        if stored != true:
            yield f"{domain}: {stored} rows are stored instead of {true}."
    elsewhere = QuarantinedRow.objects.exclude(state=QuarantineState.OPEN).count()
    if elsewhere:
        yield f"{elsewhere} quarantined rows were decided although nobody looked at them."
