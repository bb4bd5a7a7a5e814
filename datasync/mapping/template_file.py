"""Templates as data files that a person can read and edit.

A file has one ``[family]`` and one or more ``[[variants]]``. ``granularities`` (of the family, or of one variant)
makes one template for each. A variant may be ``based_on`` an earlier one of the file and then states only what
differs; ``rewrite`` replaces words in all headers. Kinds follow from the fields; ``formats`` gives the date formats by
kind, for columns that state none of their own.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from datasync.fields import FIELDS, Domain, Kind
from datasync.ingest.plan import NumberFormat
from datasync.mapping.template import (
    DATE_KINDS,
    Family,
    InvalidTemplate,
    Template,
    TemplateColumn,
    check_template,
)

BUILTIN = Path(__file__).parent / "builtin"
MOST_TEMPLATE_BYTES = 1024 * 1024
"""A template is a page or two of text."""

_FAMILY_KEYS: dict[str, type] = {
    **dict.fromkeys(("platform", "source_platform", "domain", "sub_domain", "granularity"), str),
    "granularities": list,
}
_SETTINGS: dict[str, type] = {
    "version": int,
    "header_row": int,
    "header_rows": int,
    "data_row": int,
    "sheet": str,
    "number_format": str,
    "ordinal": bool,
    "totals_on_every_line": bool,
}
_VARIANT_KEYS: dict[str, type] = {
    **_SETTINGS,
    **dict.fromkeys(("variant", "based_on"), str),
    **dict.fromkeys(("rewrite", "formats"), dict),
    **dict.fromkeys(("identity", "columns", "granularities"), list),
}
_COLUMN_KEYS: dict[str, type] = {
    **dict.fromkeys(("header", "field", "kind", "format"), str),
    "required": bool,
    "aliases": list,
}
_LARGEST = 2**31 - 1
"""The largest number that a template can need."""
_LONGEST_HEADER = 500
_HOLD_TABLES = "columns"
"""The one list that does not hold texts."""


def load_templates(path: Path) -> tuple[Template, ...]:
    """All templates of one data file; raises ``InvalidTemplate`` naming file, variant and column."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidTemplate(problems=f"{path.name}: cannot be read ({error.strerror})") from error
    return read_templates(content, where=path.name)


def read_templates(content: bytes, *, where: str) -> tuple[Template, ...]:
    """All templates of a data file's bytes, which have to be UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidTemplate(problems=f"{where}: cannot be read ({error})") from error
    return parse_templates(text, where=where)


def parse_templates(text: str, *, where: str = "template") -> tuple[Template, ...]:
    """All templates of a data file's text."""
    try:
        data = tomllib.loads(text)
    except ValueError as error:  # of TOML, and of numbers longer than Python reads
        raise InvalidTemplate(problems=f"{where}: {error}") from error
    except RecursionError as error:
        raise InvalidTemplate(problems=f"{where}: it is nested too deeply") from error
    family = _table(data.get("family"), where=f"{where}: [family]", known=_FAMILY_KEYS)
    variants = data.get("variants")
    if not isinstance(variants, list) or not variants:
        raise InvalidTemplate(problems=f"{where}: there is no [[variants]]")
    by_name: dict[str, dict[str, Any]] = {}
    templates: list[Template] = []
    for entry in variants:
        variant = _resolve(entry, by_name, where=where)
        place = f"{where}: variant {variant['variant']!r}"
        for granularity in _granularities(family, variant, where=place):
            template = build_template(family, variant, granularity=granularity, where=place)
            check_template(template, where=place)
            templates.append(template)
    _refuse_doubles(templates, where=where)
    return tuple(templates)


def builtin_templates() -> tuple[Template, ...]:
    """Every template that the product brings along."""
    return tuple(template for path in sorted(BUILTIN.glob("*.toml")) for template in load_templates(path))


def dump_template(template: Template) -> str:
    """The data file of one template; loading it gives an equal template."""
    family = template.family
    lines = ["[family]"]
    lines += _lines({"platform": family.platform, "source_platform": family.source_platform, "domain": family.domain})
    lines += _lines({"sub_domain": family.sub_domain} if family.sub_domain else {})
    lines += _lines({"granularities": [family.granularity]})
    lines += ["", "[[variants]]", *_lines({"variant": template.variant})]
    settings = {name: getattr(template, name) for name in _SETTINGS}
    lines += _lines({name: value for name, value in settings.items() if value is not None})
    lines += _lines({"identity": template.identity})
    lines += ["columns = [", *(f"  {_inline(column)}," for column in template.columns), "]", ""]
    return "\n".join(lines)


