"""Puts tariff configurations together from the tables in which the old service keeps their parts.

A configuration with a part in error waits: it would charge something else than it says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import yaml
from sqlalchemy import Connection

from core.configurations.importing import import_configuration
from core.database import tables
from core.migration.reading.mapping import shipped_mapping
from core.user_errors import UserError

PARTS = (
    "participants",
    "currencies",
    "triggerSets",
    "triggers",
    "combinationSets",
    "combinationMembers",
)
READ = ("frameworks", "elements", "validationOptions", "organisations", "configurations", *PARTS)
LONGEST_DETAIL = 200
Body = dict[str, Any]


@dataclass(frozen=True)
class Old:
    """Rows of the old service by table and id, and those of them that are in error."""

    rows: dict[str, dict[int, Body]]
    faulty: dict[str, set[int]]
    _children: dict[tuple[str, str], dict[Any, list[tuple[int, Body]]]] = field(
        default_factory=dict
    )

    def of(self, table: str, column: str, number: int) -> list[tuple[int, Body]]:
        """The rows that refer to one, in their order."""
        if (table, column) not in self._children:
            by_parent = self._children[table, column] = defaultdict(list)
            for pair in sorted(self.rows[table].items(), key=_place):
                by_parent[_plain(pair[1].get(column))].append(pair)
        return self._children[table, column].get(number, [])


def _place(pair: tuple[int, Body]) -> tuple[int, int]:
    position = pair[1].get("position")
    return (position if isinstance(position, int) else 0), pair[0]


def _plain(value: Any) -> Any:
    """A reference; what is none, in a row that is in error, refers to nothing."""
    return value if isinstance(value, int) else None


def assemble(connection: Connection) -> None:
    """Imports every configuration that is whole and new or changed; notes why others wait."""
    old = _read(connection)
    for row in connection.execute(_CONFIGURATIONS).all():
        body = old.rows["configurations"].get(row.legacy_id)
        if body is None:
            continue
        problem = _faulty_part(old, row.legacy_id) or _taken(connection, row, body)
        if problem is None:
            problem = _take_in(connection, row, body, old)
        _note(connection, row, problem)


_CONFIGURATIONS = sa.text("""
    SELECT id, legacy_id, local_table, local_id, problems FROM legacy_rows
    WHERE legacy_table = 'configurations' AND gone_at IS NULL AND imported = checksum
    ORDER BY legacy_id
