"""A data set as data: fields, code lists and checks (docs/formats.md, data set specification).

Sexual health is the first specification, not a special case: no field is named in code.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import BeforeValidator, ValidationError
from pydantic import Field as PydanticField

from core.documents import Document, StrictModel, parse_document, read_document
from core.engine.dataset.cross_checks import CrossCheck, NotUnderstoodError, parse_conditions
from core.engine.dataset.fields import KEY_ROLES, Field, Role, heading_key, query_name
from core.engine.dataset.layouts import FileLayout, alike, layout_problems
from core.engine.dataset.maps import CodeMap, map_problems, target_list
from core.engine.dataset.snomed import is_snomed
from core.engine.dataset.spelling import listed_spelling
from core.user_errors import DocumentError, Problem

OWN_COLUMNS = ("row", "file", "file_id", "chunk", "bucket", "in_error", "records", "run_id")
SYSTEM_COLUMNS = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
TECHNICAL = frozenset((*OWN_COLUMNS, *SYSTEM_COLUMNS))
"""Columns that stand beside the fields of a record, here or in the database."""
LONGEST_NAME = 60
"""Bytes of a column's name: PostgreSQL keeps 63, and some are given a suffix."""
MOST_COLUMNS = 1500
"""PostgreSQL keeps at most 1,600 columns in a table."""