def _resolve(entry: object, by_name: dict[str, dict[str, Any]], *, where: str) -> dict[str, Any]:
    variant = _table(entry, where=f"{where}: [[variants]]", known=_VARIANT_KEYS)
    name = variant.setdefault("variant", "default")
    base = variant.pop("based_on", None)
    if base is not None:
        if base not in by_name:
            raise InvalidTemplate(problems=f"{where}: variant {name!r} is based on {base!r}, which is not above it")
        variant = {**by_name[base], **variant}
    rewrite = variant.pop("rewrite", {})
    columns = variant.get("columns")
    if columns is None:
        raise InvalidTemplate(problems=f"{where}: variant {name!r} has no columns")
    place = f"{where}: variant {name!r}, column"
    columns = [_table(c, where=f"{place} {i}", known=_COLUMN_KEYS) for i, c in enumerate(columns)]
    for column in columns:
        for old, new in rewrite.items():
            column["header"] = str(column.get("header", "")).replace(old, new)
            if len(column["header"]) > _LONGEST_HEADER:
                raise InvalidTemplate(problems=f"{where}: variant {name!r}: rewrite makes a header that is too long")
    variant["columns"] = columns
    by_name[name] = variant
    return variant


def build_template(family: dict[str, Any], variant: dict[str, Any], *, granularity: str, where: str) -> Template:
    """The template of one variant that states everything itself; its content is not checked yet."""
    try:
        domain = Domain(family.get("domain", ""))
    except ValueError:
        raise InvalidTemplate(problems=f"{where}: unknown domain {family.get('domain')!r}") from None
    settings = {name: variant[name] for name in _SETTINGS if name in variant}
    try:
        settings["number_format"] = NumberFormat(settings.get("number_format", NumberFormat.DOT))
    except ValueError:
        raise InvalidTemplate(problems=f"{where}: unknown number_format {settings['number_format']!r}") from None
    formats = variant.get("formats", {})
    return Template(
        family=Family(
            platform=str(family.get("platform", "")),
            source_platform=str(family.get("source_platform", family.get("platform", ""))),
            domain=domain,
            granularity=granularity,
            sub_domain=str(family.get("sub_domain", "")),
        ),
        columns=tuple(
            _column(index, column, domain=domain, formats=formats, where=f"{where}, column {index}")
            for index, column in enumerate(variant["columns"])
        ),
        identity=tuple(variant.get("identity", ())),
        variant=str(variant["variant"]),
        **settings,
    )


def _column(
    position: int, entry: dict[str, Any], *, domain: Domain, formats: Mapping[str, str], where: str
) -> TemplateColumn:
    header, name = entry.get("header"), entry.get("field") or None
    if header is None:
        raise InvalidTemplate(problems=f"{where}: it has no header")
    known = FIELDS[domain].get(name) if name else None
    try:
        kind = Kind(entry.get("kind", known.kind if known else Kind.TEXT))
    except ValueError:
        raise InvalidTemplate(problems=f"{where} ({header!r}): unknown kind {entry['kind']!r}") from None
    default = formats.get(kind, "auto") if name and kind in DATE_KINDS else ""
    return TemplateColumn(
        position=position,
        header=header,
        field=name,
        kind=kind,
        format=str(entry.get("format", default)),
        required=bool(entry.get("required", False)),
        aliases=tuple(entry.get("aliases", ())),
    )


def _granularities(family: dict[str, Any], variant: dict[str, Any], *, where: str) -> list[str]:
    stated = variant.get("granularities") or family.get("granularities") or [family.get("granularity", "")]
    if not stated:
        raise InvalidTemplate(problems=f"{where}: there is no granularity")
    return [str(granularity) for granularity in stated]


def _table(value: object, *, where: str, known: Mapping[str, type]) -> dict[str, Any]:
    """A table with known keys only, each of its type; lists and tables hold texts, but for the columns."""
    if not isinstance(value, dict):
        raise InvalidTemplate(problems=f"{where} is missing or not a table")
    unknown = sorted(set(value) - set(known))
    if unknown:
        raise InvalidTemplate(problems=f"{where}: unknown {', '.join(unknown)}")
    for name, given in value.items():
        if type(given) is not known[name]:
            kind = type(given).__name__
            raise InvalidTemplate(problems=f"{where}: {name} must be {known[name].__name__}, not {kind}")
        if isinstance(given, int) and abs(given) > _LARGEST:
            raise InvalidTemplate(problems=f"{where}: {name} is out of range")
        texts = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
        if name != _HOLD_TABLES and not all(isinstance(text, str) for text in texts):
            raise InvalidTemplate(problems=f"{where}: {name} must hold texts only")
    return dict(value)


def _refuse_doubles(templates: Iterable[Template], *, where: str) -> None:
    seen: set[tuple[str, int, str]] = set()
    for template in templates:
        key = (template.family.key, template.version, template.variant)
        if key in seen:
            raise InvalidTemplate(problems=f"{where}: {template.name} stands there twice")
        seen.add(key)


def _lines(values: Mapping[str, object]) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in values.items()]


def _inline(column: TemplateColumn) -> str:
    told: dict[str, object] = {"header": column.header}
    told |= {"field": column.field} if column.field else {}
    told |= {"kind": column.kind} if not column.field and column.kind is not Kind.TEXT else {}
    told |= {"format": column.format} if column.format else {}
    told |= {"required": True} if column.required else {}
    told |= {"aliases": column.aliases} if column.aliases else {}
    return f"{{ {', '.join(_lines(told))} }}"


def _value(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item) for item in value)}]"
    # A JSON string, number or boolean is also one of TOML, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
