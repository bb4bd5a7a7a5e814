"""The small XML parts of a workbook, read with expat; a part with a DTD is refused before anything is expanded."""

from __future__ import annotations

from typing import NamedTuple
from xml.parsers import expat

from datasync.exceptions import CorruptFile, UnsafeFile


class Element(NamedTuple):
    """A start tag: local names only, for writers choose their prefixes freely."""

    parent: str
    name: str
    attributes: dict[str, str]


def local_name(name: str) -> str:
    """``x:row`` → ``row``."""
    return name.rpartition(":")[2]


def refuse_doctype(*_: object) -> None:
    """Expat handler: no spreadsheet part has a document type, and entities can only do harm."""
    raise UnsafeFile(found="a document type definition inside the workbook")


def new_parser() -> expat.XMLParserType:
    """An expat parser that refuses document types."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.EntityDeclHandler = refuse_doctype
    parser.buffer_text = True
    return parser


def elements(data: bytes, *, part: str) -> list[Element]:
    """All start tags of a part in document order."""
    found: list[Element] = []
    path = [""]

    def start(name: str, attributes: dict[str, str]) -> None:
        name = local_name(name)
        found.append(Element(path[-1], name, {local_name(key): value for key, value in attributes.items()}))
        path.append(name)

    parser = new_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise CorruptFile(found=f"{part} is no valid XML ({error})") from error
    return found
