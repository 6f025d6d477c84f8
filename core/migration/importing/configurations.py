"""Assembles tariff configurations from the tables in which the old service keeps their parts.

A configuration with a faulty part waits: without that part it would charge differently.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import yaml
from sqlalchemy import Connection

from core.configurations.importing import Change, import_configuration
from core.database import tables
from core.migration.importing.indicators import MIGRATED_RUN
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
TABLES_READ = (
    "frameworks",
    "elements",
    "validationOptions",
    "organisations",
    "configurations",
    *PARTS,
)
LONGEST_DETAIL = 200
WHY = "as the old service has it now"
Body = dict[str, Any]


@dataclass(frozen=True)
class LegacyRows:
    """Rows of the old service by table and id, and the ids of faulty rows by table."""

    rows: dict[str, dict[int, Body]]
    faulty: dict[str, set[int]]
    _children: dict[tuple[str, str], dict[Any, list[tuple[int, Body]]]] = field(
        default_factory=dict
    )

    def referring_to(self, table: str, column: str, number: int) -> list[tuple[int, Body]]:
        """The rows of a table that refer to the row ``number`` by a column, in order."""
        if (table, column) not in self._children:
            by_parent = self._children[table, column] = defaultdict(list)
            for pair in sorted(self.rows[table].items(), key=_place):
                by_parent[_plain(pair[1].get(column))].append(pair)
        return self._children[table, column].get(number, [])


def _place(pair: tuple[int, Body]) -> tuple[int, int]:
    position = pair[1].get("position")
    return (position if isinstance(position, int) else 0), pair[0]


def _plain(value: Any) -> Any:
    """An id as a reference; any other value, in a faulty row, refers to nothing."""
    return value if isinstance(value, int) else None


def assemble(connection: Connection) -> None:
    """Imports every complete configuration that is new or changed; notes why others wait."""
    legacy = _read(connection)
    for row in connection.execute(_CONFIGURATIONS).all():
        body = legacy.rows["configurations"].get(row.legacy_id)
        if body is None:
            continue
        problem = _faulty_part(legacy, row.legacy_id) or _name_taken(connection, row, body)
        if problem is None:
            problem = _import(connection, row, body, legacy)
        _note(connection, row, problem)


_CONFIGURATIONS = sa.text("""
    SELECT id, legacy_id, local_table, local_id, problems FROM legacy_rows
    WHERE legacy_table = 'configurations' AND gone_at IS NULL AND imported = checksum
    ORDER BY legacy_id
