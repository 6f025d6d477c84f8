"""The globals of a workbook: its sheets, the number format of each style, its date system."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from core.engine.reading.workbooks.number_formats import (
    GENERAL,
    NumberFormat,
    format_of,
    number_format,
)
from core.engine.reading.workbooks.xlsx.package import Package, local


@dataclass(frozen=True)
class Sheet:
    """A worksheet: its name on the tab, the part that holds it, and whether a person sees it."""

    name: str
    part: str
    visible: bool


@dataclass(frozen=True)
class Book:
    """The workbook's own parts, read."""

    sheets: list[Sheet]
    from_1904: bool
    formats: list[NumberFormat]  # by style number
    strings_part: str | None


def read_book(package: Package) -> Book:
    """Reads everything but strings and cells; raises ``RefusedError``."""
    root = package.root(package.workbook)
    relations = _relations(package)
    tags = [tag for tag in root.iter() if local(tag.tag) == "sheet"]
    sheets = [_sheet(tag, relations) for tag in tags]
    properties = next((tag for tag in root.iter() if local(tag.tag) == "workbookPr"), None)
    flag = "" if properties is None else properties.get("date1904", "")
    styles = _target(relations, "/styles") or _beside(package, "styles.xml")
    strings = _target(relations, "/sharedStrings") or _beside(package, "sharedstrings.xml")
    return Book(
        sheets=[sheet for sheet in sheets if sheet is not None and package.has(sheet.part)],
        from_1904=flag.lower() in ("1", "true", "on"),
        formats=_formats(package.root(styles)) if styles and package.has(styles) else [],
        strings_part=strings if strings and package.has(strings) else None,
    )


Relations = dict[str, tuple[str, str]]
"""Kind and part, by id."""


def _relations(package: Package) -> Relations:
    folder, base = posixpath.split(package.workbook)
    name = posixpath.join(folder, "_rels", f"{base}.rels")
    if not package.has(name):
        return {}
    relations: Relations = {}
    for tag in package.root(name):
        target = tag.get("Target", "").replace("\\", "/")
        part = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        relations[tag.get("Id", "")] = tag.get("Type", ""), part
    return relations


def _sheet(tag: ElementTree.Element, relations: Relations) -> Sheet | None:
    """The sheet, None if it is a chart or a macro."""
    relation_id = next((v for k, v in tag.attrib.items() if local(k) == "id" and k != "id"), "")
    kind, part = relations.get(relation_id, ("", ""))
    if not kind.endswith("/worksheet"):
        return None
    return Sheet(tag.get("name", ""), part, tag.get("state", "visible") == "visible")


def _target(relations: Relations, kind: str) -> str | None:
    return next((part for name, part in relations.values() if name.endswith(kind)), None)


def _beside(package: Package, name: str) -> str:
    return posixpath.join(posixpath.dirname(package.workbook), name)


def _formats(root: ElementTree.Element) -> list[NumberFormat]:
    codes = {
        _number(tag.get("numFmtId")): tag.get("formatCode", GENERAL)
        for tag in root.iter()
        if local(tag.tag) == "numFmt"
    }
    return [format_of(_number(tag.get("numFmtId")), codes.get) for tag in _cell_styles(root)]


def _cell_styles(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for group in root.iter():
        if local(group.tag) == "cellXfs":
            yield from group


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


PLAIN = number_format(GENERAL)
"""The format of a cell without a style."""
