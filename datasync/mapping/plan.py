"""From a matched header to the plan that the ingest follows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from datasync.exceptions import HeaderChanged
from datasync.fields import FIELDS
from datasync.ingest.plan import Column, Plan, Scope
from datasync.mapping.headers import header_currency, header_keys
from datasync.mapping.match import Match
from datasync.mapping.template import Template


def make_plan(
    match: Match, *, template: Template, info_header: Sequence[str], scope: Scope, file_id: int, header_set_id: int
) -> Plan:
    """The plan of one file. ``info_header`` is the header as the reader found it, one text for each column.

    Raises ``HeaderChanged`` when the match blocks the sync, or was made of another header than the reader found.
    """
    if not match.outcome.syncable:
        raise HeaderChanged(missing=", ".join(match.missing_required) or "a column that holds what it should")
    if header_keys(_trimmed(info_header)) != header_keys(_trimmed(match.header)):
        raise HeaderChanged(missing="the header that was matched; the file has another one now")
    columns = columns_of(match, template=template, header=info_header)
    return Plan(
        file_id=file_id,
        scope=scope,
        columns=columns,
        identity=template.identity,
        header_set_id=header_set_id,
        fingerprint=_fingerprint(template, columns),
        ordinal=template.ordinal,
        totals_on_every_line=template.totals_on_every_line,
        file_currency=_file_currency(columns, template),
    )


def columns_of(match: Match, *, template: Template, header: Sequence[str]) -> tuple[Column, ...]:
    """Every column of a header, bound to what the matched template says of it."""
    return tuple(_column(position, text, match=match, template=template) for position, text in enumerate(header))


def _file_currency(columns: Sequence[Column], template: Template) -> str:
    """The currency that every header of an amount names, but for amounts that have a field of their own in CNY."""
    fields = FIELDS[template.family.domain]
    named = {
        header_currency(column.header)
        for column in columns
        if column.field and fields[column.field].is_money and not column.field.endswith("_cny")
    }
    return named.pop() if len(named) == 1 else ""


def _column(position: int, header: str, *, match: Match, template: Template) -> Column:
    target = match.binding.get(position)
    if target is None or template.columns[target].field is None:
        return Column(position=position, header=header, format="")
    told = template.columns[target]
    field = FIELDS[template.family.domain][told.field or ""]
    return Column(
        position=position,
        header=header,
        field=field.name,
        kind=told.kind,
        format=told.format,
        required=told.required,
        fill_down=field.fill_down,
        order_level=field.order_level,
        number_format=template.number_format,
    )


def _fingerprint(template: Template, columns: Sequence[Column]) -> str:
    """A hash that changes whenever the same cells would give other values."""
    bound = [[column.position, column.field, header_currency(column.header)] for column in columns if column.field]
    text = json.dumps([template.fingerprint, bound], separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _trimmed(header: Sequence[str]) -> list[str]:
    """The header without nameless columns at its end, of which a reader may see more or fewer."""
    trimmed = list(header)
    while trimmed and not trimmed[-1].strip():
        trimmed.pop()
    return trimmed
