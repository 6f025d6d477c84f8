"""Trigger statements: ``FIELD = CODE``, joined by `` AND `` or `` AND NOT ``.

A field that repeats is named without its slot: any slot may hold the code, and ``NOT`` means that
no slot does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification
from core.engine.dataset.spelling import listed_spelling
from core.user_errors import UserError


@dataclass(frozen=True, slots=True)
class Condition:
    """An episode's field holds a code, or with ``negated`` does not."""

    field: str
    code: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{'NOT ' if self.negated else ''}{self.field} = {self.code}"


@dataclass(frozen=True, slots=True)
class Statement:
    """All conditions hold in one episode; at least one of them is positive."""

    conditions: tuple[Condition, ...]

    @property
    def positive(self) -> tuple[Condition, ...]:
        return tuple(condition for condition in self.conditions if not condition.negated)

    @property
    def negative(self) -> tuple[Condition, ...]:
        return tuple(condition for condition in self.conditions if condition.negated)

    def __str__(self) -> str:
        return " AND ".join(str(condition) for condition in self.conditions)


class StatementError(UserError):
    """A statement is not valid; the text says why."""


def parse_statement(text: str, specification: Specification) -> Statement:
    """The statement, its codes spelled as listed; raises ``StatementError``."""
    conditions = tuple(_condition(part, specification) for part in text.split(" AND "))
    if all(condition.negated for condition in conditions):
        raise StatementError("a statement of NOT alone: add a condition that must hold")
    if conditions[0].negated:
        raise StatementError("begins with NOT: put a condition that must hold first")
    return Statement(conditions)


def _condition(part: str, specification: Specification) -> Condition:
    part = part.strip()
    negated = (
        part.startswith("NOT ") and part.partition("=")[0].strip() not in specification.by_name
    )
    name, equals, code = part.removeprefix("NOT " if negated else "").partition("=")
    name, code = name.strip(), code.strip()
    if not (name and equals and code):
        raise StatementError(f"{part!r} is not `FIELD = CODE`")
    field = specification.by_name.get(name)
    if field is None:
        raise StatementError(_unknown_field(name, specification))
    return Condition(name, _spelled(code, field, specification), negated)


def _spelled(code: str, field: Field, specification: Specification) -> str:
    if field.type != "code":
        return code
    listed = listed_code(code, specification.codes_of(field))
    if listed is None:
        hint = "; write AND in capitals" if " and " in code.casefold() else ""
        raise StatementError(f"{code!r} is not a code of {field.name} (list {field.codes}){hint}")
    return listed


def listed_code(text: str, codes: Iterable[str]) -> str | None:
    """The listed code that a text means: equal, else but for case, else as a number; or None."""
    spelling = listed_spelling(pa.array([text]), pa.array(codes, pa.string()))[0].as_py()
    return None if spelling is None else str(spelling)


def _unknown_field(name: str, specification: Specification) -> str:
    column = specification.columns.get(name)
    if column is not None:
        return f"{name!r} is one slot: name the field, {column.name!r}"
    near = difflib.get_close_matches(name, specification.by_name, n=1)
    return f"no field {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
