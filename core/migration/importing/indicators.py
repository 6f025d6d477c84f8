"""Indicators of the old service and their figures.

An indicator that the mapping identifies with one of ours is imported as that one. Any other becomes
a separate indicator, which is never measured here. Figures are marked as taken over and belong to
the month's run: a figure that people have seen does not change.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.events.outbox import raise_event
from core.kpis.catalogue import KpiVersion, get_kpi, retire_kpi, take_over_kpi
from core.kpis.definitions import SHARES, Kpi
from core.migration.importing.dataset import dataset_taken_over
from core.migration.reading.mapping import shipped_mapping
from core.migration.reading.staging import add_duplicates, add_problem
from core.migration.reading.transforms import literal, reading
from core.vocabulary import event_catalogue
from core.vocabulary.states.kpis import SHOWN, KpiState

OLD_PREFIX = "old-"
SOURCE = "The old service."
LONGEST_NAME, LONGEST_TITLE, LONGEST_DESCRIPTION = 60, 80, 400
MIGRATED_RUN = "runs.requested_by IS NULL AND runs.flow_run IS NULL"
"""A run that the migration published: the month was never calculated here."""


def names_here() -> dict[str, str]:
    """Name of an indicator in the old service, in lower case, to the name of the same one here."""
    same_as = shipped_mapping().tables["kpis"].columns["name"].same_as
    return {theirs.casefold(): ours for theirs, ours in same_as.items()}


def check_names(connection: Connection) -> None:
    """Of two indicators that would be the same one here, the imported or the older one stays."""
    names = list(names_here())
    ours = "lower(w.title) = ANY (:names)"
    add_duplicates(connection, "kpis", "name", "lower(btrim(o.body ->> 'name'))", ours, names=names)


def define_indicators(connection: Connection) -> None:
    """Finds or writes our indicator for each faultless one of the old service."""
    dataset = dataset_taken_over(connection)
    rows = tables.legacy_rows
    for row in connection.execute(_indicators()).all():
        here = _same_indicator(connection, row) or _separate_indicator(connection, row, dataset)
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


def _same_indicator(connection: Connection, row: sa.Row[Any]) -> int | None:
    name = names_here().get(row.title.casefold())
    version = None if name is None else newest_version(connection, name)
    if version is not None and row.local_table == "kpis" and row.local_id != version:
        _retire(connection, row.local_id)
    return version


def _separate_indicator(connection: Connection, row: sa.Row[Any], dataset: str) -> int:
    name = f"{OLD_PREFIX}{row.legacy_id}-{_plain(row.title)}"[:LONGEST_NAME].strip("-")
    if row.local_table == "kpis":
        current = get_kpi(connection, row.local_id).definition
        name = current.kpi if current.kpi.startswith(OLD_PREFIX) else name
    definition = _definition(name, row)
    newest = newest_version(connection, name)
    if newest is not None and _unchanged(get_kpi(connection, newest), definition, row):
        return newest
    return take_over_kpi(connection, dataset, definition)


def _unchanged(current: KpiVersion, definition: Kpi, row: sa.Row[Any]) -> bool:
    """Whether the indicator stays: it is measured here by now, was retired, or is the same."""
    if current.state == KpiState.RETIRED:
        return bool(row.local_table == "kpis")
    return current.state == KpiState.PUBLISHED or current.definition == definition


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
    """The id of the version of an indicator that is shown, or of the last that was."""
    kpis = tables.kpis.c
    query = (
        sa.select(kpis.id)
        .where(kpis.kpi == name, kpis.state != KpiState.DRAFT)
        .order_by(kpis.state.in_(SHOWN).desc(), kpis.version.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def retire_gone(connection: Connection) -> None:
    """Retires indicators that are gone from the old service, unless they are measured here."""
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
    """Notes impossible figures: below zero, a share above the whole, two for one month."""
    for column in ("numerator", "denominator"):
        add_problem(connection, column, "below-zero", "NULL", f"w.{column} < 0")
    shares = ", ".join(literal(unit) for unit in sorted(SHARES))
    share = (
        "EXISTS (SELECT FROM kpis k WHERE k.id = w.kpi_id "
        f"AND k.body ->> 'unit' IN ({shares}) AND w.numerator > coalesce(w.denominator, 0))"
    )
    add_problem(connection, "numerator", "no-share", "NULL", share)
    add_duplicates(
        connection, "kpiResults", "submissionId", "o.body -> 'kpiId', o.body -> 'submissionId'"
    )


def write_figures(connection: Connection) -> None:
    """Updates the figures of months of the old service to what it sends; months for which it sends
    none any more are measured here."""
    connection.execute(sa.text("DROP TABLE IF EXISTS migration_figures"))
    connection.execute(_figures())
    connection.execute(_WRITE)
    measure_months(connection, list(connection.execute(_FORGET).scalars()))


def measure_months(connection: Connection, run_ids: list[int]) -> None:
    """Requests the measuring of runs, as is done for every run after it is published."""
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
    """The statement that lists the figures to store, with the shown version of their indicator."""
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
        JOIN submissions s ON s.id = r.local_id JOIN runs ON runs.id = s.run_id AND {MIGRATED_RUN}
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
        WHERE k.taken_over AND EXISTS (SELECT FROM runs WHERE runs.id = s.run_id AND {MIGRATED_RUN})
            AND NOT EXISTS (SELECT FROM migration_figures f
                WHERE (f.run_id, f.kpi_id) = (k.run_id, k.kpi_id))
    ), forgotten AS (
        DELETE FROM kpi_results k USING past WHERE (k.run_id, k.kpi_id) = (past.run_id, past.kpi_id)
        RETURNING k.run_id, past.stands
    )
    SELECT DISTINCT run_id FROM forgotten WHERE stands
""")
"""Months that were calculated here since keep their earlier figures."""