""")


def _read(connection: Connection) -> LegacyRows:
    query = sa.text(
        "SELECT legacy_table, legacy_id, body, problems IS NOT NULL AS faulty FROM legacy_rows "
        "WHERE legacy_table = ANY (:tables) AND gone_at IS NULL "
        "AND jsonb_typeof(body) = 'object'"
    )
    rows: dict[str, dict[int, Body]] = defaultdict(dict)
    faulty: dict[str, set[int]] = defaultdict(set)
    for row in connection.execute(query, {"tables": list(TABLES_READ)}):
        rows[row.legacy_table][row.legacy_id] = row.body
        if row.faulty:
            faulty[row.legacy_table].add(row.legacy_id)
    return LegacyRows(rows, faulty)


def _faulty_part(legacy: LegacyRows, number: int) -> Body | None:
    for table, key in _parts(legacy, number):
        if key in legacy.faulty[table]:
            return {"column": "id", "code": "parts", "detail": f"{table} {key}"}
    return None


def _parts(legacy: LegacyRows, number: int) -> Iterator[tuple[str, int]]:
    """Every row that belongs to a configuration."""
    for key, _ in legacy.referring_to("participants", "configurationId", number):
        yield "participants", key
    for currency, _ in legacy.referring_to("currencies", "configurationId", number):
        yield "currencies", currency
        for statement, _ in legacy.referring_to("triggerSets", "currencyId", currency):
            yield "triggerSets", statement
            for key, _ in legacy.referring_to("triggers", "triggerSetId", statement):
                yield "triggers", key
    for combination, _ in legacy.referring_to("combinationSets", "configurationId", number):
        yield "combinationSets", combination
        for key, _ in legacy.referring_to("combinationMembers", "combinationSetId", combination):
            yield "combinationMembers", key


def _name_taken(connection: Connection, row: sa.Row[Any], body: Body) -> Body | None:
    """The problem where the name belongs to a configuration that is not from the old service."""
    configurations, name = tables.configurations, str(body["reference"]).strip()
    local_id = connection.execute(_latest(name, configurations.c.id)).scalar()
    if local_id is None or (row.local_table, row.local_id) == ("configurations", local_id):
        return None
    return {"column": "reference", "code": "taken", "detail": None}


def _import(
    connection: Connection, row: sa.Row[Any], body: Body, legacy: LegacyRows
) -> Body | None:
    name = str(body["reference"]).strip()
    document = yaml.safe_dump(
        _document(row.legacy_id, body, legacy), sort_keys=False, allow_unicode=True
    )
    if connection.execute(_latest(name, tables.configurations.c.body)).scalar() == document:
        return None
    before = connection.execute(_latest(name, tables.configurations.c.id)).scalar()
    since = body["startsOn"].strip()
    try:
        with connection.begin_nested():
            change = Change(dt.date.fromisoformat(since), WHY, leave_submitted=True)
            import_configuration(connection, document, name=name, change=change)
            _revise_months_of_old(connection, name, before)
    except UserError as error:
        detail = str(error).partition("\n")[0][:LONGEST_DETAIL]
        return {"column": "id", "code": "not-assembled", "detail": detail}
    connection.execute(sa.text("DELETE FROM migration_differences"))
    return None


def _latest(name: str, column: sa.Column[Any]) -> sa.Select[Any]:
    """The query for a column of the latest revision of the configuration."""
    configurations = tables.configurations
    query = sa.select(column).where(configurations.c.configuration == name)
    return query.order_by(configurations.c.revision.desc()).limit(1)


def _revise_months_of_old(connection: Connection, name: str, before: int | None) -> None:
    """Has months that the old service charged name the new revision: nothing of ours priced them,
    and they are compared with the tariff as the old service has it."""
    latest = connection.execute(_latest(name, tables.configurations.c.id)).scalar_one()
    if before in (None, latest):
        return
    connection.execute(
        sa.text(
            "WITH charged_there AS (UPDATE runs SET configuration_id = :latest "
            f"WHERE configuration_id = :before AND {MIGRATED_RUN} RETURNING id) "
            "UPDATE submissions SET configuration_id = :latest "
            "WHERE configuration_id = :before AND run_id IN (SELECT id FROM charged_there)"
        ),
        {"latest": latest, "before": before},
    )


def _document(number: int, body: Body, legacy: LegacyRows) -> Body:
    columns = shipped_mapping().tables["configurations"].columns
    lead = legacy.rows["organisations"].get(body.get("leadId") or 0)
    sides = dict(_participants(legacy, number))
    return {
        "configuration": body["reference"].strip(),
        "title": body["title"].strip(),
        "dataset": legacy.rows["frameworks"][body["frameworkId"]]["dataset"].strip(),
        "status": columns["status"].codes[body["status"].strip()],
        "start": body["startsOn"].strip(),
        "end": body["endsOn"].strip(),
        "submit_within_days": body["submitWithin"],
        **({"owner": lead["code"].strip()} if lead else {}),
        "providers": sides["PROVIDER"],
        "commissioners": sides["COMMISSIONER"],
        "currencies": [_currency(legacy, *currency) for currency in
                       legacy.referring_to("currencies", "configurationId", number)],
        "combinations": [_combination(legacy, key) for key, _ in
                         legacy.referring_to("combinationSets", "configurationId", number)],
    }  # fmt: skip


def _participants(legacy: LegacyRows, number: int) -> Iterator[tuple[str, Body]]:
    members = [row for _, row in legacy.referring_to("participants", "configurationId", number)]
    for side, factor in (("PROVIDER", "factor"), ("COMMISSIONER", "geo_weighting")):
        yield (
            side,
            {
                organisation["code"].strip(): {factor: _factor(row)} if row.get("factor") else {}
                for row in members
                if (organisation := legacy.rows["organisations"][row["organisationId"]])["kind"]
                == side
            },
        )


def _factor(row: Body) -> float:
    """A number as YAML writes it; the configuration reads it as a decimal with the same digits."""
    return float(str(row["factor"]).strip())


def _currency(legacy: LegacyRows, number: int, body: Body) -> Body:
    crossing = shipped_mapping().tables["currencies"].columns["crossCharge"].codes
    return {
        "code": body["code"].strip(),
        "name": (body.get("name") or "").strip(),
        "primary": str(body["primaryRate"]).strip(),
        "additional": str(body["additionalRate"]).strip(),
        "cross_charge": crossing[body["crossCharge"].strip()],
        "triggers": [_statement(legacy, key) for key, _ in
                     legacy.referring_to("triggerSets", "currencyId", number)],
    }  # fmt: skip


def _statement(legacy: LegacyRows, number: int) -> str:
    conditions = [
        f"{'NOT ' if row['isNot'] else ''}"
        f"{legacy.rows['elements'][row['elementId']]['name'].strip()}"
        f" = {legacy.rows['validationOptions'][row['optionId']]['code'].strip()}"
        for _, row in legacy.referring_to("triggers", "triggerSetId", number)
    ]
    return " AND ".join(conditions)


def _combination(legacy: LegacyRows, number: int) -> Body:
    sides: dict[str, list[str]] = {"IF": [], "THEN": []}
    for _, row in legacy.referring_to("combinationMembers", "combinationSetId", number):
        sides[row["side"].strip()].append(
            legacy.rows["currencies"][row["currencyId"]]["code"].strip()
        )
    return {"if": sides["IF"], "then": sides["THEN"]}


def _note(connection: Connection, row: sa.Row[Any], problem: Body | None) -> None:
    """Notes the imported configuration, or why there is none; writes only what has changed."""
    legacy_rows = tables.legacy_rows
    if problem is not None:
        if row.problems != [problem]:
            connection.execute(
                legacy_rows.update().where(legacy_rows.c.id == row.id).values(problems=[problem])
            )
        return
    name = sa.select(tables.configurations.c.id).where(
        tables.configurations.c.configuration
        == sa.select(sa.func.btrim(legacy_rows.c.body["reference"].astext))
        .where(legacy_rows.c.id == row.id)
        .scalar_subquery()
    )
    here = connection.execute(
        name.order_by(tables.configurations.c.revision.desc()).limit(1)
    ).scalar_one()
    if (row.local_table, row.local_id, row.problems) != ("configurations", here, None):
        values = {"local_table": "configurations", "local_id": here, "problems": sa.null()}
        connection.execute(legacy_rows.update().where(legacy_rows.c.id == row.id).values(values))
