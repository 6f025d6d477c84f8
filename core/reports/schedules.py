"""Reports that are made every month, as soon as all awaited providers have submitted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import NotAllowed, scope_of
from core.configurations.in_force import holdings_of, tariffs_in_force
from core.database import tables
from core.database.locks import hold_until_end
from core.documents import parse_document
from core.reports.requests import (
    ReportRequest,
    request_report,
    require_report_permission,
    runs_to_show,
    year_from,
)
from core.user_errors import UserError
from core.vocabulary.states.submissions import HANDED_IN


@dataclass(frozen=True)
class Schedule:
    """A report that is made every month; the months of ``request`` are only a pattern."""

    id: int
    user_id: int
    request: ReportRequest
    months_made: int


def add_schedule(connection: Connection, request: ReportRequest, *, user_id: int) -> int:
    """Schedules a report for every month from now on; raises ``UserError`` for an existing one."""
    existing = [
        schedule
        for schedule in schedules_of(connection, user_id)
        if _alike(schedule.request, request)
    ]
    if existing:
        raise UserError("You have this report every month already.")
    statement = (
        tables.report_schedules.insert()
        .values(user_id=user_id, parameters=request.model_dump(mode="json"))
        .returning(tables.report_schedules.c.id)
    )
    return int(connection.execute(statement).scalar_one())


def end_schedule(connection: Connection, schedule_id: int, *, user_id: int) -> None:
    """Ends a schedule; reports that were made stay."""
    schedules = tables.report_schedules
    connection.execute(
        schedules.update()
        .where(schedules.c.id == schedule_id, schedules.c.user_id == user_id)
        .values(active=False)
    )


def schedules_of(connection: Connection, user_id: int) -> list[Schedule]:
    """The person's schedules, oldest first."""
    return _schedules(connection, tables.report_schedules.c.user_id == user_id)


def request_scheduled(connection: Connection, month: dt.date) -> list[int]:
    """Requests the scheduled reports of ``month`` that are complete; returns their ids.

    Each is requested once, however often this is called.
    """
    report_ids: list[int] = []
    for schedule in _schedules(connection, sa.true()):
        request = of_month(schedule.request, month)
        if _may_still(connection, schedule) and _nothing_is_missing(connection, request, month):
            report_ids += _request_once(connection, schedule, request, month)
    return report_ids


def of_month(pattern: ReportRequest, month: dt.date) -> ReportRequest:
    """The request for the month, or for the year that contains it and begins as the pattern's."""
    if pattern.about.span != "year":
        months = {"first_month": month, "last_month": month}
    else:
        begins = pattern.first_month.month
        first = dt.date(month.year - (month.month < begins), begins, 1)
        months = {"first_month": first, "last_month": year_from(first)}
    return pattern.model_copy(update=months)


def awaited_months(
    connection: Connection, request: ReportRequest, month: dt.date
) -> set[tuple[str, str]]:
    """The submissions that the report of a month waits for, as provider and data set: those of the
    provider itself; for a commissioner, of all providers of the tariffs in which it takes part."""
    configurations = tables.configurations
    serving = {
        (provider, dataset): tariff
        for provider, held in holdings_of(connection).items()
        for dataset, tariff in tariffs_in_force(held, month).items()
        if request.dataset in (None, dataset)
    }
    query = sa.select(configurations.c.id, configurations.c.body).where(
        configurations.c.id.in_(set(serving.values()))
    )
    bodies = dict(connection.execute(query).tuples().all())
    return {
        (provider, dataset)
        for (provider, dataset), tariff in serving.items()
        if _takes_part(request, provider, bodies[tariff])
    }


def _takes_part(request: ReportRequest, provider: str, body: str) -> bool:
    if request.side == "provider":
        return provider == request.organisation
    if request.only and provider not in request.only:
        return False
    return request.organisation in _commissioners(body)


@lru_cache(maxsize=64)
def _commissioners(body: str) -> frozenset[str]:
    """The codes of the commissioners that take part in a configuration."""
    return frozenset(parse_document(body, name="").data.get("commissioners") or {})


def _schedules(connection: Connection, condition: sa.ColumnElement[bool]) -> list[Schedule]:
    schedules, made = tables.report_schedules, tables.report_schedule_months
    count = (
        sa.select(sa.func.count())
        .where(made.c.schedule_id == schedules.c.id)
        .scalar_subquery()
        .label("months_made")
    )
    query = (
        sa.select(schedules, count).where(condition, schedules.c.active).order_by(schedules.c.id)
    )
    return [
        Schedule(row.id, row.user_id, ReportRequest.model_validate(row.parameters), row.months_made)
        for row in connection.execute(query)
    ]


def _alike(first: ReportRequest, second: ReportRequest) -> bool:
    names = ("kind", "side", "organisation", "only", "labels", "dataset")
    return all(getattr(first, name) == getattr(second, name) for name in names)


def _may_still(connection: Connection, schedule: Schedule) -> bool:
    """Whether the person may still have such a report."""
    users = tables.users
    active = sa.select(users.c.active).where(users.c.id == schedule.user_id)
    try:
        require_report_permission(scope_of(connection, schedule.user_id), schedule.request)
    except NotAllowed:
        return False
    return bool(connection.execute(active).scalar_one())


def _nothing_is_missing(connection: Connection, request: ReportRequest, month: dt.date) -> bool:
    awaited = awaited_months(connection, request, month)
    submissions, organisations = tables.submissions, tables.organisations
    query = (
        sa.select(organisations.c.code, submissions.c.dataset)
        .join(submissions, submissions.c.provider_id == organisations.c.id)
        .where(submissions.c.month == month, submissions.c.state.in_(HANDED_IN))
    )
    handed_in = {(row.code, row.dataset) for row in connection.execute(query)}
    return bool(awaited) and awaited <= handed_in and bool(runs_to_show(connection, request))


def _request_once(
    connection: Connection, schedule: Schedule, request: ReportRequest, month: dt.date
) -> Sequence[int]:
    made = tables.report_schedule_months
    existing = sa.select(made.c.report_id).where(
        made.c.schedule_id == schedule.id, made.c.month == month
    )
    hold_until_end(connection, f"report schedule {schedule.id}")
    if connection.execute(existing).first() is not None:
        return ()
    report_id = request_report(connection, request, user_id=schedule.user_id, is_scheduled=True)
    connection.execute(
        insert(made).values(schedule_id=schedule.id, month=month, report_id=report_id)
    )
    return (report_id,)