""")


def _read(connection: Connection) -> Old:
    query = sa.text(
        "SELECT legacy_table, legacy_id, body, problems IS NOT NULL AS faulty FROM legacy_rows "
        "WHERE legacy_table = ANY (:tables) AND gone_at IS NULL "
        "AND jsonb_typeof(body) = 'object'"
    )
    rows: dict[str, dict[int, Body]] = defaultdict(dict)
    faulty: dict[str, set[int]] = defaultdict(set)
    for row in connection.execute(query, {"tables": list(READ)}):
        rows[row.legacy_table][row.legacy_id] = row.body
        if row.faulty:
            faulty[row.legacy_table].add(row.legacy_id)
    return Old(rows, faulty)


def _faulty_part(old: Old, number: int) -> Body | None:
    for table, key in _parts(old, number):
        if key in old.faulty[table]:
            return {"column": "id", "code": "parts", "detail": f"{table} {key}"}
    return None


def _parts(old: Old, number: int) -> Iterator[tuple[str, int]]:
    """Every row that belongs to a configuration."""
    for key, _ in old.of("participants", "configurationId", number):
        yield "participants", key
    for currency, _ in old.of("currencies", "configurationId", number):
        yield "currencies", currency
        for statement, _ in old.of("triggerSets", "currencyId", currency):
            yield "triggerSets", statement
            for key, _ in old.of("triggers", "triggerSetId", statement):
                yield "triggers", key
    for combination, _ in old.of("combinationSets", "configurationId", number):
        yield "combinationSets", combination
        for key, _ in old.of("combinationMembers", "combinationSetId", combination):
            yield "combinationMembers", key


def _taken(connection: Connection, row: sa.Row[Any], body: Body) -> Body | None:
    """A configuration of that name that did not come from the old service stays as it is."""
    found, name = tables.configurations, str(body["reference"]).strip()
    known = connection.execute(sa.select(found.c.id).where(found.c.configuration == name)).scalar()
    if known is None or (row.local_table, row.local_id) == ("configurations", known):
        return None
    return {"column": "reference", "code": "taken", "detail": None}


def _take_in(connection: Connection, row: sa.Row[Any], body: Body, old: Old) -> Body | None:
    name = str(body["reference"]).strip()
    document = yaml.safe_dump(
        _document(row.legacy_id, body, old), sort_keys=False, allow_unicode=True
    )
    found = tables.configurations
    known = sa.select(found.c.body).where(found.c.configuration == name)
    if connection.execute(known).scalar() == document:
        return None
    try:
        with connection.begin_nested():
            import_configuration(connection, document, name=name)
    except UserError as error:
        detail = str(error).partition("\n")[0][:LONGEST_DETAIL]
        return {"column": "id", "code": "not-assembled", "detail": detail}
    connection.execute(sa.text("DELETE FROM migration_differences"))
    return None


def _document(number: int, body: Body, old: Old) -> Body:
    columns = shipped_mapping().tables["configurations"].columns
    lead = old.rows["organisations"].get(body.get("leadId") or 0)
    sides = dict(_participants(old, number))
    return {
        "configuration": body["reference"].strip(),
        "title": body["title"].strip(),
        "dataset": old.rows["frameworks"][body["frameworkId"]]["dataset"].strip(),
        "status": columns["status"].codes[body["status"].strip()],
        "start": body["startsOn"].strip(),
        "end": body["endsOn"].strip(),
        "submit_within_days": body["submitWithin"],
        **({"owner": lead["code"].strip()} if lead else {}),
        "providers": sides["PROVIDER"],
        "commissioners": sides["COMMISSIONER"],
        "currencies": [_currency(old, *each) for each in
                       old.of("currencies", "configurationId", number)],
        "combinations": [_combination(old, key) for key, _ in
                         old.of("combinationSets", "configurationId", number)],
    }  # fmt: skip


def _participants(old: Old, number: int) -> Iterator[tuple[str, Body]]:
    members = [row for _, row in old.of("participants", "configurationId", number)]
    for side, factor in (("PROVIDER", "factor"), ("COMMISSIONER", "geo_weighting")):
        yield (
            side,
            {
                organisation["code"].strip(): {factor: _factor(row)} if row.get("factor") else {}
                for row in members
                if (organisation := old.rows["organisations"][row["organisationId"]])["kind"]
                == side
            },
        )


def _factor(row: Body) -> float:
    """As YAML writes a number; the configuration reads it as a decimal of the same digits."""
    return float(str(row["factor"]).strip())


def _currency(old: Old, number: int, body: Body) -> Body:
    crossing = shipped_mapping().tables["currencies"].columns["crossCharge"].codes
    return {
        "code": body["code"].strip(),
        "name": (body.get("name") or "").strip(),
        "primary": str(body["primaryRate"]).strip(),
        "additional": str(body["additionalRate"]).strip(),
        "cross_charge": crossing[body["crossCharge"].strip()],
        "triggers": [_statement(old, key) for key, _ in
                     old.of("triggerSets", "currencyId", number)],
    }  # fmt: skip


def _statement(old: Old, number: int) -> str:
    conditions = [
        f"{'NOT ' if row['isNot'] else ''}{old.rows['elements'][row['elementId']]['name'].strip()}"
        f" = {old.rows['validationOptions'][row['optionId']]['code'].strip()}"
        for _, row in old.of("triggers", "triggerSetId", number)
    ]
    return " AND ".join(conditions)


def _combination(old: Old, number: int) -> Body:
    sides: dict[str, list[str]] = {"IF": [], "THEN": []}
    for _, row in old.of("combinationMembers", "combinationSetId", number):
        sides[row["side"].strip()].append(old.rows["currencies"][row["currencyId"]]["code"].strip())
    return {"if": sides["IF"], "then": sides["THEN"]}


def _note(connection: Connection, row: sa.Row[Any], problem: Body | None) -> None:
    """What is here of it, or why it is not; written only where that is new."""
    found = tables.legacy_rows
    if problem is not None:
        if row.problems != [problem]:
            connection.execute(
                found.update().where(found.c.id == row.id).values(problems=[problem])
            )
        return
    name = sa.select(tables.configurations.c.id).where(
        tables.configurations.c.configuration
        == sa.select(sa.func.btrim(found.c.body["reference"].astext))
        .where(found.c.id == row.id)
        .scalar_subquery()
    )
    here = connection.execute(name).scalar_one()
    if (row.local_table, row.local_id, row.problems) != ("configurations", here, None):
        values = {"local_table": "configurations", "local_id": here, "problems": sa.null()}
        connection.execute(found.update().where(found.c.id == row.id).values(values))
