"""A data set as data: fields, code lists and checks (design/formats.md, data set specification).

Sexual health is the first specification, not a special case: no field is named in code.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator
from pydantic import Field as PydanticField

from core.documents import Document, read_document
from core.engine.dataset.cross_checks import CrossCheck, NotUnderstoodError, parse_conditions
from core.engine.dataset.spelling import listed_spelling
from core.user_errors import DocumentError, Problem

Role = Literal["clinic", "patient", "date", "residence", "provider"]
FieldType = Literal["text", "integer", "date", "code", "lsoa"]
KEY_ROLES: tuple[Role, ...] = ("clinic", "patient", "date")
"""The roles whose fields together name an episode."""


def heading_key(heading: str) -> str:
    """A heading without what does not count: case, white space, ``_``, ``-`` and ``.``."""
    return re.sub(r"[\s_.\-]+", "", heading).casefold()


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Field(_Strict):
    """One field of the data set; with ``repeat`` it is as many columns ``NAME 1`` … ``NAME n``."""

    name: str = PydanticField(min_length=1)
    aliases: tuple[str, ...] = ()
    role: Role | None = None
    type: FieldType = "text"
    required: bool = False
    max_length: int | None = PydanticField(default=None, ge=1)
    pattern: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    codes: str | None = None
    repeat: int | None = PydanticField(default=None, ge=1)
    on_conflict: Literal["overwrite", "union"] = "overwrite"
    transpose_from: tuple[str, ...] = ()

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.type == "code") != (self.codes is not None):
            raise ValueError("a field of type code names its code list in `codes`, others do not")
        if self.transpose_from and not self.repeat:
            raise ValueError("`transpose_from` needs `repeat`: codes of many rows fill many slots")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the standard layout that hold this field."""
        if self.repeat is None:
            return (self.name,)
        return tuple(f"{self.name} {slot}" for slot in range(1, self.repeat + 1))

    @property
    def headings(self) -> dict[str, tuple[str, ...]]:
        """The headings that each column goes by: its own first, then the aliases.

        A heading without a slot number is the first slot, unless it carries codes to transpose.
        """
        found: dict[str, tuple[str, ...]] = {}
        for slot, column in enumerate(self.columns, start=1):
            names = [column, *(a.replace("{n}", str(slot)) for a in self.aliases if "{n}" in a)]
            if slot == 1:
                names += [name for name in (self.name, *self.aliases) if "{n}" not in name]
            found[column] = tuple(names if self.repeat is None else self._with_slot(names))
        return found

    def _with_slot(self, names: list[str]) -> list[str]:
        carriers = {heading_key(name) for name in self.transpose_from}
        return [name for name in names if heading_key(name) not in carriers]


class Check(_Strict):
    """A check across fields: where ``when`` holds, ``expect`` must hold too."""

    name: str = PydanticField(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    severity: Literal["warning", "error"] = "warning"
    when: str
    expect: str
    message: str


class Specification(_Strict):
    """A data set specification, checked in itself."""

    dataset: str = PydanticField(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    version: str
    title: str
    fields: tuple[Field, ...] = PydanticField(min_length=1)
    code_lists: dict[str, dict[str, str]] = {}
    checks: tuple[Check, ...] = ()

    @cached_property
    def columns(self) -> dict[str, Field]:
        """Every column of the standard layout, in order, with its field."""
        return {column: field for field in self.fields for column in field.columns}

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    def with_role(self, role: Role) -> Field | None:
        """The field that plays ``role``, if the data set has one."""
        return next((field for field in self.fields if field.role == role), None)

    @cached_property
    def key_columns(self) -> tuple[str, ...]:
        """Clinic, patient and date: the columns that together name an episode."""
        fields = (self.with_role(role) for role in KEY_ROLES)
        return tuple(field.name for field in fields if field is not None)

    def known_headings(self) -> dict[str, str]:
        """Every heading that is understood, as ``heading_key``, and the column it names."""
        return {
            heading_key(heading): column
            for field in self.fields
            for column, headings in field.headings.items()
            for heading in reversed(headings)
        }

    @cached_property
    def cross_checks(self) -> tuple[CrossCheck, ...]:
        """The checks across fields, read; ``specification_from`` has refused what cannot be."""
        return tuple(
            CrossCheck(
                check.name,
                check.severity,
                check.message.replace("{", "{{").replace("}", "}}"),
                parse_conditions(check.when, self),
                parse_conditions(check.expect, self),
            )
            for check in self.checks
        )

    def listed(self, field: Field, code: str) -> str | None:
        """The stored spelling of one code of a field, None if its list does not have it."""
        if field.codes is None:
            return code
        codes = pa.array(self.codes_of(field), pa.string())
        found: str | None = listed_spelling(pa.array([code]), codes)[0].as_py()
        return found

    def codes_of(self, field: Field) -> dict[str, str]:
        """Code to label, for a field of type code."""
        return self.code_lists[field.codes] if field.codes else {}


def load_specification(path: Path) -> Specification:
    """Reads a specification; raises ``DocumentError`` with the line of every problem."""
    return specification_from(read_document(path))


def specification_from(document: Document) -> Specification:
    """The specification a document describes, or ``DocumentError``."""
    try:
        specification = Specification.model_validate(document.data)
    except ValidationError as error:
        raise document.refused_by(error) from error
    problems = list(_contradictions(specification, document))
    if problems:
        raise DocumentError(problems)
    return specification


def _contradictions(specification: Specification, document: Document) -> list[Problem]:
    """What pydantic cannot see: one field against another."""
    problems: list[Problem] = []
    names: dict[str, str] = {}
    roles: dict[str, str] = {}
    for index, field in enumerate(specification.fields):
        place = ("fields", index)
        for column in field.columns:
            if names.setdefault(column.casefold(), field.name) != field.name:
                problems.append(document.problem(place, f"two fields have the column {column!r}"))
        if field.role and roles.setdefault(field.role, field.name) != field.name:
            text = f"{field.name!r} and {roles[field.role]!r} both have the role {field.role!r}"
            problems.append(document.problem((*place, "role"), text))
        if field.codes and field.codes not in specification.code_lists:
            text = f"{field.name!r} names the code list {field.codes!r}, which is not there"
            problems.append(document.problem((*place, "codes"), text))
    for role in KEY_ROLES:
        if role not in roles:
            problems.append(document.problem(("fields",), f"no field has the role {role!r}"))
    if not problems:
        problems += _shared_headings(specification, document)
        problems += _unreadable_checks(specification, document)
    return problems


def _shared_headings(specification: Specification, document: Document) -> list[Problem]:
    """Headings that would name two columns: a file's column could be either."""
    problems: list[Problem] = []
    owners: dict[str, str] = {}
    for index, field in enumerate(specification.fields):
        for column, headings in field.headings.items():
            for key, heading in {heading_key(heading): heading for heading in headings}.items():
                owner = owners.setdefault(key, column)
                if owner != column:
                    text = f"the heading {heading!r} would name both {owner!r} and {column!r}"
                    problems.append(document.problem(("fields", index), text))
    return problems


def _unreadable_checks(specification: Specification, document: Document) -> list[Problem]:
    problems: list[Problem] = []
    for index, check in enumerate(specification.checks):
        for part in ("when", "expect"):
            try:
                parse_conditions(getattr(check, part), specification)
            except NotUnderstoodError as error:
                place = ("checks", index, part)
                problems.append(document.problem(place, f"{check.name}: {error}"))
    return problems
