"""The notifications of each event: topic, recipients, text and a page of the portal.

Every text is a template that the payload of its event fills; ``month_name`` is the month in words,
``provider_name`` the current name of the provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from core.engine.tariff.money import Money
from core.engine.tariff.months import Month
from core.vocabulary.event_catalogue import (
    AreaHeld,
    AreaPayerChanged,
    DeadlinesNear,
    Event,
    FileChecked,
    FileOutdated,
    FileUnconfirmed,
    QueueNotServed,
    ReportFailed,
    ReportReady,
    RunFailed,
    SubmissionDrafted,
    SubmissionFailed,
    SubmissionResetAsked,
    SubmissionResetGranted,
    SubmissionResetRefused,
    SubmissionSubmitted,
    SubscriptionBegan,
    SubscriptionEnded,
    SubscriptionEnding,
)
from core.vocabulary.topics import Topic


class Recipients(Enum):
    """A group of users; ``core.notifications.recipients`` finds them."""

    UPLOADER = auto()
    PROVIDER = auto()
    CHARGED = auto()
    REQUESTER = auto()
    HOST = auto()
    OPERATORS = auto()
    ADMINISTRATORS = auto()
    ADDRESSEE = auto()


@dataclass(frozen=True)
class NotificationTemplate:
    """The notification of one group of recipients about an event."""

    event: type[Event]
    topic: Topic
    recipients: Recipients
    title: str
    text: str
    address: str
    where: Mapping[str, str] | None = None  # only where the payload has these values

    def fits(self, event: Event) -> bool:
        """Whether the template is for this event."""
        conditions = self.where or {}
        return type(event) is self.event and all(
            getattr(event, name) == value for name, value in conditions.items()
        )


@dataclass(frozen=True)
class NotificationText:
    """The text of a notification, without placeholders."""

    title: str
    text: str
    address: str


UPLOAD_PAGE = "upload?provider={provider}&month={month}"
SUBMISSION_PAGE = "submission?provider={provider}&month={month}"

TEMPLATES = (
    NotificationTemplate(
        FileUnconfirmed,
        Topic.UPLOADS,
        Recipients.UPLOADER,
        "{file} waits for a look at its headings",
        "The headings of this file for {provider_name}, {month_name}, are matched. Confirm or "
        "change them in the portal; then it is checked.",
        UPLOAD_PAGE,
    ),
    NotificationTemplate(
        FileOutdated,
        Topic.UPLOADS,
        Recipients.UPLOADER,
        "{file} is checked again",
        "This file of {provider_name}, {month_name}, is checked again by itself, since {because}. "
        "A draft of the month is withdrawn until then.",
        UPLOAD_PAGE,
    ),
    NotificationTemplate(
        FileChecked,
        Topic.UPLOADS,
        Recipients.UPLOADER,
        "{file} has no errors",
        "All {records:,} records of {provider_name}, {month_name}, can be submitted.",
        UPLOAD_PAGE,
        {"state": "ready"},
    ),
    NotificationTemplate(
        FileChecked,
        Topic.UPLOADS,
        Recipients.UPLOADER,
        "{file} has errors",
        "{errors:,} errors in {records:,} records of {provider_name}, {month_name}. Put them right "
        "in the portal; the file need not be uploaded again.",
        UPLOAD_PAGE,
        {"state": "in error"},
    ),
    NotificationTemplate(
        FileChecked,
        Topic.UPLOADS,
        Recipients.UPLOADER,
        "{file} was not accepted",
        "The file for {provider_name}, {month_name}, could not be used. The portal says why; "
        "remove it there and upload a mended one.",
        UPLOAD_PAGE,
        {"state": "rejected"},
    ),
    NotificationTemplate(
        SubmissionDrafted,
        Topic.SUBMISSIONS,
        Recipients.PROVIDER,
        "The draft of {month_name} is calculated",
        "{provider_name}: {charges:,} charges, {pounds}. Only your organisation sees it. Look it "
        "through, then submit the month.",
        SUBMISSION_PAGE,
    ),
    NotificationTemplate(
        SubmissionSubmitted,
        Topic.SUBMISSIONS,
        Recipients.PROVIDER,
        "{month_name} is submitted",
        "{provider_name}: {charges:,} charges, {pounds}, are with the commissioners. The month is "
        "locked.",
        SUBMISSION_PAGE,
    ),
    NotificationTemplate(
        SubmissionSubmitted,
        Topic.REPORTS,
        Recipients.CHARGED,
        "{provider_name} submitted {month_name}",
        "Some of its charges are for you to pay. The page Charges shows what they come to.",
        "charges?provider={provider}&month={month}",
    ),
    NotificationTemplate(
        SubmissionFailed,
        Topic.SUBMISSIONS,
        Recipients.PROVIDER,
        "The calculation of {month_name} stopped",
        "{provider_name}: what was done is kept. Start it again in the portal, or tell support the "
        "reference {reason}.",
        SUBMISSION_PAGE,
    ),
    NotificationTemplate(
        SubmissionResetAsked,
        Topic.OPERATIONS,
        Recipients.ADMINISTRATORS,
        "{host_name} asks to open {month_name} of {provider_name} again",
        "{reason}. Grant it or refuse it in the portal.",
        "resets",
    ),
    NotificationTemplate(
        SubmissionResetAsked,
        Topic.SUBMISSIONS,
        Recipients.PROVIDER,
        "{host_name} asks to open {month_name} again",
        "{provider_name}: {reason}. An administrator decides; until then the month stays "
        "submitted.",
        SUBMISSION_PAGE,
    ),
    NotificationTemplate(
        SubmissionResetGranted,
        Topic.SUBMISSIONS,
        Recipients.PROVIDER,
        "{month_name} is open again",
        "{provider_name}: its charges are withdrawn. Put the files right, then submit the month "
        "again. {host_name} asked for it: {reason}.",
        SUBMISSION_PAGE,
    ),
    NotificationTemplate(
        SubmissionResetGranted,
        Topic.REPORTS,
        Recipients.HOST,
        "{month_name} of {provider_name} is open again",
        "As you asked. Its charges are withdrawn; you are told when it is submitted again.",
        "hosted",
    ),
    NotificationTemplate(
        SubmissionResetGranted,
        Topic.REPORTS,
        Recipients.CHARGED,
        "{provider_name} puts {month_name} right",
        "Its charges are withdrawn, those to you among them. You are told when the month is "
        "submitted again.",
        "reports",
    ),
    NotificationTemplate(
        SubmissionResetRefused,
        Topic.SUBMISSIONS,
        Recipients.PROVIDER,
        "{month_name} stays submitted",
        "{provider_name}: {host_name} had asked to open it again, and it was refused: {answer}.",
        SUBMISSION_PAGE,
    ),
    NotificationTemplate(
        SubmissionResetRefused,
        Topic.REPORTS,
        Recipients.HOST,
        "{month_name} of {provider_name} stays submitted",
        "You had asked to open it again, and it was refused: {answer}.",
        "hosted",
    ),
    NotificationTemplate(
        ReportReady,
        Topic.REPORTS,
        Recipients.REQUESTER,
        "Your report is ready",
        "{report} can be downloaded in the portal.",
        "reports",
    ),
    NotificationTemplate(
        ReportFailed,
        Topic.REPORTS,
        Recipients.REQUESTER,
        "Your report could not be made",
        "{report}: ask for it again in the portal, or tell support: {reason}.",
        "reports",
    ),
    NotificationTemplate(
        RunFailed,
        Topic.OPERATIONS,
        Recipients.OPERATORS,
        "Given up: {failed_title}",
        "{reason}. It waits in the error queue: try it again there, or set it aside.",
        "operations",
    ),
    NotificationTemplate(
        QueueNotServed,
        Topic.OPERATIONS,
        Recipients.OPERATORS,
        "Nobody works on {called}",
        "No worker has asked for its runs lately. They wait until one is up again; its log says "
        "why it is not.",
        "operations",
    ),
    NotificationTemplate(
        AreaPayerChanged,
        Topic.SUBMISSIONS,
        Recipients.PROVIDER,
        "Others pay for some residents of {month_name}",
        "{provider_name}: the district of {areas:,} areas with {records:,} records has changed, "
        "as of {example}. Calculate the month again before you submit it.",
        SUBMISSION_PAGE,
    ),
    NotificationTemplate(
        AreaPayerChanged,
        Topic.OPERATIONS,
        Recipients.OPERATORS,
        "Others pay for some residents of {provider_name}, {month_name}",
        "The district of {areas:,} areas with {records:,} records has changed, as of {example}.",
        "areas",
    ),
    NotificationTemplate(
        AreaPayerChanged,
        Topic.OPERATIONS,
        Recipients.ADMINISTRATORS,
        "Others pay for some residents of {provider_name}, {month_name}",
        "The district of {areas:,} areas with {records:,} records has changed, as of {example}.",
        "areas",
    ),
    NotificationTemplate(
        AreaHeld,
        Topic.OPERATIONS,
        Recipients.OPERATORS,
        "Areas of {area} wait for you",
        "{reason}. Accept the answer on the page Areas if it is right, or ask again.",
        "areas",
    ),
    NotificationTemplate(
        SubscriptionBegan,
        Topic.DEADLINES,
        Recipients.ADDRESSEE,
        "Your subscription has begun",
        "{kind}, {organisation}: in force until {last_day_text}.",
        "subscription",
    ),
    NotificationTemplate(
        SubscriptionEnding,
        Topic.DEADLINES,
        Recipients.ADDRESSEE,
        "Your subscription ends in {days_left} days",
        "{kind}, {organisation}: in force until {last_day_text}. A quotation for the time after is "
        "on its page; tell the administrator to accept it.",
        "subscription",
    ),
    NotificationTemplate(
        SubscriptionEnding,
        Topic.OPERATIONS,
        Recipients.ADMINISTRATORS,
        "A subscription ends in {days_left} days",
        "{kind}, {organisation}: in force until {last_day_text}.",
        "accounts",
    ),
    NotificationTemplate(
        SubscriptionEnded,
        Topic.DEADLINES,
        Recipients.ADDRESSEE,
        "Your subscription has ended",
        "{kind}, {organisation}: it was in force until {last_day_text}.",
        "subscription",
    ),
    NotificationTemplate(
        DeadlinesNear,
        Topic.DEADLINES,
        Recipients.ADDRESSEE,
        "{subject_line}",
        "{lines}",
        "home",
    ),
)
"""Every template; of several that reach one person, the first counts."""

NOT_NOTIFIED = frozenset(
    {
        "file.received",
        "file.corrected",
        "file.retried",
        "file.removed",
        "file.ready",  # file.checked tells of it
        "submission.requested",
        "submission.stage-finished",
        "kpis.requested",
        "kpi.trial-requested",
        "kpi.published",
        "report.requested",
        "spider.requested",
        "spider.finished",
        "spider.failed",  # run.failed tells of it
        "area.found",
        "migration.requested",
        "migration.table-finished",
        "migration.finished",  # operators look at its page, and sign it
        "migration.failed",  # run.failed tells of it
        "migration.signed",
        "flow-run.stopped",  # run.failed and the like tell of it, where somebody has to act
    }
)
"""Events without a notification: nobody needs one, or another event causes it."""

ONE_MONTH = "{month} is {when}"
SEVERAL_MONTHS = "{count} months are to be submitted"
LINE = "{provider_name}, {month}: {when}, {due}."
IN_DAYS, TODAY, LATE = "due in {days} days", "due today", "late by {days} days"
ONE_DAY = ("due tomorrow", "late by a day")


def templates_of(event: Event) -> list[NotificationTemplate]:
    """The templates for the event, the most specific first."""
    return [template for template in TEMPLATES if template.fits(event)]


def fill_template(
    template: NotificationTemplate, event: Event, *, provider_name: str | None = None
) -> NotificationText:
    """The template filled with the payload of the event; a provider without a name has its code."""
    values = _values(event)
    if "provider" in values:
        values["provider_name"] = provider_name or values["provider"]
    title, text, address = (
        template.format(**values) for template in (template.title, template.text, template.address)
    )
    if values.get("dataset") and "month=" in address:
        address += f"&dataset={values['dataset']}"
    return NotificationText(" ".join(title.split()), text, address)


def _values(event: Event) -> dict[str, Any]:
    if isinstance(event, DeadlinesNear):
        return _digest(event)
    values = event.model_dump()
    if "month" in values:
        values["month_name"] = _month_name(values["month"], values.get("service", ""))
    if "last_day" in values:
        values["last_day_text"] = f"{values['last_day'].day} {values['last_day']:%B %Y}"
    if "amount_pence" in values:
        values["pounds"] = Money(values["amount_pence"]).text
    for name in ("reason", "answer"):
        if name in values:
            values[name] = values[name].rstrip(".")
    return values


def _digest(event: DeadlinesNear) -> dict[str, str]:
    lines = [
        LINE.format(
            provider_name=due.provider_name,
            month=_month_name(due.month, due.service),
            when=_when(due.days_left),
            due=f"{due.due.day} {due.due:%B %Y}",
        )
        for due in event.months
    ]
    first = event.months[0]
    subject = (
        ONE_MONTH.format(month=_month_name(first.month, first.service), when=_when(first.days_left))
        if len(lines) == 1
        else SEVERAL_MONTHS.format(count=len(lines))
    )
    return {"subject_line": subject, "lines": "\n".join(lines)}


def _when(days_left: int) -> str:
    if days_left == 0:
        return TODAY
    if abs(days_left) == 1:
        return ONE_DAY[days_left < 0]
    return (IN_DAYS if days_left > 0 else LATE).format(days=abs(days_left))


def _month_name(month: str, service: str) -> str:
    """The month in words, with its data set where there are several."""
    name = Month.parse(month).name
    return f"{name}, {service}" if service else name
