"""The calendar of providers: which months are expected, when each is due, and its state."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection

from core.access.scope import Scope
from core.engine.tariff.months import Month
from core.submissions.months import list_submissions, month_and_service
from core.submissions.months_expected import expected_months
from core.vocabulary.states.submissions import HANDED_IN, SubmissionState


@dataclass(frozen=True)
class CalendarMonth:
    """A month of a provider; ``state`` is None where nothing was begun, ``due`` where no
    configuration names the month."""

    provider_id: int
    provider: str
    provider_name: str
    month: dt.date
    state: SubmissionState | None
    due: dt.date | None
    dataset: str
    service: str  # title of the data set; empty where there is one data set alone

    @property
    def month_text(self) -> str:
        return month_and_service(self.month, self.service)

    @property
    def year(self) -> int:
        """The financial year, by the calendar year in which it begins."""
        return Month.of(self.month).financial_year

    @property
    def handed_in(self) -> bool:
        return self.state in HANDED_IN

    def is_due_by(self, day: dt.date) -> bool:
        return self.due is not None and self.due <= day


def calendar_of(connection: Connection, scope: Scope, today: dt.date) -> list[CalendarMonth]:
    """The months of the person's providers, by provider and data set, then the earliest first.

    Those that a configuration expects up to ``today``, and those that were begun.
    """
    own_providers = set(scope.ids(None, "provider"))
    due = {
        (month.provider_id, month.dataset, month.month): month
        for month in expected_months(connection, today)
        if month.provider_id in own_providers
    }
    begun = {
        (submission.provider_id, submission.dataset, submission.month): submission
        for submission in list_submissions(connection, scope)
        if submission.provider_id in own_providers
    }
    return [
        CalendarMonth(
            provider_id=key[0],
            provider=(begun.get(key) or due[key]).provider,
            provider_name=(begun.get(key) or due[key]).provider_name,
            month=key[2],
            state=SubmissionState(begun[key].state) if key in begun else None,
            due=due[key].due if key in due else None,
            dataset=key[1],
            service=(begun.get(key) or due[key]).service,
        )
        for key in sorted(due.keys() | begun.keys())
    ]
