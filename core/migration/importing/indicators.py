"""Indicators of the old service and their figures.

One that the mapping names as one of ours is that one. Any other becomes an indicator of its own,
which nothing here measures. Figures stand beside those that we measure, marked, with the month's
run: what people were told of a month stays what they were told.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.datasets import current_specification
from core.database import tables
from core.events.outbox import raise_event
from core.kpis.catalogue import KnownKpi, get_kpi, retire_kpi, take_over_kpi
from core.kpis.definitions import SHARES, Kpi
from core.migration.reading.mapping import shipped_mapping
from core.migration.reading.staging import add_problem, add_twins
from core.migration.reading.transforms import literal, reading
from core.vocabulary import event_catalogue
from core.vocabulary.states.kpis import SHOWN, KpiState

OLD = "old-"
SOURCE = "The old service."
LONGEST_NAME, LONGEST_TITLE, LONGEST_DESCRIPTION = 60, 80, 400
RUN_OF_OLD = "runs.requested_by IS NULL AND runs.flow_run IS NULL"
"""A run that the migration published: the month was not run here since."""


def names_of_ours() -> dict[str, str]:
    """What the old service calls an indicator, in small letters: the name of ours that it is."""
    same_as = shipped_mapping().tables["kpis"].columns["name"].same_as
    return {theirs.casefold(): ours for theirs, ours in same_as.items()}


def check_names(connection: Connection) -> None:
    """Two that would be the same one of ours: the one that is here, or the older, stays."""
    names = list(names_of_ours())
    ours = "lower(w.title) = ANY (:names)"
    add_twins(connection, "kpis", "name", "lower(btrim(o.body ->> 'name'))", ours, names=names)


def define_indicators(connection: Connection) -> None:
    """Finds or writes the indicator of ours for each one of the old service that is good."""
    dataset = current_specification(connection).dataset
    rows = tables.legacy_rows
    for row in connection.execute(_indicators()).all():
        here = _of_ours(connection, row) or _of_its_own(connection, row, dataset)
        if (row.local_table, row.local_id) != ("kpis", here):
            connection.execute(
                rows.update().where(rows.c.id == row.id).values(local_table="kpis", local_id=here)
            )


def _reading(column: str) -> str:
    return reading(column, shipped_mapping().tables["kpis"].columns[column]).value


def _indicators() -> sa.TextClause:
    return sa.text(
        f"SELECT r.id, r.legacy_id, r.local_table, r.local_id, {_reading('name')} AS title, "
        f"{_reading('unit')} AS unit, {_reading('query')} AS query FROM legacy_rows r "
        "WHERE r.legacy_table = 'kpis' AND r.gone_at IS NULL AND r.imported = r.checksum "
        "ORDER BY r.legacy_id"
    )


def _of_ours(connection: Connection, row: sa.Row[Any]) -> int | None:
    name = names_of_ours().get(row.title.casefold())
    found = None if name is None else newest_version(connection, name)
    if found is not None and row.local_table == "kpis" and row.local_id != found:
        _retire(connection, row.local_id)
    return found


def _of_its_own(connection: Connection, row: sa.Row[Any], dataset: str) -> int:
    name = f"{OLD}{row.legacy_id}-{_plain(row.title)}"[:LONGEST_NAME].strip("-")
    if row.local_table == "kpis":
        known = get_kpi(connection, row.local_id).definition
        name = known.kpi if known.kpi.startswith(OLD) else name
    wanted = _definition(name, row)
    newest = newest_version(connection, name)
    if newest is not None and _stays(get_kpi(connection, newest), wanted, row):
        return newest
    return take_over_kpi(connection, dataset, wanted)


def _stays(known: KnownKpi, wanted: Kpi, row: sa.Row[Any]) -> bool:
    """What is measured here by now, or was retired by somebody, is left to them."""
    if known.state == KpiState.RETIRED:
        return bool(row.local_table == "kpis")
    return known.state == KpiState.PUBLISHED or known.definition == wanted


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "indicator"


def _definition(name: str, row: sa.Row[Any]) -> Kpi:
    title = row.title
    if len(title) > LONGEST_TITLE:
        title = title[: LONGEST_TITLE - 1].rstrip() + "…"
    return Kpi(
        kpi=name,
        title=title,
        description=f"{row.title}, as the old service measured it."[:LONGEST_DESCRIPTION],
        unit=row.unit or "ratio",
        source=SOURCE,
        taken_over=True,
        old_query=row.query or "",
    )


def newest_version(connection: Connection, name: str) -> int | None:
    """The version of an indicator that is shown, or else the last that was."""
    kpis = tables.kpis.c
    query = (
        sa.select(kpis.id)
        .where(kpis.kpi == name, kpis.state != KpiState.DRAFT)
        .order_by(kpis.state.in_(SHOWN).desc(), kpis.version.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def retire_gone(connection: Connection) -> None:
    """Indicators that are gone from the old service are shown no longer, where nobody took to
    measuring them."""
    gone = connection.execute(
        sa.text(
            "UPDATE legacy_rows r SET local_table = NULL, local_id = NULL FROM migration_gone g "
            "WHERE r.id = g.row_id AND r.local_table = 'kpis' RETURNING g.local_id"
        )
    )
    for kpi_id in gone.scalars().all():
        _retire(connection, kpi_id)


def _retire(connection: Connection, kpi_id: int) -> None:
    if get_kpi(connection, kpi_id).state == KpiState.TAKEN_OVER:
        retire_kpi(connection, kpi_id)


# Figures


def check_figures(connection: Connection) -> None:
    """What no figure can be: below nothing, a share of more than the whole, one of two."""
    for column in ("numerator", "denominator"):
        add_problem(connection, column, "below-zero", "NULL", f"w.{column} < 0")
    shares = ", ".join(literal(unit) for unit in sorted(SHARES))
    share = (
        "EXISTS (SELECT FROM kpis k WHERE k.id = w.kpi_id "
        f"AND k.body ->> 'unit' IN ({shares}) AND w.numerator > coalesce(w.denominator, 0))"
    )
    add_problem(connection, "numerator", "no-share", "NULL", share)
    add_twins(
        connection, "kpiResults", "submissionId", "o.body -> 'kpiId', o.body -> 'submissionId'"
    )


def write_figures(connection: Connection) -> None:
    """Brings the figures of months of the old service up to what it says; where it says nothing any
    more, ours are measured."""
    connection.execute(sa.text("DROP TABLE IF EXISTS migration_figures"))
    connection.execute(_figures())
    connection.execute(_WRITE)
    measure_months(connection, list(connection.execute(_FORGET).scalars()))


def measure_months(connection: Connection, run_ids: list[int]) -> None:
    """Asks for runs to be measured, as for any other run a moment after it is published."""
    runs, submissions, organisations = tables.runs, tables.submissions, tables.organisations
    query = (
        sa.select(runs.c.id, runs.c.submission_id, submissions.c.month, organisations.c.code)
        .join(submissions, submissions.c.run_id == runs.c.id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .where(runs.c.id.in_(run_ids))
        .order_by(runs.c.id)
    )
    for row in connection.execute(query).all():
        event = event_catalogue.KpisRequested(
            provider=row.code,
            month=f"{row.month:%Y-%m}",
            submission_id=row.submission_id,
            run_id=row.id,
        )
        raise_event(connection, event)


def _figure(column: str) -> str:
    return reading(column, shipped_mapping().tables["kpiResults"].columns[column]).value


_SHOWN = ", ".join(literal(state) for state in SHOWN)


def _figures() -> sa.TextClause:
    """The figures that are to stand here, with the version of their indicator that is shown."""
    return sa.text(f"""
        CREATE TEMP TABLE migration_figures ON COMMIT DROP AS
        WITH versions AS (
            SELECT DISTINCT ON (kpi) kpi, id FROM kpis WHERE state <> 'draft'
            ORDER BY kpi, state IN ({_SHOWN}) DESC, version DESC
        ), indicators AS (
            SELECT k.legacy_id, v.id FROM legacy_rows k JOIN kpis d ON d.id = k.local_id
            JOIN versions v ON v.kpi = d.kpi
            WHERE k.legacy_table = 'kpis' AND k.local_table = 'kpis'
        )
        SELECT s.run_id, i.id AS kpi_id, {_figure("numerator")} AS numerator,
            coalesce({_figure("denominator")}, 0) AS denominator
        FROM legacy_rows r
        JOIN submissions s ON s.id = r.local_id JOIN runs ON runs.id = s.run_id AND {RUN_OF_OLD}
        JOIN indicators i ON i.legacy_id = {_figure("kpiId")}
        WHERE r.legacy_table = 'kpiResults' AND r.imported IS NOT NULL
    """)


_WRITE = sa.text("""
    INSERT INTO kpi_results AS k (run_id, kpi_id, numerator, denominator, taken_over)
    SELECT run_id, kpi_id, numerator, denominator, true FROM migration_figures
    ON CONFLICT (run_id, kpi_id) DO UPDATE SET numerator = excluded.numerator,
        denominator = excluded.denominator, failure = NULL, taken_over = true, measured_at = now()
        WHERE (k.numerator, k.denominator, k.taken_over)
            IS DISTINCT FROM (excluded.numerator, excluded.denominator, true)
""")
_FORGET = sa.text(f"""
    WITH past AS (
        SELECT k.run_id, k.kpi_id, runs.id = s.run_id AS stands FROM kpi_results k
        JOIN runs ON runs.id = k.run_id JOIN submissions s ON s.id = runs.submission_id
        WHERE k.taken_over AND EXISTS (SELECT FROM runs WHERE runs.id = s.run_id AND {RUN_OF_OLD})
            AND NOT EXISTS (SELECT FROM migration_figures f
                WHERE (f.run_id, f.kpi_id) = (k.run_id, k.kpi_id))
    ), forgotten AS (
        DELETE FROM kpi_results k USING past WHERE (k.run_id, k.kpi_id) = (past.run_id, past.kpi_id)
        RETURNING k.run_id, past.stands
    )
    SELECT DISTINCT run_id FROM forgotten WHERE stands
""")
"""Months that were run here since keep what was told of them before."""
