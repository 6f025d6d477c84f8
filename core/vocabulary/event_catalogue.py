"""Every event there is, with what it carries: ids to act on and names to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Month = str
"""``YYYY-MM``."""


class Event(BaseModel):
    """Something that happened; a subclass for each name, its fields are the payload."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str]
    about: ClassVar[str]  # the kind of its subject
    subject_field: ClassVar[str]

    @property
    def subject(self) -> str:
        """What the event is about, as ``file/12``."""
        return f"{self.about}/{getattr(self, self.subject_field)}"

    @property
    def title(self) -> str:
        """The subject in words a person knows."""
        return self.subject

    @property
    def label(self) -> str:
        """The subject by ids and months alone, for what is kept outside our own database."""
        return self.subject.replace("/", " ")

    def codes(self) -> dict[str, Any]:
        """The part of the payload that may be kept outside: no text that somebody typed."""
        values = self.model_dump(mode="json")
        return {name: value for name, value in values.items() if self.is_code(name)}

    @classmethod
    def is_code(cls, name: str) -> bool:
        """Whether a field holds an id, a count, a month or a word of ours."""
        return name in CODES or cls.model_fields[name].annotation in (int, bool, int | None)


CODES = frozenset(
    {"provider", "month", "kind", "state", "stage", "kpi", "dataset", "code", "area", "table"}
    | {"day", "last_day", "host", "failed_subject", "flow_run", "thing", "happened"}
)
"""Fields of text that hold no name of a file, no person and no message."""


class _OfSubmission(Event):
    provider: str  # organisation code
    month: Month = Field(pattern=r"^\d{4}-\d{2}$")
    submission_id: int

    about: ClassVar[str] = "submission"
    subject_field: ClassVar[str] = "submission_id"

    @property
    def title(self) -> str:
        return f"{self.provider} {self.month}"

    @property
    def label(self) -> str:
        return f"{self.provider} {self.month}"


class _OfFile(_OfSubmission):
    file_id: int
    file: str  # its name as uploaded

    about: ClassVar[str] = "file"
    subject_field: ClassVar[str] = "file_id"

    @property
    def title(self) -> str:
        return f"{self.provider} {self.month} {self.file}"

    @property
    def label(self) -> str:
        return f"file {self.file_id} of {self.provider} {self.month}"


class FileReceived(_OfFile):
    """A file was uploaded and waits to be checked."""

    name: ClassVar[str] = "file.received"


class FileCorrected(_OfFile):
    """Values of a file were put right; it is to be checked again."""

    name: ClassVar[str] = "file.corrected"
    corrections: int = 1


class FileRetried(_OfFile):
    """A fault had stopped the check of a file; it is taken up again."""

    name: ClassVar[str] = "file.retried"


class FileUnconfirmed(_OfFile):
    """The headings of a file were matched, and somebody is to look at them before its check."""

    name: ClassVar[str] = "file.unconfirmed"
    new: int  # headings of which nobody has said yet what they stand for


class FileRemoved(_OfFile):
    """A file was taken out of its submission; what it held no longer counts."""

    name: ClassVar[str] = "file.removed"


class FileChecked(_OfFile):
    """A check of a file came to its end."""

    name: ClassVar[str] = "file.checked"
    state: Literal["rejected", "in error", "ready"]
    records: int
    errors: int
    warnings: int


class FileReady(_OfFile):
    """A file has no errors: it can be submitted."""

    name: ClassVar[str] = "file.ready"
    records: int


class _OfRun(_OfSubmission):
    run_id: int


class SubmissionRequested(_OfRun):
    """A user asked for the calculation, as a draft or for the commissioners."""

    name: ClassVar[str] = "submission.requested"
    kind: Literal["draft", "final"]


class SubmissionStageFinished(_OfRun):
    """One stage of a run is complete."""

    name: ClassVar[str] = "submission.stage-finished"
    stage: str


class _Calculated(_OfRun):
    records: int
    episodes: int
    charges: int
    amount_pence: int


class SubmissionDrafted(_Calculated):
    """A draft is published to its provider."""

    name: ClassVar[str] = "submission.drafted"


