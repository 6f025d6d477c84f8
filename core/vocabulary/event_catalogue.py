"""Every event with its payload: ids to act on and names to read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Month = str
"""``YYYY-MM``."""


class Event(BaseModel):
    """An event; each name has a subclass, whose fields are the payload."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str]
    about: ClassVar[str]  # the kind of its subject
    subject_field: ClassVar[str]

    @property
    def subject(self) -> str:
        """The subject of the event, such as ``file/12``."""
        return f"{self.about}/{getattr(self, self.subject_field)}"

    @property
    def title(self) -> str:
        """The subject in words for people."""
        return self.subject

    @property
    def label(self) -> str:
        """The subject by ids and months alone, for texts that are stored outside our database."""
        return self.subject.replace("/", " ")

    def codes(self) -> dict[str, Any]:
        """The part of the payload that may be stored outside our database: no free text."""
        values = self.model_dump(mode="json")
        return {name: value for name, value in values.items() if self.is_code(name)}

    @classmethod
    def is_code(cls, name: str) -> bool:
        """Whether a field holds an id, a count, a month or a fixed word."""
        return name in CODES or cls.model_fields[name].annotation in (int, bool, int | None)


CODES = frozenset(
    {"provider", "month", "kind", "state", "stage", "kpi", "dataset", "code", "area", "table"}
    | {"day", "last_day", "host", "failed_subject", "flow_run", "thing", "happened"}
)
"""Text fields that never hold the name of a file or person, or a message."""


class _SubmissionEvent(Event):
    provider: str  # organisation code
    month: Month = Field(pattern=r"^\d{4}-\d{2}$")
    submission_id: int
    dataset: str = ""  # its name and title, where there are several data sets
    service: str = ""

    about: ClassVar[str] = "submission"
    subject_field: ClassVar[str] = "submission_id"

    @property
    def title(self) -> str:
        return " ".join(filter(None, (self.provider, self.month, self.service)))

    @property
    def label(self) -> str:
        return " ".join(filter(None, (self.provider, self.month, self.dataset)))


class _FileEvent(_SubmissionEvent):
    file_id: int
    file: str  # its name as uploaded

    about: ClassVar[str] = "file"
    subject_field: ClassVar[str] = "file_id"

    @property
    def title(self) -> str:
        return f"{super().title} {self.file}"

    @property
    def label(self) -> str:
        return f"file {self.file_id} of {super().label}"


class FileReceived(_FileEvent):
    """A file was uploaded and waits to be checked."""

    name: ClassVar[str] = "file.received"


class FileCorrected(_FileEvent):
    """Values of a file were corrected; it is to be checked again."""

    name: ClassVar[str] = "file.corrected"
    corrections: int = 1


class FileOutdated(_FileEvent):
    """Files are read more exactly than when this one was, or its month follows another version of
    the data set; it is to be checked again."""

    name: ClassVar[str] = "file.outdated"
    because: str = "files are read more exactly now"


class FileRetried(_FileEvent):
    """A fault had stopped the check of a file; the check is resumed."""

    name: ClassVar[str] = "file.retried"


class FileUnconfirmed(_FileEvent):
    """The headings of a file were matched, and a person must confirm them before its check."""

    name: ClassVar[str] = "file.unconfirmed"
    new: int  # headings that nobody has confirmed yet


class FileRemoved(_FileEvent):
    """A file was removed from its submission; its records no longer count."""

    name: ClassVar[str] = "file.removed"


class FileChecked(_FileEvent):
    """A check of a file ended."""

    name: ClassVar[str] = "file.checked"
    state: Literal["rejected", "in error", "ready"]
    records: int
    errors: int
    warnings: int


class FileReady(_FileEvent):
    """A file has no errors: it can be submitted."""

    name: ClassVar[str] = "file.ready"
    records: int


class _RunEvent(_SubmissionEvent):
    run_id: int


class SubmissionRequested(_RunEvent):
    """A user asked for the calculation, as a draft or for the commissioners."""

    name: ClassVar[str] = "submission.requested"
    kind: Literal["draft", "final"]


class SubmissionStageFinished(_RunEvent):
    """One stage of a run is complete."""

    name: ClassVar[str] = "submission.stage-finished"
    stage: str


class _CalculatedEvent(_RunEvent):
    records: int
    episodes: int
    charges: int
    amount_pence: int


class SubmissionDrafted(_CalculatedEvent):
    """A draft is published to its provider."""

    name: ClassVar[str] = "submission.drafted"


class SubmissionSubmitted(_CalculatedEvent):
    """Charges are published to provider and commissioners; the month is locked."""

    name: ClassVar[str] = "submission.submitted"


class SubmissionFailed(_RunEvent):
    """A run stopped; finished chunks are kept."""

    name: ClassVar[str] = "submission.failed"
    reason: str


class KpisRequested(_RunEvent):
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


class KpiTrialRequested(_RunEvent):
    """Somebody tries an indicator on a month before it is published."""

    name: ClassVar[str] = "kpi.trial-requested"
    trial_id: int
    kpi: str


class _ResetEvent(_RunEvent):
    reset_id: int
    host: str  # code of the commissioner that asks
    host_name: str
    reason: str  # the commissioner's


class SubmissionResetAsked(_ResetEvent):
    """A host commissioner asks for a submitted month to be opened again."""

    name: ClassVar[str] = "submission.reset-asked"


