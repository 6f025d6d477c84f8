"""The indicators of the service: written, published, retired; every version is kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope, require
from core.database import tables
from core.database.locks import hold_until_end
from core.database.moving import change_state
from core.events.outbox import raise_event
from core.kpis.definitions import Kpi, Library, shipped_library
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.permissions import Action
from core.vocabulary.states.kpis import KPI_MACHINE, SHOWN, KpiState
from core.vocabulary.states.submissions import RunState

MEASURED_AGAIN_DAYS = 400
"""Runs of so many days back are measured again when an indicator is published."""
GRACE_PERIOD = dt.timedelta(hours=1)
"""The time after a run in which missing figures are not requested again."""


@dataclass(frozen=True)
class KpiVersion:
    """A stored version of an indicator."""

    id: int
    version: int
    dataset: str
    state: KpiState
    definition: Kpi
    written_by: str | None
    written_at: dt.datetime


def write_kpi(
    connection: Connection, dataset: str, definition: Kpi, *, user_id: int | None = None
) -> int:
    """Stores a new version as a draft; returns its id."""
    require(connection, user_id, Action.EDIT_CONFIGURATION)
    kpis = tables.kpis
    hold_until_end(connection, f"indicator {definition.kpi}")
    newest = sa.select(sa.func.coalesce(sa.func.max(kpis.c.version), 0)).where(
        kpis.c.kpi == definition.kpi
    )
    statement = (
        kpis.insert()
        .values(
            kpi=definition.kpi,
            version=connection.execute(newest).scalar_one() + 1,
            dataset=dataset,
            body=definition.model_dump(mode="json"),
            written_by=user_id,
        )
        .returning(kpis.c.id)
    )
    return int(connection.execute(statement).scalar_one())


def publish_kpi(connection: Connection, kpi_id: int, *, user_id: int | None = None) -> None:
    """Publishes a version, which replaces the previous one and is measured from now on."""
    require(connection, user_id, Action.PUBLISH_CONFIGURATION)
    version = get_kpi(connection, kpi_id)
    if not version.definition.sql.strip():
        raise UserError(f"{version.definition.kpi} has no query: nothing can measure it.")
    _replace(connection, version, KpiState.PUBLISHED, user_id)
    payload = {"kpi_id": kpi_id, "kpi": version.definition.kpi, "dataset": version.dataset}
    raise_event(connection, event_catalogue.KpiPublished(**payload), user_id=user_id)


def take_over_kpi(connection: Connection, dataset: str, definition: Kpi) -> int:
    """Stores an indicator of the old service, which is shown but not measured here and replaces the
    previous version; returns its id."""
    kpi_id = write_kpi(connection, dataset, definition)
    _replace(connection, get_kpi(connection, kpi_id), KpiState.TAKEN_OVER, None)
    return kpi_id


def _replace(
    connection: Connection, version: KpiVersion, state: KpiState, user_id: int | None
) -> None:
    """Shows this version from now on, instead of the previous one."""
    kpis = tables.kpis
    before = sa.select(kpis.c.id).where(
        kpis.c.kpi == version.definition.kpi, kpis.c.state.in_(SHOWN)
    )
    for old in connection.execute(before).scalars().all():
        _move(connection, old, KpiState.RETIRED, user_id, f"replaced by version {version.version}")
    _move(connection, version.id, state, user_id, "")


def measure_again(connection: Connection, dataset: str, now: dt.datetime) -> int:
    """Requests the measuring of the recent months of a data set; returns how many."""
    requests = _recent_runs(connection, dataset, now)
    for request in requests:
        raise_event(connection, request)
    return len(requests)


def retire_kpi(connection: Connection, kpi_id: int, *, user_id: int | None = None) -> None:
    """Retires an indicator: it is no longer measured; its figures stay."""
    require(connection, user_id, Action.PUBLISH_CONFIGURATION)
    _move(connection, kpi_id, KpiState.RETIRED, user_id, "")


def get_kpi(connection: Connection, kpi_id: int) -> KpiVersion:
    """A version of an indicator; raises ``UserError`` for an unknown id."""
    row = connection.execute(_query().where(tables.kpis.c.id == kpi_id)).first()
    if row is None:
        raise UserError(f"There is no indicator {kpi_id}.")
    return _version(row)


def published_kpis(connection: Connection, dataset: str) -> list[KpiVersion]:
    """The indicators that are measured for each run of the data set, oldest first."""
    kpis = tables.kpis
    query = _query().where(kpis.c.dataset == dataset, kpis.c.state == KpiState.PUBLISHED)
    return [_version(row) for row in connection.execute(query.order_by(kpis.c.id))]


def all_kpis(connection: Connection, scope: Scope) -> list[KpiVersion]:
    """Every version, the newest of each name first; for users who may edit indicators."""
    scope.require(Action.EDIT_CONFIGURATION)
    kpis = tables.kpis
    rows = connection.execute(_query().order_by(kpis.c.kpi, kpis.c.version.desc()))
    return [_version(row) for row in rows]


def import_library(connection: Connection, library: Library) -> list[str]:
    """Publishes the indicators of a library that are new or changed; returns their names."""
    published = {
        kpi.definition.kpi: kpi.definition for kpi in published_kpis(connection, library.dataset)
    }
    return _publish(
        connection, library, [kpi for kpi in library.kpis if published.get(kpi.kpi) != kpi]
    )


def import_shipped(connection: Connection, dataset: str) -> list[str]:
    """Publishes the shipped indicators of a data set that do not exist here; returns their names.

    Indicators that were changed or retired here are unchanged.
    """
    library = shipped_library()
    if library.dataset != dataset:
        return []
    existing = set(connection.execute(sa.select(tables.kpis.c.kpi)).scalars())
    return _publish(connection, library, [kpi for kpi in library.kpis if kpi.kpi not in existing])


def _publish(connection: Connection, library: Library, kpis: list[Kpi]) -> list[str]:
    for kpi in kpis:
        publish_kpi(connection, write_kpi(connection, library.dataset, kpi))
    return [kpi.kpi for kpi in kpis]


def request_missing(connection: Connection, now: dt.datetime) -> int:
    """Requests again the measuring of runs that lack a figure after the grace period."""
    requested = 0
    results = tables.kpi_results
    for dataset in connection.execute(sa.select(tables.kpis.c.dataset).distinct()).scalars().all():
        kpi_ids = {kpi.id for kpi in published_kpis(connection, dataset)}
        for request in _recent_runs(connection, dataset, now - GRACE_PERIOD):
            measured = sa.select(results.c.kpi_id).where(results.c.run_id == request.run_id)
            if kpi_ids - set(connection.execute(measured).scalars()):
                raise_event(connection, request)
                requested += 1
    return requested


def _recent_runs(
    connection: Connection, dataset: str, finished_before: dt.datetime
) -> list[event_catalogue.KpisRequested]:
    """The recent published runs, each as the event that requests its measuring."""
    runs, configurations, datasets = tables.runs, tables.configurations, tables.datasets
    submissions, organisations = tables.submissions, tables.organisations
    since = finished_before - dt.timedelta(days=MEASURED_AGAIN_DAYS)
    query = (
        sa.select(runs.c.id, runs.c.submission_id, submissions.c.month, organisations.c.code)
        .join(submissions, submissions.c.run_id == runs.c.id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .join(configurations, configurations.c.id == runs.c.configuration_id)
        .join(datasets, datasets.c.id == configurations.c.dataset_id)
        .where(
            datasets.c.dataset == dataset,
            runs.c.state == RunState.PUBLISHED,
            runs.c.finished_at.between(since, finished_before),
        )
        .order_by(runs.c.id)
    )
    return [
        event_catalogue.KpisRequested(
            provider=row.code,
            month=f"{row.month:%Y-%m}",
            submission_id=row.submission_id,
            run_id=row.id,
        )
        for row in connection.execute(query)
    ]


def _move(
    connection: Connection, kpi_id: int, state: KpiState, user_id: int | None, reason: str
) -> None:
    change_state(
        connection, tables.kpis, KPI_MACHINE, kpi_id, state, user_id=user_id, reason=reason
    )


def _query() -> sa.Select[Any]:
    kpis, users = tables.kpis, tables.users
    return sa.select(kpis, users.c.name.label("writer")).outerjoin(
        users, users.c.id == kpis.c.written_by
    )


def _version(row: sa.Row[Any]) -> KpiVersion:
    return KpiVersion(
        row.id,
        row.version,
        row.dataset,
        KpiState(row.state),
        Kpi.model_validate(row.body),
        row.writer,
        row.written_at,
    )
