"""The mapping: where each table of the old service goes, and how each column is read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field as PydanticField
from pydantic import StringConstraints, ValidationError

from core.documents import Document, StrictModel, read_document
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
"""How a column is read. ``core.migration.reading.transforms`` says what each accepts."""

Loops = Literal["kept", "refused"]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""Names become part of SQL statements, so they are restricted to plain characters."""


class Column(StrictModel):
    """A column of the old service; ``into`` is our column, if there is one."""

    kind: Kind = PydanticField(alias="is")
    into: Name | None = None
    required: bool = True
    to: Name | None = None  # the table that a reference names
    loops: Loops | None = None  # of a reference to its own table
    assembled: bool = False  # the row referred to must have been assembled
    codes: dict[str, str] = PydanticField(default_factory=dict)
    same_as: dict[str, str] = PydanticField(
        default_factory=dict
    )  # the name there: the name of the same thing here


class Table(StrictModel):
    """A table of the old service."""

    title: str
    into: Name | None = None
    assembled: Name | None = None  # our table that holds what is assembled
    part_of: Name | None = None  # our table in which it is assembled with others
    written: Name | None = None  # our table to which all rows of a file or month are written
    bulk: Name | None = None  # the reference whose rows are written together
    key: tuple[Name, ...] = ()
    adopt: bool = False
    removed: bool = False
    after: tuple[Name, ...] = ()
    first: str | None = None
    check: str | None = None
    then: str | None = None
    month: Name | None = None
    money: Name | None = None
    constants: dict[Name, str] = PydanticField(default_factory=dict)
    columns: dict[Name, Column]

    @property
    def goes_to(self) -> str | None:
        """Our table that rows go to; None: they are only kept as they were sent."""
        return self.into or self.assembled or self.written or self.part_of

    @property
    def references(self) -> dict[str, Column]:
        """The columns that name a row of another table, or of this one."""
        return {name: each for name, each in self.columns.items() if each.kind == "reference"}

    def self_reference(self, name: str) -> tuple[str, Column] | None:
        """The column that refers to the same table ``name``, if there is one."""
        own = [(column, each) for column, each in self.references.items() if each.to == name]
        return own[0] if own else None


class Mapping(StrictModel):
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
    problems = [
        document.problem(("tables", name, *path), text)
        for name, table in mapping.tables.items()
        for path, text in _contradictions(mapping, name, table)
    ]
    if problems:
        raise DocumentError(problems)
    return mapping


def _contradictions(mapping: Mapping, name: str, table: Table) -> list[tuple[tuple[Any, ...], str]]:
    problems: list[tuple[tuple[Any, ...], str]] = [
        (("columns", column), text)
        for column, declared in table.columns.items()
        for text in _contradictions_of(mapping, name, declared)
    ]
    if len([each for each in table.references.values() if each.to == name]) > 1:
        problems.append((("columns",), "has two references to itself; one can be followed"))
    for earlier in table.after:
        if earlier not in mapping.tables:
            problems.append((("after",), f"{earlier!r} is no table of the mapping"))
    for column in (table.month, table.money, table.bulk):
        if column not in (None, "id") and column not in table.columns:
            problems.append(((), f"{column!r} is none of its columns"))
    return problems


def _contradictions_of(mapping: Mapping, table: str, column: Column) -> Iterator[str]:
    if column.kind == "reference" and column.to not in mapping.tables:
        yield f"refers to {column.to!r}, which is no table of the mapping"
    if (column.to == table) != (column.loops is not None):
        yield "say `loops` for a reference to the same table, and only for one"
    if (column.kind == "code") != bool(column.codes):
        yield "say `codes` for a code, and only for one"
    if len(set(column.same_as.values())) < len(column.same_as):
        yield "`same_as` names the same thing twice"
