"""Which functions and tables the query of an indicator may use, as the server parses it.

Rights are not enough: everybody may call most functions of PostgreSQL, including those that set,
lock, sleep, or show other sessions. So the server parses the query without running it, and its
parse tree names each function, operator and table by number; no second parser could differ from it.
Functions that depend on their arguments alone are allowed, and a few more; the tables are the three
views.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import sql

from core.user_errors import UserError

STABLE = frozenset(
    {"age", "array_to_string", "concat", "concat_ws", "date", "date_part", "date_trunc"}
    | {"generate_series", "now", "timestamp", "timestamptz", "timezone"}
    | {"to_char", "to_date", "to_number", "to_timestamp"}
)
"""Allowed though they depend on the clock or the time zone: none of them shows or changes more."""
GREEDY = frozenset(
    {"array_fill", "factorial", "lpad", "repeat", "rpad", "string_agg", "xmlagg", "xpath"}
    | {"json_agg", "json_object_agg", "jsonb_agg", "jsonb_object_agg"}
)
"""Refused though they only calculate: a few characters of query make values of a gigabyte."""
READING_SECONDS = 5
VIEWS = ("charges", "episodes", "records")

_NUMBERS = re.compile(
    r":(?P<what>funcid|aggfnoid|winfnoid|opno|relid|xmloption|tablefunc) (?P<number>\d+)"
)
_XML = re.compile(r"\{(?:XMLEXPR|TABLEFUNC|JSONEXPR|JSONCONSTRUCTOREXPR) ")
_DENIED_FUNCTIONS = """
    SELECT DISTINCT proname FROM pg_proc
    WHERE oid = ANY (%(numbers)s) AND (
        pronamespace <> 'pg_catalog'::regnamespace OR proname = ANY (%(greedy)s)
        OR (provolatile = 'v' AND proname <> 'pg_sleep')  -- which its time limit ends
        OR (provolatile = 's' AND proname <> ALL (%(stable)s)))
    ORDER BY proname
"""
_DENIED_OPERATORS = """
    SELECT oprname FROM pg_operator
    WHERE oid = ANY (%s) AND oprnamespace <> 'pg_catalog'::regnamespace
"""
_DENIED_TABLES = """
    SELECT count(*) FROM pg_class
    WHERE oid = ANY (%s) AND NOT (relnamespace = to_regnamespace(%s) AND relname = ANY (%s))
"""


class KpiRefused(UserError):
    """The query was stopped, or its result is no figure; the text gives the reason."""


CARRIED_OUT = "SELECT * FROM (\n"
READ = "CREATE TEMPORARY VIEW measured AS SELECT 1 AS one FROM (\n"
"""The text before a query that is run, and before one that is only parsed."""


def as_subquery(query: str, head: str = CARRIED_OUT) -> sql.Composed:
    """The query in a place where it can only read."""
    text = query.strip().removesuffix(";")
    return sql.SQL(head + "{}\n) AS measured LIMIT 2").format(sql.SQL(text))


def refuse_what_is_not_allowed(cursor: psycopg.Cursor[Any], query: str, schema: str) -> None:
    """Raises ``KpiRefused``, or the error of the server where it cannot read the query.

    ``cursor`` is the owner's, in a transaction that is rolled back: a view is made and forgotten.
    """
    cursor.execute(sql.SQL("SET LOCAL search_path = {}, pg_catalog").format(sql.Identifier(schema)))
    cursor.execute(f"SET LOCAL statement_timeout = '{READING_SECONDS}s'")
    # Prepared, so that it can be one statement only.
    cursor.execute(as_subquery(query, READ), prepare=True)
    cursor.execute(
        "SELECT ev_action::text FROM pg_rewrite WHERE ev_class = 'pg_temp.measured'::regclass"
    )
    [(reading,)] = cursor.fetchall()
    _refuse(cursor, str(reading), schema)


def _refuse(cursor: psycopg.Cursor[Any], reading: str, schema: str) -> None:
    numbers: dict[str, set[int]] = {}
    for match in _NUMBERS.finditer(reading):
        numbers.setdefault(match["what"], set()).add(int(match["number"]))
    called = sorted(set().union(*(numbers.get(k, ()) for k in ("funcid", "aggfnoid", "winfnoid"))))
    lists = {"numbers": called, "greedy": sorted(GREEDY), "stable": sorted(STABLE)}
    denied = [name for (name,) in cursor.execute(_DENIED_FUNCTIONS, lists).fetchall()]
    operators = cursor.execute(_DENIED_OPERATORS, [sorted(numbers.get("opno", ()))]).fetchall()
    denied += [name for (name,) in operators]
    if _XML.search(reading):
        denied.append("xml or json")
    if denied:
        raise KpiRefused(
            "This service refuses the query: it may read the views of one submission only, and "
            f"call functions that calculate; it uses {', '.join(denied)}."
        )
    tables = sorted(numbers.get("relid", ()))
    [(others,)] = cursor.execute(_DENIED_TABLES, [tables, schema, list(VIEWS)]).fetchall()
    if others:
        raise KpiRefused(
            "The query may read the views of one submission only: episodes, records, charges."
        )
