"""Templates as JSON documents: the content of a template file, flat, for the API and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasync.mapping.template import Template, check_template
from datasync.mapping.template_file import build_template

FAMILY_NAMES = ("platform", "source_platform", "domain", "sub_domain", "granularity")
SETTING_NAMES = (
    "header_row",
    "header_rows",
    "data_row",
    "sheet",
    "number_format",
    "ordinal",
    "totals_on_every_line",
)
CONTENT_NAMES = (*FAMILY_NAMES, "variant", *SETTING_NAMES, "identity", "columns")


def to_document(template: Template) -> dict[str, Any]:
    """The content of a template; ``from_document`` makes an equal one of it, but for the version."""
    return {
        **{name: str(getattr(template.family, name)) for name in FAMILY_NAMES},
        "variant": template.variant,
        **{name: getattr(template, name) for name in SETTING_NAMES},
        "number_format": template.number_format.value,
        "identity": list(template.identity),
        "columns": [
            {
                "position": column.position,
                "header": column.header,
                "field": column.field,
                "kind": column.kind.value,
                "format": column.format,
                "required": column.required,
                "aliases": list(column.aliases),
            }
            for column in template.columns
        ],
    }


def from_document(document: Mapping[str, Any]) -> Template:
    """The template of a document, checked. What is left out has the default that it has in a template file.

    Columns stand in their order; raises ``InvalidTemplate`` or ``KeyColumnMissing`` naming what is wrong.
    """
    family = {name: document[name] for name in FAMILY_NAMES if name in document}
    settings = {name: document[name] for name in SETTING_NAMES if document.get(name) is not None}
    columns = [
        {name: value for name, value in column.items() if value is not None and name != "position"}
        for column in document["columns"]
    ]
    variant = {
        "variant": document.get("variant") or "default",
        **settings,
        "identity": document["identity"],
        "columns": columns,
    }
    granularity = str(family.get("granularity", ""))
    template = build_template(family, variant, granularity=granularity, where="template")
    check_template(template)
    return template
