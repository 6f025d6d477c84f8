"""How each kind of column is read, as SQL over whole tables: its value and its faults.

Dates of 1900 and before mean "unknown" in the old service and those of 9999 "open": both become
null, and are a fault only where the date is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.migration.reading.mapping import Column

Faults = list[tuple[str, str]]
"""SQL conditions with the codes of their problems; the first that holds counts."""


@dataclass(frozen=True)
class Reading:
    """The SQL of a column: its value (null if faulty), its type here, and its faults."""

    value: str
    type: str
    faults: Faults


def reading(name: str, column: Column) -> Reading:
    """How the column ``name`` of the row ``r.body`` is read."""
    kind = _KINDS[column.kind](name, column)
    blank = f"({kind.value}) IS NULL"
    missing = [(blank, "missing")] if column.required else []
    return Reading(kind.value, kind.type, [*kind.faults, *missing])


def text(name: str) -> str:
    return f"nullif(btrim(r.body ->> '{name}'), '')"


def _typed(name: str, *types: str) -> str:
    listed = ", ".join(f"'{type_}'" for type_ in (*types, "null"))
    return f"coalesce(jsonb_typeof(r.body -> '{name}'), 'null') NOT IN ({listed})"


def _is(name: str, pattern: str) -> str:
    return f"{text(name)} ~ '{pattern}'"


def _unless(name: str, condition: str) -> str:
    """The column has a value that does not satisfy the condition."""
    return f"{text(name)} IS NOT NULL AND NOT coalesce(({condition}), false)"


def _text(name: str, _: Column) -> Reading:
    return Reading(text(name), "text", [(_typed(name, "string"), "not-text")])


def _number(pattern: str, type_: str, code: str, *types: str) -> Callable[[str, Column], Reading]:
    def read(name: str, _: Column) -> Reading:
        fits = _is(name, pattern)
        value = f"CASE WHEN {fits} THEN CAST({text(name)} AS {type_}) END"
        return Reading(value, type_, [(_typed(name, *types), code), (_unless(name, fits), code)])

    return read


def _dated(pattern: str, type_: str, code: str) -> Callable[[str, Column], Reading]:
    def read(name: str, column: Column) -> Reading:
        complete = text(name) if type_ != "month" else f"({text(name)} || '-01')"
        kind = "date" if type_ == "month" else type_
        form = f"{_is(name, pattern)} AND pg_input_is_valid({complete}, '{kind}')"
        fits = f"CASE WHEN {_is(name, pattern)} THEN pg_input_is_valid({complete}, '{kind}') END"
        plausible = f"left({text(name)}, 4) > '1900' AND left({text(name)}, 4) < '9999'"
        value = (
            f"CASE WHEN {form} THEN CASE WHEN {plausible} THEN CAST({complete} AS {kind}) END END"
        )
        faults = [(_typed(name, "string"), code), (_unless(name, fits), code)]
        if column.required:
            faults.append((_unless(name, plausible), "unknown-date"))
        return Reading(value, kind, faults)

    return read


def _boolean(name: str, _: Column) -> Reading:
    fits = f"jsonb_typeof(r.body -> '{name}') = 'boolean'"
    value = f"CASE WHEN {fits} THEN CAST(r.body ->> '{name}' AS boolean) END"
    return Reading(value, "boolean", [(_typed(name, "boolean"), "not-boolean")])


def _code(name: str, column: Column) -> Reading:
    cases = " ".join(
        f"WHEN {literal(theirs)} THEN {literal(ours)}" for theirs, ours in column.codes.items()
    )
    value = f"CASE {text(name)} {cases} END"
    unknown = f"{text(name)} IS NOT NULL AND ({value}) IS NULL"
    return Reading(value, "text", [(unknown, "unknown-code")])


def _authority(name: str, _: Column) -> Reading:
    fits = f"{text(name)} = ANY (CAST(:authorities AS text[]))"
    value = f"CASE WHEN {fits} THEN {text(name)} END"
    return Reading(value, "text", [(_unless(name, fits), "unknown-code")])


def _values(name: str, _: Column) -> Reading:
    fits = f"jsonb_typeof(r.body -> '{name}') = 'object'"
    texts = (
        f'NOT jsonb_path_exists(r.body, \'$."{name}".* ? '
        '(@.type() != "string" && @.type() != "null")\')'
    )
    fields = (
        f"NOT EXISTS (SELECT FROM jsonb_object_keys(CASE WHEN {fits} THEN r.body -> '{name}' END)"
        " AS k (field) WHERE field <> ALL (CAST(:fields AS text[])))"
    )
    faults = [(f"NOT coalesce({fits} AND {texts}, false)", "not-values")]
    return Reading(f"r.body -> '{name}'", "jsonb", [*faults, (f"NOT {fields}", "unknown-field")])


def _reference(name: str, column: Column) -> Reading:
    """The id in the old service; a join finds the row here."""
    return _number("^[1-9][0-9]{0,17}$", "bigint", "not-whole-number", "number")(name, column)


def literal(value: str) -> str:
    """A text as an SQL literal; only for texts of our own mapping."""
    return "'" + value.replace("'", "''") + "'"


_KINDS: dict[str, Callable[[str, Column], Reading]] = {
    "text": _text,
    "integer": _number("^-?[0-9]{1,9}$", "integer", "not-whole-number", "number"),
    "decimal": _number(
        "^-?[0-9]{1,9}([.][0-9]{1,9})?$", "numeric", "not-number", "number", "string"
    ),
    "pounds": _number("^-?[0-9]{1,8}([.][0-9]{1,2})?$", "numeric", "not-money", "number", "string"),
    "date": _dated("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "date", "not-date"),
    "month": _dated("^[0-9]{4}-[0-9]{2}$", "month", "not-month"),
    "moment": _dated("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}Z$", "timestamptz", "not-moment"),
    "boolean": _boolean,
    "code": _code,
    "authority": _authority,
    "values": _values,
    "reference": _reference,
}
