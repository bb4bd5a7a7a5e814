"""Which files a remap concerns: those whose stored rows a sync would now read by the template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from datasync.choices import FILE_ACTIVE, ITEM_SUCCEEDED, TemplateState
from datasync.exceptions import TemplateNotInUse
from datasync.mapping.services import template_in_use
from datasync.mapping.store import family_of, family_rows
from datasync.mapping.versions import find_template
from datasync.models import FACT_MODELS, CatalogFile, Fact, HeaderTemplate, SyncTaskFile

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Concerned:
    """A file with rows to type again. ``busy``: something else is being done with it."""

    file_id: int
    content_sha256: str
    rows: int
    busy: bool


def published_template(template_id: int) -> HeaderTemplate:
    """The template; raises ``TemplateNotFound``, and ``TemplateNotInUse``."""
    template = find_template(template_id)
    if template.state != TemplateState.PUBLISHED:
        raise TemplateNotInUse(name=str(template), state=template.get_state_display())
    return template


def concerned(template: HeaderTemplate) -> Iterator[Concerned]:
    """The files whose rows the template would read, the oldest collection first.

    Deleted files whose rows were kept are among them, and files that are gone. A file with new content that was not
    synced yet is not: its rows are of content that the catalogue describes no more.
    """
    counts = _rows_by_file(template)
    for file in _candidates(template).iterator(chunk_size=_AT_ONCE):
        if file.pk in counts and template_in_use(file) == template.pk:
            yield Concerned(file.pk, file.content_sha256, counts[file.pk], busy=file.state in FILE_ACTIVE)


def _candidates(template: HeaderTemplate) -> QuerySet[CatalogFile]:
    """Files of the family that no other variant in use has read, and whose content is what was read."""
    done = SyncTaskFile.objects.filter(file=OuterRef("pk"), state__in=ITEM_SUCCEEDED).order_by("-pk")
    others = HeaderTemplate.objects.filter(state=TemplateState.PUBLISHED).exclude(pk=template.pk)
    files = CatalogFile.objects.filter(**family_rows(family_of(template)), removing="").exclude(template__in=others)
    return (
        files.annotate(read_sha256=Subquery(done.values("file_sha256")[:1]))
        .filter(Q(read_sha256=None) | Q(read_sha256=F("content_sha256")))
        .select_related("template")
        .defer("profile", "match", "suggestion")
        .order_by(F("collected_at").asc(nulls_first=True), "pk")
    )


def _rows_by_file(template: HeaderTemplate) -> dict[int, int]:
    """How many rows of each file have their turn: not those in a shop that the file does not belong to any more."""
    facts: QuerySet[Fact] = QuerySet(FACT_MODELS[template.domain])
    rows = facts.filter(
        file_last__in=_candidates(template).order_by().values("pk"),
        platform_id=template.platform_id,
        sub_domain=template.sub_domain,
        granularity=template.granularity,
    ).filter(Q(file_last__shop=None) | Q(file_last__shop=F("shop")))
    return dict(rows.order_by().values_list("file_last").annotate(rows=Count("pk")))