class SubmissionSubmitted(_Calculated):
    """Charges are published to provider and commissioners; the month is locked."""

    name: ClassVar[str] = "submission.submitted"


class SubmissionFailed(_OfRun):
    """A run stopped; what it had done is kept."""

    name: ClassVar[str] = "submission.failed"
    reason: str


class KpisRequested(_OfRun):
    """A published run is to be measured: an indicator is new, or its figure is missing."""

    name: ClassVar[str] = "kpis.requested"


class KpiPublished(Event):
    """An indicator is measured from now on; past months are to be measured too."""

    name: ClassVar[str] = "kpi.published"
    about: ClassVar[str] = "kpi"
    subject_field: ClassVar[str] = "kpi_id"
    kpi_id: int
    kpi: str
    dataset: str

    @property
    def title(self) -> str:
        return self.kpi


class KpiTrialRequested(_OfRun):
    """Somebody tries an indicator on a month before it is published."""

    name: ClassVar[str] = "kpi.trial-requested"
    trial_id: int
    kpi: str


class _OfReset(_OfRun):
    reset_id: int
    host: str  # code of the commissioner that asks
    host_name: str
    reason: str  # the commissioner's


class SubmissionResetAsked(_OfReset):
    """A host commissioner asks for a submitted month to be opened again."""

    name: ClassVar[str] = "submission.reset-asked"


class SubmissionResetGranted(_OfReset):
    """A submitted month is open again; its charges are no longer published."""

    name: ClassVar[str] = "submission.reset-granted"
    answer: str  # may be blank


class SubmissionResetRefused(_OfReset):
    """A submitted month stays as it is."""

    name: ClassVar[str] = "submission.reset-refused"
    answer: str


class _OfReport(Event):
    report_id: int
    kind: str
    report: str  # what it is called for people, with provider and month

    about: ClassVar[str] = "report"
    subject_field: ClassVar[str] = "report_id"

    @property
    def title(self) -> str:
        return self.report


class ReportRequested(_OfReport):
    """A user asked for a report."""

    name: ClassVar[str] = "report.requested"


class ReportReady(_OfReport):
    """A report can be fetched."""

    name: ClassVar[str] = "report.ready"


class ReportFailed(_OfReport):
    """A report could not be made."""

    name: ClassVar[str] = "report.failed"
    reason: str


class RunFailed(Event):
    """Work on something was given up after its last attempt."""

    name: ClassVar[str] = "run.failed"
    about: ClassVar[str] = "failed"
    subject_field: ClassVar[str] = "failed_subject"
    failed_subject: str  # as file/12
    failed_title: str
    attempts: int
    flow_run: UUID | None = None
    reason: str

    @property
    def subject(self) -> str:
        return self.failed_subject

    @property
    def title(self) -> str:
        return self.failed_title


