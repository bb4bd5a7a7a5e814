"""An xlsx workbook's directory: its sheets, its date system and what its styles say about numbers."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from datasync.exceptions import CorruptFile
from datasync.ingest.read.cell_kinds import CellKind
from datasync.ingest.read.package import Package
from datasync.ingest.read.xml_parts import Element, elements

# ECMA-376 part 1, 18.8.30: number formats that a file need not spell out; 27–36 and 50–58 are East Asian dates
DATE_IDS = frozenset({14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 55, 56, 57, 58})
TIME_IDS = frozenset({18, 19, 20, 21, 32, 33, 34, 35, 45, 47})
DATETIME_ID = 22
DURATION_ID = 46
PERCENT_IDS = frozenset({9, 10})
NOT_FORMAT_TOKENS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
NULL_STYLE: tuple[CellKind, ...] = (CellKind.NUMBER,)


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet of the workbook."""

    name: str
    part: str
    visible: bool
    has_cells: bool  # False for charts and dialogs


@dataclass(frozen=True, slots=True)
class Workbook:
    """``number_kinds[s]`` is what a number cell of style ``s`` shows."""

    sheets: tuple[SheetPart, ...]
    date_1904: bool
    number_kinds: tuple[CellKind, ...]
    strings_part: str | None


def read_workbook(package: Package) -> Workbook:
    """Read the workbook part, its relations and its styles."""
    main = _main_part(package)
    folder = posixpath.dirname(main)
    relations = _relations(package, main)
    sheets: list[SheetPart] = []
    date_1904 = False
    for element in elements(package.read(main), part=main):
        if element.name == "workbookPr":
            date_1904 = element.attributes.get("date1904", "0") in ("1", "true", "on")
        elif element.name == "sheet" and element.parent == "sheets":
            sheets.append(_sheet(element, relations, folder))
    if not sheets:
        raise CorruptFile(found="the workbook names no sheet")
    return Workbook(
        sheets=tuple(sheets),
        date_1904=date_1904,
        number_kinds=_number_kinds(package, _of_type(relations, "styles", folder)),
        strings_part=_of_type(relations, "sharedStrings", folder),
    )


def _main_part(package: Package) -> str:
    if "_rels/.rels" in package:
        for element in elements(package.read("_rels/.rels"), part="_rels/.rels"):
            if element.attributes.get("Type", "").endswith("/officeDocument"):
                return element.attributes.get("Target", "").lstrip("/")
    return "xl/workbook.xml"


def _relations(package: Package, main: str) -> dict[str, tuple[str, str]]:
    """Relation id → (type, target); external targets are left out, and so never fetched."""
    folder, name = posixpath.split(main)
    part = posixpath.join(folder, "_rels", name + ".rels")
    if part not in package:
        return {}
    return {
        element.attributes["Id"]: (element.attributes.get("Type", ""), element.attributes.get("Target", ""))
        for element in elements(package.read(part), part=part)
        if "Id" in element.attributes and element.attributes.get("TargetMode") != "External"
    }


def _resolve(target: str, folder: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _of_type(relations: dict[str, tuple[str, str]], kind: str, folder: str) -> str | None:
    return next((_resolve(target, folder) for type_, target in relations.values() if type_.endswith("/" + kind)), None)


def _sheet(element: Element, relations: dict[str, tuple[str, str]], folder: str) -> SheetPart:
    type_, target = relations.get(element.attributes.get("id", ""), ("", ""))
    return SheetPart(
        name=element.attributes.get("name", ""),
        part=_resolve(target, folder) if target else "",
        visible=element.attributes.get("state", "visible") == "visible",
        has_cells=bool(target) and type_.endswith("/worksheet"),
    )


def _number_kinds(package: Package, part: str | None) -> tuple[CellKind, ...]:
    if part is None or part not in package:
        return NULL_STYLE
    codes: dict[int, str] = {}
    kinds: list[CellKind] = []
    for element in elements(package.read(part), part=part):
        if element.name == "numFmt" and element.parent == "numFmts":
            codes[_number(element, "numFmtId")] = element.attributes.get("formatCode", "")
        elif element.name == "xf" and element.parent == "cellXfs":
            kinds.append(_format_kind(_number(element, "numFmtId"), codes))
    return tuple(kinds) or NULL_STYLE


def _number(element: Element, name: str) -> int:
    value = element.attributes.get(name, "0")
    return int(value) if value.isdecimal() and len(value) < 10 else 0


def _format_kind(number: int, codes: dict[int, str]) -> CellKind:
    if number in codes:
        return format_code_kind(codes[number])
    if number in DATE_IDS:
        return CellKind.DATE
    if number == DATETIME_ID:
        return CellKind.DATETIME
    if number in TIME_IDS:
        return CellKind.TIME
    if number in PERCENT_IDS:
        return CellKind.PERCENT
    return CellKind.DURATION if number == DURATION_ID else CellKind.NUMBER


def format_code_kind(code: str) -> CellKind:
    """What a custom number format shows, judged by the letters of its first section."""
    plain = NOT_FORMAT_TOKENS.sub("", code).split(";")[0].lower()
    if "[" in plain:
        return CellKind.DURATION
    if "general" in plain:
        return CellKind.NUMBER
    day, time = "y" in plain or "d" in plain, "h" in plain or "s" in plain
    if day:
        return CellKind.DATETIME if time else CellKind.DATE
    if time:
        return CellKind.TIME
    if "m" in plain:
        return CellKind.DATE
    return CellKind.PERCENT if "%" in plain else CellKind.NUMBER
