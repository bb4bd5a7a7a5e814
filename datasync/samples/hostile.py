"""Files that must not get in, and files that nobody described."""

from __future__ import annotations

from pathlib import Path

from datasync.samples.workbook import DECLARATION, MAIN, SHEET_PART, STRINGS_PART, open_workbook, part

_SHEET = (
    f'{DECLARATION}<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>'
    '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
    '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
)
_STRINGS = f'{DECLARATION}<sst xmlns="{MAIN}" count="1" uniqueCount="1"><si><t>Order ID</t></si></sst>'


def far_corner_workbook(path: Path) -> None:
    """A tiny valid workbook whose two cells span the whole sheet, so that a dense reader asks for 512 GiB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_workbook(path) as archive:
        archive.writestr(part(STRINGS_PART), _STRINGS)
        archive.writestr(part(SHEET_PART), _SHEET)


def undescribed_table(path: Path) -> None:
    """A table that neither its name nor its folder nor its content assigns to a platform or a domain."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("Spalte 1,Notiz,x\r\n1,bitte prüfen,\r\n2,,ok\r\n", encoding="utf-8", newline="")
