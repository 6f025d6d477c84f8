"""Checks across fields, as a specification writes them.

``FIELD in A, B``, ``FIELD not in A, B``, ``FIELD present`` and ``FIELD blank``, joined by ``and``.
Any slot of a repeating field may hold a code; ``not in`` and ``blank`` mean that no slot does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.engine.dataset.fields import Field

Kind = Literal["in", "not in", "present", "blank"]
Listed = Callable[[Field, str], str | None]


class NotUnderstoodError(Exception):
    """A condition that is not of the grammar, or names what the data set does not have."""


@dataclass(frozen=True)
class Condition:
    """What one field must hold; ``codes`` in the spelling of the list."""

    field: Field
    kind: Kind
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CrossCheck:
    """A check, read: where all of ``when`` hold, all of ``expect`` must."""

    name: str
    severity: Literal["warning", "error"]
    message: str
    when: tuple[Condition, ...]
    expect: tuple[Condition, ...]


def parse_conditions(
    text: str, fields: Mapping[str, Field], listed: Listed
) -> tuple[Condition, ...]:
    """The conditions of a ``when`` or ``expect``, over fields by their name.

    ``listed`` returns the stored spelling of a code of a field, or None. Raises
    ``NotUnderstoodError``.
    """
    form = _form(fields)
    conditions, at = [], 0
    text = text.strip()
    while True:
        match = form.match(text, at)
        if match is None:
            raise NotUnderstoodError(_not_understood(text[at:]))
        conditions.append(_condition(match, fields, listed))
        if match.end() == len(text):
            return tuple(conditions)
        at = match.end()


def _form(names: Iterable[str]) -> re.Pattern[str]:
    """One condition and the ``and`` after it; longer names first, since one may begin another."""
    name = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(
        rf"\s*(?P<field>{name})\s+"
        r"(?:(?P<state>present|blank)|(?P<kind>not\s+in|in)\s+(?P<codes>.+?))"
        rf"\s*(?:\s+and\s+(?=(?:{name})\s)|$)"
    )


def _condition(match: re.Match[str], fields: Mapping[str, Field], listed: Listed) -> Condition:
    field = fields[match["field"]]
    if match["state"]:
        return Condition(field, "present" if match["state"] == "present" else "blank")
    codes = tuple(_spelt(code.strip(), field, listed) for code in match["codes"].split(","))
    return Condition(field, "in" if match["kind"] == "in" else "not in", codes)


def _spelt(code: str, field: Field, listed: Listed) -> str:
    spelling = listed(field, code)
    if spelling is None:
        raise NotUnderstoodError(f"{code!r} is not a code of {field.name!r}")
    return spelling


def _not_understood(rest: str) -> str:
    return (
        f"cannot understand {rest.strip()!r}; write FIELD in A, B; FIELD not in A, B; "
        "FIELD present or FIELD blank, joined by ` and `, with fields of this data set"
    )
