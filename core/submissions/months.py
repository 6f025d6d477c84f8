"""Submissions: the months of providers, to which files belong."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import Scope
from core.configurations.datasets import dataset_titles
from core.configurations.in_force import service_of
from core.database import tables
from core.engine.tariff.configuration import Status
from core.engine.tariff.months import Month
from core.submissions.datasets_of_months import dataset_of_month
from core.user_errors import UserError
from core.vocabulary.permissions import Action

WORK = (Action.UPLOAD, Action.CORRECT, Action.DRAFT, Action.SUBMIT)
"""The actions of a provider on its month."""


@dataclass(frozen=True)
class SubmissionRow:
    """A submission with its names for people."""

    id: int
    provider_id: int
    provider: str
    provider_name: str
    month: dt.date
    dataset: str
    service: str  # title of the data set; empty where there is one data set alone
    dataset_id: int | None  # version once submitted; None: by month
    configuration_id: int | None  # revision of the tariff once submitted; None: by month
    state: str
    run_id: int | None
    failure: str | None

    @property
    def month_text(self) -> str:
        """The month in words, with its data set where there are several."""
        return month_and_service(self.month, self.service)


def month_and_service(month: dt.date, service: str) -> str:
    """``April 2017``, or with several data sets ``April 2017, Swimming lessons``."""
    return f"{Month.of(month).name}, {service}" if service else Month.of(month).name


def open_submission(
    connection: Connection, provider_id: int, month: dt.date, *, dataset: str | None = None
) -> int:
    """The id of the provider's submission for the month, which is opened if it does not exist.

    ``dataset``: of which data set, where the provider has several; raises ``UserError`` where it
    must be said.
    """
    name = dataset_of_month(connection, provider_id, month, chosen=dataset)
    statement = (
        insert(tables.submissions)
        .values(provider_id=provider_id, month=month, dataset=name, state="open")
        .on_conflict_do_nothing()
    )
    connection.execute(statement)
    query = sa.select(tables.submissions.c.id).where(
        tables.submissions.c.provider_id == provider_id,
        tables.submissions.c.month == month,
        tables.submissions.c.dataset == name,
    )
    return int(connection.execute(query).scalar_one())


def _rows() -> sa.Select[tuple[object, ...]]:
    submissions, organisations = tables.submissions, tables.organisations
    return sa.select(
        submissions.c.id,
        submissions.c.provider_id,
        organisations.c.code.label("provider"),
        organisations.c.name.label("provider_name"),
        submissions.c.month,
        submissions.c.dataset,
        service_of(submissions.c.dataset).label("service"),
        submissions.c.dataset_id,
        submissions.c.configuration_id,
        submissions.c.state,
        submissions.c.run_id,
        submissions.c.failure,
    ).join(organisations, organisations.c.id == submissions.c.provider_id)


def get_submission(connection: Connection, submission_id: int) -> SubmissionRow:
    """A submission; raises ``UserError`` for an unknown one."""
    query = _rows().where(tables.submissions.c.id == submission_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise UserError(f"There is no submission {submission_id}.")
    return SubmissionRow(**row)


def lock_submission(connection: Connection, submission_id: int) -> None:
    """Locks the submission until the caller's transaction ends."""
    submissions = tables.submissions
    connection.execute(
        sa.select(submissions.c.id).where(submissions.c.id == submission_id).with_for_update()
    )


def submission_for(connection: Connection, scope: Scope, submission_id: int) -> SubmissionRow:
    """The submission, for its provider; for others ``UserError``, as for an unknown one."""
    submission = get_submission(connection, submission_id)
    if not scope.unlimited and submission.provider_id not in scope.ids(None, "provider"):
        raise UserError(f"There is no submission {submission_id}.")
    return submission


def open_submission_for(
    connection: Connection,
    scope: Scope,
    provider_id: int,
    month: dt.date,
    *,
    dataset: str | None = None,
) -> SubmissionRow | None:
    """The provider's month, opened if it is new and the person may work on it; else None.

    ``dataset``: of which data set, where the provider has several.
    """
    if any(scope.may(action, provider_id) for action in WORK):
        number = open_submission(connection, provider_id, month, dataset=dataset)
        return get_submission(connection, number)
    submissions = tables.submissions
    query = _rows().where(
        submissions.c.provider_id == provider_id,
        submissions.c.month == month,
        scope.limits(submissions.c.provider_id, None),
        sa.true() if dataset is None else submissions.c.dataset == dataset,
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else SubmissionRow(**row)


def list_submissions(connection: Connection, scope: Scope) -> list[SubmissionRow]:
    """The submissions of the person's providers, latest month first."""
    query = (
        _rows()
        .where(scope.limits(tables.submissions.c.provider_id, None))
        .order_by(
            tables.submissions.c.month.desc(),
            tables.organisations.c.code,
            tables.submissions.c.dataset,
        )
    )
    return [SubmissionRow(**row) for row in connection.execute(query).mappings()]


def selectable_datasets(
    connection: Connection, scope: Scope, provider_id: int, provider: str
) -> dict[str, str]:
    """Name to title of the data sets of the provider's tariffs and of the months it has begun."""
    if not scope.unlimited and provider_id not in scope.ids(None, "provider"):
        return {}
    members, months = tables.configuration_providers, tables.submissions
    of_tariffs = sa.select(members.c.dataset).where(
        members.c.provider == provider, sa.not_(members.c.draft)
    )
    begun = sa.select(months.c.dataset).where(
        months.c.provider_id == provider_id, months.c.dataset != ""
    )
    names = set(connection.execute(of_tariffs.union(begun)).scalars())
    return {name: title for name, title in dataset_titles(connection).items() if name in names}


def selectable_months(
    connection: Connection,
    scope: Scope,
    provider_id: int,
    provider: str,
    *,
    dataset: str | None = None,
) -> list[dt.date]:
    """The months a provider may submit: those of its configurations, and those it has begun.

    ``dataset``: of this data set alone.

    The months with a submission come first, latest first; then the others, earliest first, for
    users who may work on them.
    """
    if not scope.unlimited and provider_id not in scope.ids(None, "provider"):
        return []
    configurations, members = tables.configurations, tables.configuration_providers
    spans = connection.execute(
        sa.select(sa.func.lower(members.c.during), sa.func.upper(members.c.during) - 1)
        .join(configurations, members.c.configuration_id == configurations.c.id)
        .where(
            members.c.provider == provider,
            configurations.c.status != Status.DRAFT,
            sa.true() if dataset is None else members.c.dataset == dataset,
        )
    ).all()
    begun = connection.execute(
        sa.select(tables.submissions.c.month)
        .distinct()
        .where(
            tables.submissions.c.provider_id == provider_id,
            sa.true() if dataset is None else tables.submissions.c.dataset == dataset,
        )
        .order_by(tables.submissions.c.month.desc())
    ).scalars()
    if not any(scope.may(action, provider_id) for action in WORK):
        return list(begun)
    covered = sorted(
        {
            month.first
            for starts, ends in spans
            for month in Month.of(starts).through(Month.of(ends))
        }
    )
    return list(dict.fromkeys([*begun, *covered]))
