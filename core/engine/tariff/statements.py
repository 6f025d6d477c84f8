"""Trigger statements: ``FIELD = CODE``, joined by `` AND `` or `` AND NOT ``.

A field that repeats is named without its slot: any slot may hold the code, and ``NOT`` means that
no slot does. A condition on a field of a group may add others of the same record with `` WITH ``,
which binds tightest: ``NOT`` negates the condition together with all that it adds.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification, spelt_as_listed
from core.user_errors import UserError


@dataclass(frozen=True, slots=True)
class Asked:
    """A field holds a code."""

    field: str
    code: str

    def __str__(self) -> str:
        return f"{self.field} = {self.code}"


@dataclass(frozen=True, slots=True)
class Condition:
    """An episode's field holds a code, or with ``negated`` does not.

    ``group``: that of the field. ``together``: what a record of the episode holds beside it, in the
    same group.
    """

    field: str
    code: str
    negated: bool = False
    group: str | None = None
    together: tuple[Asked, ...] = ()

    @property
    def asked(self) -> tuple[Asked, ...]:
        """All that one record must hold."""
        return (Asked(self.field, self.code), *self.together)

    def __str__(self) -> str:
        return ("NOT " if self.negated else "") + " WITH ".join(map(str, self.asked))


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


def _condition(text: str, specification: Specification) -> Condition:
    first, *added = text.split(" WITH ")
    part = first.strip()
    negated = (
        part.startswith("NOT ") and part.partition("=")[0].strip() not in specification.by_name
    )
    asked = _asked(part.removeprefix("NOT " if negated else ""), specification)
    together = tuple(_added(part.strip(), specification) for part in added)
    if together:
        _require_one_record((asked, *together), specification)
    group = specification.by_name[asked.field].group
    return Condition(asked.field, asked.code, negated, group, together)


def _asked(part: str, specification: Specification) -> Asked:
    name, equals, code = part.partition("=")
    name, code = name.strip(), code.strip()
    if not (name and equals and code):
        raise StatementError(f"{part!r} is not `FIELD = CODE`")
    field = specification.by_name.get(name)
    if field is None:
        raise StatementError(_unknown_field(name, specification))
    return Asked(name, _spelled(code, field, specification))


def _added(part: str, specification: Specification) -> Asked:
    name = part.partition("=")[0].strip()
    if name.startswith("NOT ") and name not in specification.by_name:
        raise StatementError(
            "WITH adds what the same record holds, so NOT cannot follow it; "
            "put NOT before the whole condition"
        )
    return _asked(part, specification)


def _require_one_record(asked: Sequence[Asked], specification: Specification) -> None:
    """Raises ``StatementError`` unless all are different fields of one group."""
    fields = [specification.by_name[each.field] for each in asked]
    first = fields[0]
    for field in fields:
        if field.group is None:
            raise StatementError(
                f"WITH joins fields of one group, but {field.name!r} is in no group; write AND"
            )
        if field.group != first.group:
            raise StatementError(
                f"WITH joins fields of one group, but {first.name!r} is of {first.group!r} "
                f"and {field.name!r} of {field.group!r}; write AND"
            )
    names = [field.name for field in fields]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise StatementError(f"a record has one {twice}, so WITH cannot ask for it again")


def _spelled(code: str, field: Field, specification: Specification) -> str:
    if not field.is_coded:
        return code
    spelling = specification.listed(field, code)
    if spelling is None:
        spelling = spelt_as_listed(code, specification.same_as(field).values())
    if spelling is None:
        raise StatementError(_unknown_code(code, field))
    return spelling


def _unknown_code(code: str, field: Field) -> str:
    lists = [f"list {field.codes}"] if field.codes else []
    lists += ["SNOMED CT"] if field.type == "snomed" else []
    lists += [f"map {field.same_as}"] if field.same_as else []
    hints = [word for word in ("and", "with") if f" {word} " in code.casefold()]
    hint = f"; write {hints[0].upper()} in capitals" if hints else ""
    return f"{code!r} is not a code of {field.name} ({', '.join(lists)}){hint}"


def _unknown_field(name: str, specification: Specification) -> str:
    column = specification.columns.get(name)
    if column is not None:
        return f"{name!r} is one slot: name the field, {column.name!r}"
    near = difflib.get_close_matches(name, specification.by_name, n=1)
    return f"no field {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
