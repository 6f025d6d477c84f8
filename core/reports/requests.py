"""Requests for reports, and the rules of what a report may show to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy import Connection

from core.access.scope import NotAllowed, Scope, scope_of
from core.configurations.in_force import service_of
from core.database import tables
from core.engine.tariff.months import Month
from core.events.outbox import raise_event
from core.settings import settings
from core.submissions.transitions import move
from core.user_errors import UserError
from core.vocabulary import event_catalogue
from core.vocabulary.permissions import Action
from core.vocabulary.report_kinds import KINDS, ReportDescription, ReportKind, Side
from core.vocabulary.states.reports import REPORT_MACHINE, ReportState


class ReportRequest(BaseModel):
    """A request for a report. A provider sees its own activity; a commissioner sees charges that it
    pays, of final runs only (docs/permissions.md).

    ``only`` limits the report to some counterparts: commissioners for a provider, providers for a
    commissioner. ``labels`` writes the labels of codes.
    """

    model_config = ConfigDict(frozen=True)

    kind: ReportKind = ReportKind.BACKING_DATA
    side: Side
    organisation: str  # the provider's code, or the commissioner's area code
    organisation_name: str
    first_month: dt.date
    last_month: dt.date
    asked_by: str
    only: tuple[str, ...] = ()
    labels: bool = False
    dataset: str | None = None  # its name; None: all
    service: str = ""  # its title, where there are several data sets

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ReportRequest:
        if self.last_month < self.first_month:
            raise ValueError("the last month is before the first")
        if self.side not in self.about.sides:
            raise ValueError(f"a {self.about.title} is made for a {self.about.sides[0]}")
        if self.about.span == "month" and self.first_month != self.last_month:
            raise ValueError(f"a {self.about.title} is of one month")
        if self.about.span == "year" and not self._is_a_year:
            raise ValueError("a year is April to March, or January to December")
        if self.about.to_one and len(self.only) != 1:
            raise ValueError(f"a {self.about.title} names one commissioner")
        return self

    @property
    def _is_a_year(self) -> bool:
        first = self.first_month
        return first.month in (1, 4) and self.last_month == year_from(first)

    @property
    def about(self) -> ReportDescription:
        """The description of this kind of report."""
        return KINDS[self.kind]

    @property
    def commissioners(self) -> tuple[str, ...]:
        """The commissioners whose charges are shown; empty: all of them."""
        return (self.organisation,) if self.side == "commissioner" else self.only

    @property
    def title(self) -> str:
        parts = (self.about.title, self.organisation_name, self.service, self.period)
        return ", ".join(filter(None, parts))

    @property
    def period(self) -> str:
        if self.first_month == self.last_month:
            return Month.of(self.first_month).name
        return f"{Month.of(self.first_month).name} to {Month.of(self.last_month).name}"

    @property
    def file_name(self) -> str:
        months = {str(Month.of(month)): None for month in (self.first_month, self.last_month)}
        of_dataset = (self.dataset,) if self.service and self.dataset else ()
        who = (self.organisation, *self.only[:1], *of_dataset)
        return f"{' '.join((self.about.title, *who, ' to '.join(months)))}.xlsx"


def year_from(first: dt.date) -> dt.date:
    """The last month of the twelve that begin with ``first``."""
    return Month.of(first).plus(11).first


def request_report(
    connection: Connection,
    request: ReportRequest,
    *,
    user_id: int | None,
    is_scheduled: bool = False,
) -> int:
    """Queues a report and returns its id; raises ``UserError`` where there is nothing to show, or
    where the user has too many under way (but for those that are made every month)."""
    require_report_permission(scope_of(connection, user_id), request)
    if user_id is not None and not is_scheduled:
        _require_room(connection, user_id)
    runs = runs_to_show(connection, request)
    if not runs:
        raise UserError(nothing_to_show(request))
    _refuse_several_datasets(request, runs)
    statement = (
        tables.reports.insert()
        .values(
            kind=request.kind,
            parameters=request.model_dump(mode="json"),
            state=ReportState.REQUESTED,
            requested_by=user_id,
            name=request.file_name,
        )
        .returning(tables.reports.c.id)
    )
    report_id = int(connection.execute(statement).scalar_one())
    event = event_catalogue.ReportRequested(**event_names(report_id, request))
    raise_event(connection, event, user_id=user_id)
    return report_id


def services_of(runs: Sequence[sa.Row[Any]]) -> dict[str, str]:
    """Name to title of the data sets of the runs, where there are several; else empty."""
    services = {run.dataset: run.service for run in runs}
    return services if len(services) > 1 else {}


def _refuse_several_datasets(request: ReportRequest, runs: Sequence[sa.Row[Any]]) -> None:
    """A report of one submission, or of merged records, is of one data set."""
    services = services_of(runs)
    if services and (request.about.span == "month" or "episodes" in request.about.facts):
        raise UserError(
            f"A {request.about.title} is of one data set. Say which one: {', '.join(services)} "
            "(--dataset)."
        )


def _require_room(connection: Connection, user_id: int) -> None:
    reports, most = tables.reports, settings().open_reports
    query = sa.select(sa.func.count()).where(
        reports.c.requested_by == user_id,
        reports.c.state.in_([ReportState.REQUESTED, ReportState.COLLATING]),
    )
    if connection.execute(query).scalar_one() >= most:
        raise UserError(f"{most} of your reports are being made. Ask for more when some are done.")


def require_report_permission(scope: Scope, request: ReportRequest) -> None:
    """Raises ``NotAllowed`` unless the scope may have this report of that organisation."""
    action = request.about.action
    if not scope.unlimited and request.organisation not in scope.codes(action, request.side):
        raise NotAllowed(action)


def request_again(
    connection: Connection, report_id: int, *, user_id: int | None, reason: str
) -> None:
    """Queues a report again that failed, expired or is outdated; raises ``TransitionRefused``.

    Allowed are its user, while they may have such a report, and operators; others are refused
    (``NotAllowed``).
    """
    reports = tables.reports
    query = sa.select(reports.c.parameters, reports.c.requested_by).where(reports.c.id == report_id)
    report = connection.execute(query).one()
    request = ReportRequest.model_validate(report.parameters)
    scope = scope_of(connection, user_id)
    if scope.unlimited or report.requested_by != user_id:
        scope.require(Action.OPERATE)
    else:
        require_report_permission(scope, request)
    move(
        connection,
        tables.reports,
        REPORT_MACHINE,
        report_id,
        ReportState.REQUESTED,
        user_id=user_id,
        reason=reason,
        failure=None,
    )
    event = event_catalogue.ReportRequested(**event_names(report_id, request))
    raise_event(connection, event, user_id=user_id)


def event_names(report_id: int, request: ReportRequest) -> dict[str, Any]:
    """The payload that every event of a report carries."""
    return {"report_id": report_id, "kind": request.kind, "report": request.title}


def runs_to_show(connection: Connection, request: ReportRequest) -> list[sa.Row[Any]]:
    """The published runs that the report draws on, by month and provider."""
    submissions, runs, organisations = tables.submissions, tables.runs, tables.organisations
    query = (
        sa.select(
            runs.c.id,
            runs.c.number,
            runs.c.kind,
            runs.c.finished_at,
            runs.c.submission_id,
            submissions.c.month,
            submissions.c.dataset,
            service_of(submissions.c.dataset).label("service"),
            organisations.c.code.label("provider"),
            organisations.c.name.label("provider_name"),
        )
        .join(submissions, submissions.c.run_id == runs.c.id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .where(submissions.c.month.between(request.first_month, request.last_month))
        .order_by(submissions.c.month, organisations.c.code, submissions.c.dataset)
    )
    if request.dataset is not None:
        query = query.where(submissions.c.dataset == request.dataset)
    query = query.where(_may_see(request.side, request.organisation))
    if request.about.final_only:
        query = query.where(runs.c.kind == "final")
    if request.side == "commissioner" and request.only:
        query = query.where(organisations.c.code.in_(request.only))
    return list(connection.execute(query))


def months_to_show(
    connection: Connection, scope: Scope, side: Side, organisation: str
) -> list[dt.date]:
    """The months with charges that the organisation may see, latest first."""
    if not scope.unlimited and organisation not in scope.codes(Action.SEE_CHARGES, side):
        return []
    submissions, runs, organisations = tables.submissions, tables.runs, tables.organisations
    query = (
        sa.select(submissions.c.month)
        .distinct()
        .join(runs, runs.c.id == submissions.c.run_id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .where(_may_see(side, organisation))
        .order_by(submissions.c.month.desc())
    )
    return list(connection.execute(query).scalars())


def datasets_to_show(
    connection: Connection, scope: Scope, request: ReportRequest
) -> dict[str, str]:
    """Name to title of the data sets that the report could be of, where there are several."""
    if not scope.unlimited and request.organisation not in scope.codes(
        Action.SEE_CHARGES, request.side
    ):
        raise NotAllowed(Action.SEE_CHARGES)
    return services_of(runs_to_show(connection, request))


def counterparts_to_show(connection: Connection, scope: Scope, request: ReportRequest) -> list[str]:
    """The codes of the counterparts in the charges that a report could show: the commissioners that
    pay a provider's activity, or the providers that charge a commissioner."""
    if not scope.unlimited and request.organisation not in scope.codes(
        Action.SEE_CHARGES, request.side
    ):
        raise NotAllowed(Action.SEE_CHARGES)
    run_ids = [run.id for run in runs_to_show(connection, request)]
    charges, runs = tables.charges, tables.runs
    if request.side == "provider":
        query = sa.select(charges.c.commissioner).where(charges.c.commissioner.is_not(None))
        query = query.where(charges.c.run_id.in_(run_ids))
    else:
        submissions, organisations = tables.submissions, tables.organisations
        query = (
            sa.select(organisations.c.code)
            .join(submissions, submissions.c.provider_id == organisations.c.id)
            .join(runs, runs.c.submission_id == submissions.c.id)
            .where(runs.c.id.in_(run_ids))
        )
    return sorted(connection.execute(query.distinct()).scalars())


def _may_see(side: str, organisation: str) -> sa.ColumnElement[bool]:
    """The condition on runs: all of a provider's own; of others only final ones that charge the
    commissioner, which does not even learn of runs that charge it nothing.
    """
    runs, payers = tables.runs, tables.run_payers
    if side == "provider":
        return tables.organisations.c.code == organisation
    pays = (
        sa.select(payers.c.run_id)
        .where(payers.c.run_id == runs.c.id, payers.c.commissioner == organisation)
        .exists()
    )
    return sa.and_(runs.c.kind == "final", pays)


def nothing_to_show(request: ReportRequest) -> str:
    """The sentence that says why there is nothing to show."""
    if request.about.final_only:
        return f"No month of {request.period} has been submitted yet. Submit it first."
    if request.side == "provider":
        return (
            f"There are no charges for {request.period} yet. "
            "Run the month as a draft or submit it first."
        )
    return f"No provider has submitted charges to {request.organisation_name} for {request.period}."
