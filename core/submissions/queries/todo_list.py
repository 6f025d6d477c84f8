"""The tasks of a provider, the most urgent first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.configurations.in_force import service_of
from core.database import tables
from core.submissions.clinics_to_place import clinics_to_place
from core.submissions.commands.requests import RUNNABLE
from core.submissions.months import SubmissionRow, list_submissions, month_and_service
from core.submissions.queries.calendar import CalendarMonth
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import FileState, SubmissionState

TODO_TEXTS = {
    "errors": "{file} has {count:,} errors to put right.",
    "error": "{file} has one error to put right.",
    "unconfirmed": "{file} waits until you have looked at its headings.",
    "rejected": "{file} cannot be read. Remove it, and upload a mended file.",
    "failed": "The calculation of {month} stopped. Start it again.",
    "clinics": "{count} new clinics of {month} have no host authority yet.",
    "clinic": "Clinic {subject} is new. Say which authority hosts it.",
    "draft": "{month} is a draft. Look it through, then submit it.",
    "to-run": "The files of {month} are checked. Run the month.",
    "late": "{month} was due on {due}.",
    "late-many": "{count} months are late, the earliest is {month}.",
    "due": "{month} is due on {due}.",
}
SOON = dt.timedelta(days=14)
"""Months due within this time are listed."""


@dataclass(frozen=True)
class Todo:
    """One task: its code, the page on which it is done, its month and details."""

    code: str
    page: str
    provider: str
    month: dt.date
    dataset: str
    service: str  # title of the data set; empty where there is one data set alone
    about: tuple[tuple[str, Any], ...] = ()

    @property
    def text(self) -> str:
        month = month_and_service(self.month, self.service)
        return TODO_TEXTS[self.code].format(month=month, **dict(self.about))


def todos_of(
    connection: Connection, scope: Scope, calendar: list[CalendarMonth], today: dt.date
) -> list[Todo]:
    """The tasks of the person's providers; ``calendar`` has the months of all of them."""
    own_providers = scope.ids(Action.UPLOAD, "provider")
    months = [
        month for month in list_submissions(connection, scope) if month.provider_id in own_providers
    ]
    open_months = [month for month in months if month.state in RUNNABLE]
    todos = list(_of_files(connection, [month.id for month in open_months]))
    bad = {(todo.provider, todo.month, todo.dataset) for todo in todos}
    for month in open_months:
        in_error = (month.provider, month.month, month.dataset) in bad
        todos += _of_month(connection, month, in_error=in_error)
    return todos + _of_deadlines(
        [month for month in calendar if month.provider_id in own_providers], today
    )


def _of_files(connection: Connection, submissions: list[int]) -> Iterator[Todo]:
    files, months = tables.files, tables.submissions
    providers = tables.organisations
    query = (
        sa.select(
            files.c.name,
            files.c.state,
            files.c.errors,
            providers.c.code,
            months.c.month,
            months.c.dataset,
            service_of(months.c.dataset),
        )
        .join(months, months.c.id == files.c.submission_id)
        .join(providers, providers.c.id == months.c.provider_id)
        .where(
            files.c.submission_id.in_(submissions),
            files.c.state.in_((FileState.UNCONFIRMED, FileState.IN_ERROR, FileState.REJECTED)),
        )
        .order_by(months.c.month, files.c.position)
    )
    for name, state, errors, provider, month, dataset, service in connection.execute(query):
        code = state if state != FileState.IN_ERROR else "error" if errors == 1 else "errors"
        about = (("file", name), ("count", errors))
        yield Todo(code, "upload", provider, month, dataset, service, about)


def _of_month(
    connection: Connection, submission: SubmissionRow, *, in_error: bool
) -> Iterator[Todo]:
    about = (submission.provider, submission.month, submission.dataset, submission.service)
    if submission.state == SubmissionState.FAILED:
        yield Todo("failed", "submission", *about)
    clinics = clinics_to_place(connection, submission)
    if clinics:
        code = "clinic" if len(clinics) == 1 else "clinics"
        details = (("subject", clinics[0]), ("count", len(clinics)))
        yield Todo(code, "submission", *about, details)
    elif submission.state == SubmissionState.DRAFT:
        yield Todo("draft", "submission", *about)
    elif (
        submission.state == SubmissionState.OPEN
        and not in_error
        and _is_checked(connection, submission)
    ):
        yield Todo("to-run", "submission", *about)


def _is_checked(connection: Connection, submission: SubmissionRow) -> bool:
    """Whether there are files and all of them are ready."""
    files = tables.files
    query = sa.select(sa.func.bool_and(files.c.state == FileState.READY)).where(
        files.c.submission_id == submission.id, files.c.state != FileState.REMOVED
    )
    return bool(connection.execute(query).scalar())


def _of_deadlines(calendar: list[CalendarMonth], today: dt.date) -> list[Todo]:
    waiting = [month for month in calendar if month.due is not None and not month.handed_in]
    late = [month for month in waiting if month.due is not None and month.due < today]
    if len(late) > 1:
        first = late[0]
        todos = [Todo("late-many", "upload", *_of(first), (("count", len(late)),))]
    else:
        todos = [_deadline("late", month) for month in late]
    soon = [month for month in waiting if month not in late and month.is_due_by(today + SOON)]
    return todos + [_deadline("due", month) for month in soon]


def _deadline(code: str, month: CalendarMonth) -> Todo:
    due = f"{month.due.day} {month.due:%B %Y}" if month.due else ""
    return Todo(code, "upload", *_of(month), (("due", due),))


def _of(month: CalendarMonth) -> tuple[str, dt.date, str, str]:
    return month.provider, month.month, month.dataset, month.service
