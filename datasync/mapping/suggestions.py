"""Suggested mappings of files that no template fits: found, kept with the file, published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import transaction

from datasync.access import Sight
from datasync.at_hand import at_hand, path_of
from datasync.choices import TemplateOrigin
from datasync.exceptions import NeedsDescription, NoTemplate, SyncError
from datasync.fields import Domain, Kind
from datasync.ingest.plan import NumberFormat, SheetHead
from datasync.mapping.choose import SAMPLE_ROWS, header_at
from datasync.mapping.drafts import new_version
from datasync.mapping.header_row import find_header_row
from datasync.mapping.publishing import publish
from datasync.mapping.rematch import recheck, waiting_files
from datasync.mapping.selectors import family_of_file, stored_for
from datasync.mapping.store import family_rows
from datasync.mapping.suggest import SuggestedColumn, Suggestion, suggest
from datasync.mapping.template import Family, Template, check_template
from datasync.mapping.versions import find_template, take_turns
from datasync.models import CatalogFile, HeaderTemplate
from datasync.spreadsheets import storable_document

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_SEARCHED_ROWS = 20


@dataclass(frozen=True, slots=True)
class SuggestedHeader:
    """A suggestion, the header that it is for, and where in the file that stands."""

    header: tuple[str, ...]
    header_row: int
    sheet: str
    suggestion: Suggestion

    def as_dict(self) -> dict[str, Any]:
        """It as JSON, for the catalogue and the API."""
        found = self.suggestion
        told = {
            "header_row": self.header_row,
            "sheet": self.sheet,
            "domain": found.domain.value,
            "domain_confidence": found.domain_confidence,
            "sure": found.sure,
            "identity": list(found.identity),
            "ordinal": found.ordinal,
            "number_format": found.number_format.value,
            "totals_on_every_line": found.totals_on_every_line,
            "notes": list(found.notes),
            "columns": [asdict(column) | {"kind": column.kind.value} for column in found.columns],
        }
        document: dict[str, Any] = storable_document(told)
        return document


def suggest_for_head(head: SheetHead, domain: str, platform: str, currency: str = "") -> SuggestedHeader | None:
    """The best mapping for the beginning of a sheet; None when no row of it can be a header.

    ``currency`` is that of the shop, where it is known.
    """
    row = find_header_row(head.rows)
    if row is None:
        row = _first_wide_row(head.rows)
    if row is None:
        return None
    header = header_at(head.rows, row=row)
    sample = head.rows[row + 1 : row + 1 + SAMPLE_ROWS]
    told = Domain(domain) if domain else None
    found = suggest(header, sample, domain=told, platform=platform or None, currency=currency)
    return SuggestedHeader(header, row, head.sheet, found)


def suggest_for_file(file: CatalogFile, *, save: bool = True) -> SuggestedHeader:
    """Suggest a mapping for a file as it is described now; raises ``NoTemplate`` when nothing in it can be a header."""
    from datasync.ingest.read import reader  # noqa: PLC0415 - brings polars along

    with at_hand(file):
        head = reader().head(path_of(file), rows=_SEARCHED_ROWS + SAMPLE_ROWS)
    found = suggest_for_head(head, file.domain, file.platform_id or "", file.shop.currency if file.shop else "")
    if found is None:
        raise NoTemplate
    if save:
        file.suggestion = found.as_dict()
        CatalogFile.objects.filter(pk=file.pk).update(suggestion=file.suggestion)
    return found


@transaction.atomic
def publish_suggestion(file: CatalogFile, *, sight: Sight, actor: AbstractBaseUser | None = None) -> HeaderTemplate:
    """Publish the mapping suggested for a file, as a variant of its own beside those of its family.

    Where a published template says the same already, that is returned and nothing is made: who asks twice, or asks for
    two files with one header, gets one template. Raises ``NeedsDescription`` while the family is not known,
    ``KeyColumnMissing`` when nothing identifies a row, and ``LimitedToShops``.
    """
    sight.require_everything()
    if file.platform_id is None:
        raise NeedsDescription
    take_turns([file.platform_id])
    file = CatalogFile.objects.select_for_update(of=("self",)).get(pk=file.pk)
    family = family_of_file(file)
    if family is None:
        raise NeedsDescription
    if not file.suggestion or file.suggestion.get("domain") != file.domain:
        suggest_for_file(file)
    template = suggested_template(file.suggestion, family=family, variant=_free_variant(family))
    for stored in stored_for(family):
        if stored.template == replace(template, variant=stored.template.variant, version=stored.template.version):
            recheck(waiting_files(file_ids=[file.pk]))
            return find_template(stored.id)
    return publish(new_version(template, origin=TemplateOrigin.SUGGESTED, actor=actor), actor=actor)


def hindrance(file: CatalogFile) -> SyncError | None:
    """Why the mapping suggested for a file cannot be published as it is; None where it can."""
    family = family_of_file(file)
    if family is None:
        return NeedsDescription()
    try:
        check_template(suggested_template(file.suggestion, family=family))
    except SyncError as error:
        return error
    return None


def suggested_template(document: dict[str, Any], *, family: Family, variant: str = "suggested") -> Template:
    """The template of a suggestion as it is kept with its file."""
    return to_suggestion(document).to_template(family, variant=variant, header_row=document["header_row"])


def to_suggestion(document: dict[str, Any]) -> Suggestion:
    """A suggestion as it is kept with its file, as a value again."""
    return Suggestion(
        domain=Domain(document["domain"]),
        domain_confidence=document["domain_confidence"],
        columns=tuple(SuggestedColumn(**{**column, "kind": Kind(column["kind"])}) for column in document["columns"]),
        identity=tuple(document["identity"]),
        ordinal=document["ordinal"],
        sure=document["sure"],
        number_format=NumberFormat(document["number_format"]),
        totals_on_every_line=document["totals_on_every_line"],
        notes=tuple(document["notes"]),
    )


def _free_variant(family: Family) -> str:
    taken = set(HeaderTemplate.objects.filter(**family_rows(family)).values_list("variant", flat=True))
    if not taken:
        return "default"
    number = 1
    while (name := f"suggested-{number}") in taken:
        number += 1
    return name


def _first_wide_row(rows: Sequence[Sequence[str]]) -> int | None:
    """The first row that is about as wide as the widest: a header in a language that no dictionary knows."""
    filled = [sum(1 for cell in row if cell.strip()) for row in rows[:_SEARCHED_ROWS]]
    widest = max(filled, default=0)
    return next((row for row, count in enumerate(filled) if count >= max(1, 0.6 * widest)), None)