class MonthDue(BaseModel):
    """A month that a provider is still to submit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: str  # organisation code
    provider_name: str
    month: Month = Field(pattern=r"^\d{4}-\d{2}$")
    due: dt.date
    days_left: int  # negative: late


class DeadlinesNear(Event):
    """Months that one person is to see submitted soon, or that are late: a digest a day."""

    name: ClassVar[str] = "deadlines.near"
    about: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "addressee"
    addressee: int  # user id
    day: dt.date
    months: tuple[MonthDue, ...] = Field(min_length=1)

    @property
    def title(self) -> str:
        return ", ".join(f"{due.provider} {due.month}" for due in self.months)


class _OfSpider(Event):
    run_id: int
    area: str  # the area it crawls from, as people know it

    about: ClassVar[str] = "spider"
    subject_field: ClassVar[str] = "run_id"

    @property
    def title(self) -> str:
        return f"areas of {self.area}"

    @property
    def label(self) -> str:
        return self.title


class SpiderRequested(_OfSpider):
    """A crawl of a source of areas was asked for, or is to go on."""

    name: ClassVar[str] = "spider.requested"
    again: int = 0  # how often it was asked for before


class SpiderFinished(_OfSpider):
    """A crawl came to its end; how many areas it found to be what."""

    name: ClassVar[str] = "spider.finished"
    state: Literal["complete", "complete with errors"]
    new: int
    changed: int
    retired: int
    unchanged: int
    failed: int
    held: int


class SpiderFailed(_OfSpider):
    """A crawl stopped; what it had found is kept."""

    name: ClassVar[str] = "spider.failed"
    reason: str


class _OfMigration(Event):
    run_id: int

    about: ClassVar[str] = "migration"
    subject_field: ClassVar[str] = "run_id"

    @property
    def title(self) -> str:
        return f"migration {self.run_id}"


class MigrationRequested(_OfMigration):
    """Data of the old service are to be taken over, or a migration is to go on."""

    name: ClassVar[str] = "migration.requested"
    dry_run: bool = False
    again: int = 0  # how often it was asked for before


class MigrationTableFinished(_OfMigration):
    """A table of the old service was taken over; how many rows it was of which kind."""

    name: ClassVar[str] = "migration.table-finished"
    table: str
    new: int
    changed: int
    gone: int
    failed: int


class MigrationFinished(_OfMigration):
    """A migration came to its end."""

    name: ClassVar[str] = "migration.finished"
    state: Literal["complete", "complete with errors"]
    new: int
    changed: int
    gone: int
    failed: int


class MigrationFailed(_OfMigration):
    """A migration stopped; the tables that were finished are kept."""

    name: ClassVar[str] = "migration.failed"
    reason: str


class MigrationSigned(_OfMigration):
    """Somebody confirmed that what was taken over is right."""

    name: ClassVar[str] = "migration.signed"
    by: str


class _OfArea(Event):
    run_id: int
    code: str
    area: str  # its name

    about: ClassVar[str] = "area"
    subject_field: ClassVar[str] = "code"

    @property
    def title(self) -> str:
        return f"{self.area} ({self.code})"


class AreaFound(_OfArea):
    """The areas within an area are not what they were."""

    name: ClassVar[str] = "area.found"
    new: int
    changed: int
    retired: int


class AreaHeld(_OfArea):
    """An answer lacks areas that the register has: a person is to look at it."""

    name: ClassVar[str] = "area.held"
    reason: str


class AreaPayerChanged(_OfSubmission):
    """Residents of a month that is not submitted have another district now."""

    name: ClassVar[str] = "area.payer-changed"
    areas: int
    records: int
    example: str


class OfSubscription(Event):
    subscription_id: int
    kind: str  # Provider+, Commissioner, …
    organisation: str  # its name
    addressee: int  # user id of the holder
    last_day: dt.date

    about: ClassVar[str] = "subscription"
    subject_field: ClassVar[str] = "subscription_id"

    @property
    def title(self) -> str:
        return f"{self.kind}, {self.organisation}"


class SubscriptionBegan(OfSubscription):
    """A subscription is in force."""

    name: ClassVar[str] = "subscription.began"


class SubscriptionEnding(OfSubscription):
    """A subscription ends soon: 60, 30 or 7 days before."""

    name: ClassVar[str] = "subscription.ending"
    days_left: int
    renewal_id: int | None = None  # the quotation for the time after


class SubscriptionEnded(OfSubscription):
    """A subscription is no longer in force."""

    name: ClassVar[str] = "subscription.ended"


class SchedulerEvent(Event):
    """Something that the scheduler of runs told of."""

    about: ClassVar[str] = "heard"
    subject_field: ClassVar[str] = "thing"
    thing: str  # as flow-run/ID
    called: str  # its name for people
    happened: str  # as the scheduler calls it
    reason: str

    @property
    def subject(self) -> str:
        return self.thing

    @property
    def title(self) -> str:
        return self.called


class FlowRunStopped(SchedulerEvent):
    """A run failed, crashed or was cancelled."""

    name: ClassVar[str] = "flow-run.stopped"


class QueueNotServed(SchedulerEvent):
    """No worker asks for the runs of a queue, or of all queues."""

    name: ClassVar[str] = "queue.not-served"


def _declared(kind: type[Event]) -> Iterator[type[Event]]:
    """Every event that is declared above: a class with a name of its own."""
    for event in kind.__subclasses__():
        if "name" in vars(event):
            yield event
        yield from _declared(event)


CATALOGUE: dict[str, type[Event]] = {event.name: event for event in _declared(Event)}
"""Every event by its name."""
