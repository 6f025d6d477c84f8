"""The mapping: for each table of the old service where it goes, and how each column is read."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic import Field as PydanticField

from core.documents import Document, read_document
from core.user_errors import DocumentError

SHIPPED = Path(__file__).with_name("mapping.yaml")

Kind = Literal[
    "text",
    "integer",
    "decimal",
    "pounds",
    "date",
    "month",
    "moment",
    "boolean",
    "code",
    "authority",
    "values",
    "reference",
]
"""How a column is read. ``core.migration.transforms`` says what each accepts."""

Loops = Literal["kept", "refused"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""Names go into statements as they are, so they are plain."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Column(_Strict):
    """A column of the old service; ``into`` is ours, if it has one."""

    kind: Kind = PydanticField(alias="is")
    into: Name | None = None
    required: bool = True
    to: Name | None = None  # the table that a reference names
    loops: Loops | None = None  # of a reference to its own table
    assembled: bool = False  # the row referred to must have been put together
    codes: dict[str, str] = {}


class Table(_Strict):
    """A table of the old service."""

    title: str
    into: Name | None = None
    assembled: Name | None = None
    bulk: Name | None = None  # the reference whose rows are written together
    key: tuple[Name, ...] = ()
    adopt: bool = False
    after: tuple[Name, ...] = ()
    first: str | None = None
    then: str | None = None
    month: Name | None = None
    money: Name | None = None
    constants: dict[Name, str] = {}
    columns: dict[Name, Column]

    @property
    def references(self) -> dict[str, Column]:
        """The columns that name a row of another table, or of this one."""
        return {name: each for name, each in self.columns.items() if each.kind == "reference"}

    def self_reference(self, name: str) -> tuple[str, Column] | None:
        """The column that names a row of the same table, whose name is given."""
        found = [(column, each) for column, each in self.references.items() if each.to == name]
        return found[0] if found else None


class Mapping(_Strict):
    """All tables of the old service."""

    tables: dict[Name, Table]


@lru_cache(maxsize=1)
def shipped_mapping() -> Mapping:
    """The mapping that ships with the product."""
    return load_mapping(SHIPPED)


def load_mapping(path: Path) -> Mapping:
    """Reads a mapping; raises ``DocumentError`` with line and reason of every problem."""
    return mapping_from(read_document(path))


def mapping_from(document: Document) -> Mapping:
    """The mapping that a document describes, or ``DocumentError``."""
    try:
        mapping = Mapping.model_validate(document.data)
    except ValidationError as error:
        raise document.refused_by(error) from error
    found = [
        document.problem(("tables", table, *path), text)
        for table, each in mapping.tables.items()
        for path, text in _contradictions(mapping, table, each)
    ]
    if found:
        raise DocumentError(found)
    return mapping


def _contradictions(mapping: Mapping, name: str, table: Table) -> list[tuple[tuple[Any, ...], str]]:
    found: list[tuple[tuple[Any, ...], str]] = []
    for column, each in table.columns.items():
        path = ("columns", column)
        if each.kind == "reference" and each.to not in mapping.tables:
            found.append((path, f"refers to {each.to!r}, which is no table of the mapping"))
        if (each.to == name) != (each.loops is not None):
            found.append((path, "say `loops` for a reference to the same table, and only for one"))
        if (each.kind == "code") != bool(each.codes):
            found.append((path, "say `codes` for a code, and only for one"))
    if len([each for each in table.references.values() if each.to == name]) > 1:
        found.append((("columns",), "has two references to itself; one can be followed"))
    for other in table.after:
        if other not in mapping.tables:
            found.append((("after",), f"{other!r} is no table of the mapping"))
    for wanted in (table.month, table.money, table.bulk):
        if wanted not in (None, "id") and wanted not in table.columns:
            found.append(((), f"{wanted!r} is none of its columns"))
    return found