class SubmissionResetGranted(_ResetEvent):
    """A submitted month is open again; its charges are no longer published."""

    name: ClassVar[str] = "submission.reset-granted"
    answer: str  # may be blank


class SubmissionResetRefused(_ResetEvent):
    """A submitted month stays submitted."""

    name: ClassVar[str] = "submission.reset-refused"
    answer: str


class _ReportEvent(Event):
    report_id: int
    kind: str
    report: str  # what it is called for people, with provider and month

    about: ClassVar[str] = "report"
    subject_field: ClassVar[str] = "report_id"

    @property
    def title(self) -> str:
        return self.report


class ReportRequested(_ReportEvent):
    """A user asked for a report."""

    name: ClassVar[str] = "report.requested"


class ReportReady(_ReportEvent):
    """A report is ready to download."""

    name: ClassVar[str] = "report.ready"


class ReportFailed(_ReportEvent):
    """A report could not be made."""

    name: ClassVar[str] = "report.failed"
    reason: str


class RunFailed(Event):
    """Work failed after its last attempt."""

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
    service: str = ""  # title of the data set, where there are several
    due: dt.date
    days_left: int  # negative: late


class DeadlinesNear(Event):
    """Months of one person's providers that are due soon or late: one digest a day."""

    name: ClassVar[str] = "deadlines.near"
    about: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "addressee"
    addressee: int  # user id
    day: dt.date
    months: tuple[MonthDue, ...] = Field(min_length=1)

    @property
    def title(self) -> str:
        return ", ".join(f"{due.provider} {due.month}" for due in self.months)


class _SpiderEvent(Event):
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


class SpiderRequested(_SpiderEvent):
    """A crawl of a source of areas was requested, or is to be resumed."""

    name: ClassVar[str] = "spider.requested"
    again: int = 0  # how often it was requested before


class SpiderFinished(_SpiderEvent):
    """A crawl ended; the counts of its areas."""

    name: ClassVar[str] = "spider.finished"
    state: Literal["complete", "complete with errors"]
    new: int
    changed: int
    retired: int
    unchanged: int
    failed: int
    held: int


class SpiderFailed(_SpiderEvent):
    """A crawl stopped; the areas that it imported are kept."""

    name: ClassVar[str] = "spider.failed"
    reason: str


class _MigrationEvent(Event):
    run_id: int

    about: ClassVar[str] = "migration"
    subject_field: ClassVar[str] = "run_id"

    @property
    def title(self) -> str:
        return f"migration {self.run_id}"


class MigrationRequested(_MigrationEvent):
    """A migration was requested, or is to be resumed."""

    name: ClassVar[str] = "migration.requested"
    dry_run: bool = False
    again: int = 0  # how often it was requested before


class MigrationTableFinished(_MigrationEvent):
    """A table of the old service was taken over; the counts of its rows."""

    name: ClassVar[str] = "migration.table-finished"
    table: str
    new: int
    changed: int
    gone: int
    failed: int


class MigrationFinished(_MigrationEvent):
    """A migration ended."""

    name: ClassVar[str] = "migration.finished"
    state: Literal["complete", "complete with errors"]
    new: int
    changed: int
    gone: int
    failed: int


class MigrationFailed(_MigrationEvent):
    """A migration stopped; the tables that were finished are kept."""

    name: ClassVar[str] = "migration.failed"
    reason: str


class MigrationSigned(_MigrationEvent):
    """Somebody confirmed that what was taken over is right."""

    name: ClassVar[str] = "migration.signed"
    by: str


class _AreaEvent(Event):
    run_id: int
    code: str
    area: str  # its name

    about: ClassVar[str] = "area"
    subject_field: ClassVar[str] = "code"

    @property
    def title(self) -> str:
        return f"{self.area} ({self.code})"


class AreaFound(_AreaEvent):
    """The areas within an area have changed."""

    name: ClassVar[str] = "area.found"
    new: int
    changed: int
    retired: int


class AreaHeld(_AreaEvent):
    """An answer lacks areas that the register has: a person must decide."""

    name: ClassVar[str] = "area.held"
    reason: str


class AreaPayerChanged(_SubmissionEvent):
    """Residents of a month that is not submitted have another district now."""

    name: ClassVar[str] = "area.payer-changed"
    areas: int
    records: int
    example: str


class SubscriptionEvent(Event):
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


class SubscriptionBegan(SubscriptionEvent):
    """A subscription is in force."""

    name: ClassVar[str] = "subscription.began"


class SubscriptionEnding(SubscriptionEvent):
    """A subscription ends soon: 60, 30 or 7 days before."""

    name: ClassVar[str] = "subscription.ending"
    days_left: int
    renewal_id: int | None = None  # the quotation for the time after


class SubscriptionEnded(SubscriptionEvent):
    """A subscription is no longer in force."""

    name: ClassVar[str] = "subscription.ended"


class SchedulerEvent(Event):
    """An event that the scheduler of runs reported."""

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
    """Every event declared above: the subclasses with a ``name``."""
    for event in kind.__subclasses__():
        if "name" in vars(event):
            yield event
        yield from _declared(event)


CATALOGUE: dict[str, type[Event]] = {event.name: event for event in _declared(Event)}
"""Every event by its name."""