class Check(StrictModel):
    """A check across fields: where ``when`` holds, ``expect`` must hold too."""

    name: str = PydanticField(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    severity: Literal["warning", "error"] = "warning"
    when: str
    expect: str
    message: str


_MONTH = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")


def _first_day(value: object) -> object:
    """Reads a month as people write it."""
    if value is None:
        return None
    if isinstance(value, dt.date):
        if value.day != 1:
            raise ValueError("a version starts with a month; write it as 2024-04")
        return value
    if not _MONTH.fullmatch(str(value).strip()):
        raise ValueError(f"{value!r} is not a month; write it as 2024-04")
    return dt.date.fromisoformat(f"{str(value).strip()}-01")


def _as_text(value: object) -> object:
    """A version such as 2019.1 may stand without quotes."""
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


StartMonth = Annotated[dt.date, BeforeValidator(_first_day)]


class Specification(StrictModel):
    """A data set specification, checked in itself."""

    dataset: str = PydanticField(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)
    version: Annotated[str, BeforeValidator(_as_text)] = PydanticField(
        min_length=1, max_length=40, pattern=r"^\S+( \S+)*$"
    )
    title: str
    start: StartMonth | None = None
    """The first day of the first month of submission in which this version is in force."""
    fields: tuple[Field, ...] = PydanticField(min_length=1)
    layouts: tuple[FileLayout, ...] = ()
    code_lists: dict[str, dict[str, str]] = PydanticField(default_factory=dict)
    maps: dict[str, CodeMap] = PydanticField(default_factory=dict)
    checks: tuple[Check, ...] = ()

    @cached_property
    def columns(self) -> dict[str, Field]:
        """Every column of the standard layout, in order, with its field."""
        return {column: field for field in self.fields for column in field.columns}

    @cached_property
    def by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def groups(self) -> dict[str, tuple[Field, ...]]:
        """The fields of each group, in their order."""
        names = dict.fromkeys(field.group for field in self.fields if field.group is not None)
        return {
            name: tuple(field for field in self.fields if field.group == name) for name in names
        }

    @cached_property
    def by_layout(self) -> dict[str, Specification]:
        """For each layout the data set as its files see it: fields, headings, what is required."""
        return {layout.name: self._adapted(layout) for layout in self.layouts}

    def in_layout(self, name: str | None) -> Specification:
        """The data set as files of a layout see it; as a whole where there are no layouts."""
        return self if name is None else self.by_layout[name]

    def _adapted(self, layout: FileLayout) -> Specification:
        own: dict[str, Any] = {name: getattr(self, name) for name in type(self).model_fields}
        own |= {"fields": layout.fields_of(self.fields), "layouts": (), "checks": ()}
        return Specification.model_construct(**own)

    def with_role(self, role: Role) -> Field | None:
        """The field that plays ``role``, if the data set has one."""
        return next((field for field in self.fields if field.role == role), None)

    @cached_property
    def key_columns(self) -> tuple[str, ...]:
        """Clinic, patient and date: the columns that together name an episode."""
        fields = (self.with_role(role) for role in KEY_ROLES)
        return tuple(field.name for field in fields if field is not None)

    def known_headings(self) -> dict[str, str]:
        """Every heading that is understood, as ``heading_key``, and the column it names.

        Where there are layouts, one heading may name another column in each; the first counts.
        """
        if self.layouts:
            known: dict[str, str] = {}
            for adapted in self.by_layout.values():
                known = adapted.known_headings() | known
            return known
        return {
            heading_key(heading): column
            for field in self.fields
            for column, headings in field.headings.items()
            for heading in reversed(headings)
        }

    @cached_property
    def slot_forms(self) -> tuple[tuple[re.Pattern[str], Field], ...]:
        """What the keys of headings with a slot's number look like, however it is written."""
        return tuple(
            (re.compile("0*([0-9]+)".join(map(re.escape, form.split("{n}")))), field)
            for field in self.fields
            if field.repeat
            for form in field.slot_forms
        )

    def slot_beyond(self, column: str) -> Field | None:
        """The repeating field of a slot that the data set does not have."""
        name, _, number = column.rpartition(" ")
        field = self.by_name.get(name)
        beyond = column not in self.columns and number.isdecimal()
        return field if field is not None and field.repeat and beyond else None

    @cached_property
    def cross_checks(self) -> tuple[CrossCheck, ...]:
        """The checks across fields, read; ``specification_from`` has refused what cannot be."""
        return tuple(
            CrossCheck(
                check.name,
                check.severity,
                check.message.replace("{", "{{").replace("}", "}}"),
                parse_conditions(check.when, self.by_name, self.listed),
                parse_conditions(check.expect, self.by_name, self.listed),
            )
            for check in self.checks
        )

    def listed(self, field: Field, code: str) -> str | None:
        """The stored spelling of one code of a field, None if it can hold no such code."""
        if not field.is_coded:
            return code
        spelling = spelt_as_listed(code, self.codes_of(field))
        if spelling is None and field.type == "snomed" and is_snomed(pa.array([code]))[0]:
            return code
        return spelling

    def code_label(self, field: Field, code: str) -> str | None:
        """What a code of a field means, or the one that means the same; None where no list says."""
        own = self.codes_of(field).get(code)
        if own or not field.same_as:
            return own
        same = self.same_as(field)
        return self.code_lists[target_list(same, self.code_lists)].get(same.get(code, code))

    def same_as(self, field: Field) -> dict[str, str]:
        """Codes of a field, and the code of another list that means the same as each."""
        return self.maps[field.same_as] if field.same_as else {}

    def codes_of(self, field: Field) -> dict[str, str]:
        """Code to label, for a field of type code."""
        return self.code_lists[field.codes] if field.codes else {}


def spelt_as_listed(code: str, codes: Iterable[str]) -> str | None:
    """The code of a list that a text means, None where it means none."""
    spelling: str | None = listed_spelling(pa.array([code]), pa.array(codes, pa.string()))[
        0
    ].as_py()
    return spelling


def load_specification(path: Path) -> Specification:
    """Reads a specification; raises ``DocumentError`` with the line of every problem."""
    return specification_from(read_document(path))


@lru_cache(maxsize=32)  # a service reads the few that it has again and again
def specification_of(text: str, *, name: str = "data set") -> Specification:
    """The specification that a YAML text describes; raises ``DocumentError``."""
    return specification_from(parse_document(text, name=name))


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
    problems += _unusable_names(specification, document)
    parts = (
        *map_problems(specification.maps, specification.fields, specification.code_lists),
        *layout_problems(specification.layouts, specification.by_name, specification.key_columns),
    )
    problems += [document.problem(place, text) for place, text in parts]
    if not problems:
        problems += _ambiguous_headings(specification, document)
        problems += _unreadable_checks(specification, document)
    return problems


def _ambiguous_headings(specification: Specification, document: Document) -> list[Problem]:
    """Headings that name two columns of one kind of file, and layouts that none tells apart."""
    if not specification.layouts:
        return _shared_headings(specification.fields, document, ("fields",))
    problems: list[Problem] = []
    shapes = [specification.in_layout(layout.name).fields for layout in specification.layouts]
    for number, (layout, fields) in enumerate(zip(specification.layouts, shapes, strict=True)):
        place = ("layouts", number)
        problems += _shared_headings(fields, document, place)
        for earlier, others in zip(specification.layouts[:number], shapes, strict=False):
            if alike(fields, others):
                text = f"no heading tells files of {layout.name!r} and {earlier.name!r} apart"
                problems.append(document.problem(place, text))
    return problems


def _unusable_names(specification: Specification, document: Document) -> list[Problem]:
    """Names of fields that tables or queries could not tell from others, or could not keep."""
    problems: list[Problem] = []
    in_queries: dict[str, str] = {}
    for index, field in enumerate(specification.fields):
        text = _unusable(field)
        query = query_name(field.name)
        other = in_queries.setdefault(query, field.name)
        if text is None and other != field.name:
            text = f"{other!r} and {field.name!r} would both be {query!r} in queries of indicators"
        if text is not None:
            problems.append(document.problem(("fields", index, "name"), text))
    columns = sum(len(field.columns) for field in specification.fields)
    if columns > MOST_COLUMNS:
        text = f"the fields have {columns:,} columns; {MOST_COLUMNS:,} at most"
        problems.append(document.problem(("fields",), text))
    return problems


def _unusable(field: Field) -> str | None:
    """Why a field cannot be called so, with what to do; None where it can."""
    name, query = field.name, query_name(field.name)
    if query in TECHNICAL:
        return f"{name!r} is a column of our own; call it otherwise, such as {name + ' code'!r}"
    if not query or not name.isprintable() or name != name.strip():
        return f"{name!r} is no name: it needs a letter or digit, and no space around it"
    if len(field.columns[-1].encode()) > LONGEST_NAME:
        return f"{name!r} is too long: a column's name has at most {LONGEST_NAME} bytes"
    return None


def _shared_headings(
    fields: Sequence[Field], document: Document, place: tuple[str | int, ...]
) -> list[Problem]:
    """Headings that would name two columns: a file's column could be either.

    ``place`` is that of the fields, or of the layout that they belong to.
    """
    problems: list[Problem] = []
    owners: dict[str, str] = {}
    for index, field in enumerate(fields):
        for column, headings in field.headings.items():
            for key, heading in {heading_key(heading): heading for heading in headings}.items():
                owner = owners.setdefault(key, column)
                if owner != column:
                    text = f"the heading {heading!r} would name both {owner!r} and {column!r}"
                    where = (*place, index) if place == ("fields",) else place
                    problems.append(document.problem(where, text))
    return problems


def _unreadable_checks(specification: Specification, document: Document) -> list[Problem]:
    problems: list[Problem] = []
    for index, check in enumerate(specification.checks):
        for part in ("when", "expect"):
            try:
                parse_conditions(getattr(check, part), specification.by_name, specification.listed)
            except NotUnderstoodError as error:
                place = ("checks", index, part)
                problems.append(document.problem(place, f"{check.name}: {error}"))
    return problems
