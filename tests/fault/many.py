"""Twenty months of ten providers, calculated at once; what comes of it, to be compared."""

from __future__ import annotations

import datetime as dt
import io
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml
from python_calamine import load_workbook
from sqlalchemy import Connection, Engine

from core.configurations.importing import import_configuration
from core.database import tables
from core.engine.samples.activity import make_activity, sample_clinics
from core.engine.samples.writing import write_activity
from core.files.store import open_store
from core.operations.dataset_import import import_dataset
from core.reports.requests import ReportRequest, request_report
from core.settings import PROJECT
from core.submissions.commands.requests import request_run
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.months import open_submission
from core.vocabulary.column_values import RUNNING_SUBMISSION_STATES
from deployments.prefect_login import prefect_client
from tests.fault.full_disk import Disk
from tests.fault.installation import Installation, until
from tests.fault.mailbox import Mailbox
from tests.subscribed import subscribe

PROVIDERS = tuple(f"ZX{number}" for number in range(1, 11))
MONTHS = (dt.date(2017, 4, 1), dt.date(2017, 5, 1))
REPORTS = 3
RULE = "calculate-submission"
ROWS = 2_000
LOOK = 0.2  # seconds; a look costs a connection
PATIENCE = 1200  # seconds for all of them, also on a machine that has much else to do
DATASET = PROJECT / "core/engine/dataset/library/sexual-health.yaml"
CONFIGURATION = PROJECT / "core/engine/tariff/library/illustrative-isht-2017-18.yaml"

Told = Counter[tuple[Any, ...]]


@dataclass
class Outcome:
    """All that people see of a round."""

    charges: dict[int, tuple[int, str]]  # by submission: how many, and a digest of all of them
    notifications: Told
    mails: Told
    posts: Told  # in log groups
    reports: dict[str, int]  # by title: the rows of its workbook


@dataclass
class Scene:
    """Services that run, and who takes part."""

    installation: Installation
    disk: Disk
    mailbox: Mailbox
    people: dict[str, int] = field(default_factory=dict)
    colleagues: dict[str, int] = field(default_factory=dict)
    submissions: list[int] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        return self.installation.engine()

    def team_of(self, submission_id: int) -> tuple[int, int]:
        """The two people who work for the provider of a month."""
        months, providers = tables.submissions.c, tables.organisations.c
        query = sa.select(providers.code).where(
            months.id == submission_id, months.provider_id == providers.id
        )
        with self.engine.connect() as connection:
            code = connection.execute(query).scalar_one()
        return self.people[code], self.colleagues[code]

    def count(self, table: sa.Table, chosen: Any) -> int:
        with self.engine.connect() as connection:
            query = sa.select(sa.func.count()).select_from(table).where(chosen)
            return int(connection.execute(query).scalar_one())


def import_demo_data(scene: Scene, folder: Path) -> None:
    """Brings in people, tariff and files, and waits until every file is ready."""
    with scene.engine.begin() as connection:
        import_dataset(connection, DATASET.read_text(), name=DATASET.name)
        tariff = yaml.safe_load(CONFIGURATION.read_text())
        tariff["providers"] = {provider: {} for provider in PROVIDERS}
        tariff["start"], tariff["end"] = str(tariff["start"]), str(tariff["end"])
        import_configuration(connection, yaml.safe_dump(tariff), name="ten providers")
        scene.people["operator"] = _person(connection, "operator", "operator", None)
        providers = {code: _provider(connection, code, scene) for code in PROVIDERS}
    for code, provider in providers.items():
        scene.submissions += [_upload(scene, folder, code, provider, month) for month in MONTHS]
    ready = tables.files.c.state == "ready"
    until(
        lambda: scene.count(tables.files, ready) == len(scene.submissions), seconds=400, every=LOOK
    )


def _provider(connection: Connection, code: str, scene: Scene) -> int:
    organisations = tables.organisations
    provider = connection.execute(
        organisations.insert()
        .values(kind="provider", code=code, name=f"Provider {code}")
        .returning(organisations.c.id)
    ).scalar_one()
    clinics = [
        {"provider_id": provider, "clinic_id": clinic, "name": name, "commissioner": host}
        for clinic, name, host in sample_clinics(code)
    ]
    connection.execute(tables.clinics.insert().values(clinics))
    scene.people[code] = _person(connection, code, "provider", provider)
    scene.colleagues[code] = _person(connection, f"{code} too", "provider", provider)
    return int(provider)


def _person(connection: Connection, name: str, role: str, organisation: int | None) -> int:
    users = tables.users
    person = connection.execute(
        users.insert()
        .values(subject=name, name=name, email=f"{name.lower().replace(' ', '-')}@example.org")
        .returning(users.c.id)
    ).scalar_one()
    subscribe(connection, person, role, organisation)
    return int(person)


def _upload(scene: Scene, folder: Path, code: str, provider: int, month: dt.date) -> int:
    path = folder / f"{code} {month:%Y-%m}.csv"
    write_activity(make_activity(ROWS, code, month, seed=provider), path)
    with scene.engine.begin() as connection:
        submission = open_submission(connection, provider, month)
    with path.open("rb") as stream:
        arrival = UploadDetails(path.name)
        store_upload(
            scene.engine, open_store(), submission, arrival, stream, user_id=scene.people[code]
        )
    return submission


class Round:
    """A draft of every month is asked for, and some reports; in the middle something may happen."""

    def __init__(self, scene: Scene, *, at_once: int | None = None) -> None:
        self.scene = scene
        # One that failed must not fail those that follow.
        at_work = tables.submissions.c.state.in_(RUNNING_SUBMISSION_STATES)
        until(lambda: not scene.count(tables.submissions, at_work), every=LOOK)
        self.asked_later = scene.submissions[at_once:] if at_once is not None else []
        scene.mailbox.got.clear()
        events = tables.events.c
        with scene.engine.begin() as connection:
            self.begins_after = connection.execute(sa.select(sa.func.max(events.id))).scalar_one()
            for submission in scene.submissions[:at_once]:
                request_run(connection, submission, "draft", user_id=None)
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def runs(self, *states: str) -> list[sa.Row[Any]]:
        """The runs of this round in one of the states."""
        runs, events = tables.runs, tables.events
        ours = sa.select(events.c.payload["run_id"].as_integer()).where(
            events.c.name == "submission.requested", events.c.id > self.begins_after
        )
        query = sa.select(runs).where(runs.c.id.in_(ours), runs.c.state.in_(states))
        with self.scene.engine.connect() as connection:
            return list(connection.execute(query))

    def slowest(self) -> float:
        """Seconds from a month's turn, when its first run was created in Prefect, to its charges.

        The time that all of them take measures the machine, not orphaned work.
        """
        events = tables.events.c
        query = sa.select(events.event_id, events.payload["run_id"].as_integer()).where(
            events.name == "submission.requested", events.id > self.begins_after
        )
        with self.scene.engine.connect() as connection:
            keys = {f"{row[0]}:{RULE}": row[1] for row in connection.execute(query)}
        wanted = {"flow_runs": {"idempotency_key": {"any_": list(keys)}}}
        with prefect_client(self.scene.installation.settings) as http:
            answer = http.post("/flow_runs/filter", json=wanted).raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        created = {
            keys[run["idempotency_key"]]: dt.datetime.fromisoformat(run["created"]) for run in found
        }
        published = {run.id: run.finished_at for run in self.runs("published")}
        return max(float((published[run] - at).total_seconds()) for run, at in created.items())

    def ask_for_reports(self) -> None:
        """Some providers ask for what they have of both months."""
        with self.scene.engine.begin() as connection:
            for code in PROVIDERS[:REPORTS]:
                request = ReportRequest(
                    side="provider",
                    organisation=code,
                    organisation_name=f"Provider {code}",
                    first_month=MONTHS[0],
                    last_month=MONTHS[-1],
                    asked_by=code,
                )
                request_report(connection, request, user_id=self.scene.people[code])

    def undisturbed(self) -> Outcome:
        self._until_all_is_published()
        self.ask_for_reports()
        return self._outcome()

    def disturbed(self, strike: Callable[[Round], None]) -> Outcome:
        """``strike`` comes in the middle: some months are done, and most are not."""
        until(lambda: len(self.runs("published")) >= 3, every=LOOK)
        assert len(self.runs("published")) < len(self.scene.submissions) // 2
        self.ask_for_reports()
        try:
            strike(self)
            self._until_all_is_published()
        finally:
            self.scene.installation.stop_workers()
        return self._outcome()

    def _until_all_is_published(self) -> None:
        wanted = len(self.scene.submissions)
        until(lambda: len(self.runs("published")) == wanted, seconds=PATIENCE, every=LOOK)

    def _outcome(self) -> Outcome:
        until(lambda: not self._untold(), seconds=300, every=LOOK, left=self._untold)
        return Outcome(
            charges=self._charges(),
            notifications=self._notifications(),
            mails=self.scene.mailbox.read(),
            posts=self._posts(),
            reports=self._reports(),
        )

    def _untold(self) -> list[sa.Row[Any]]:
        """Reports that are not made, events without their effect, e-mails that have not left."""
        reports, events, sent = tables.reports, tables.events, tables.notification_deliveries
        waiting = (
            sa.select(reports).where(reports.c.state.in_(("requested", "collating"))),
            sa.select(events).where(events.c.delivered_at.is_(None)),
            sa.select(sent).where(sent.c.state == "waiting"),
        )
        with self.scene.engine.connect() as connection:
            return [row for query in waiting for row in connection.execute(query)]

    def _charges(self) -> dict[int, tuple[int, str]]:
        text = sa.text("""
            SELECT r.submission_id, count(*), md5(string_agg(line, '|' ORDER BY line))
            FROM runs r JOIN LATERAL (
                SELECT concat_ws(',', clinic_id, patient_id, attendance_date, currency, rate_type,
                                 rate_pence, factor, amount_pence, commissioner, basis) AS line
                FROM charges WHERE run_id = r.id) c ON true
            WHERE r.id = ANY(:runs) GROUP BY 1""")
        runs = [run.id for run in self.runs("published")]
        with self.scene.engine.connect() as connection:
            rows = connection.execute(text, {"runs": runs})
            return {submission: (count, digest) for submission, count, digest in rows}

    def _notifications(self) -> Told:
        """All but what operators are told of the fault itself."""
        told = tables.notifications
        columns = (told.c.user_id, told.c.topic, told.c.title, told.c.text, told.c.address)
        return self._of_our_events(told, *columns, chosen=told.c.topic != "operations")

    def _posts(self) -> Told:
        """All but those of stages, which a run that was taken up passes through again, and those
        of the fault itself."""
        posts, events = tables.log_posts, tables.events
        title = sa.case((events.c.name.startswith("report"), posts.c.text), else_=posts.c.subject)
        columns = (posts.c.log_group, events.c.name, title)
        names = ("submission.stage-finished", "flow-run.stopped", "queue.not-served")
        return self._of_our_events(posts, *columns, chosen=events.c.name.not_in(names))

    def _of_our_events(self, table: sa.Table, *columns: Any, chosen: Any) -> Told:
        events = tables.events
        query = (
            sa.select(*columns)
            .join_from(table, events, events.c.event_id == table.c.event_id)
            .where(events.c.id > self.begins_after, chosen)
        )
        with self.scene.engine.connect() as connection:
            return Counter(tuple(row) for row in connection.execute(query))

    def _reports(self) -> dict[str, int]:
        reports, events = tables.reports, tables.events
        ours = sa.select(events.c.payload["report_id"].as_integer()).where(
            events.c.name == "report.ready", events.c.id > self.begins_after
        )
        with self.scene.engine.connect() as connection:
            rows = connection.execute(sa.select(reports).where(reports.c.id.in_(ours))).all()
        return {row.name: _rows_of_workbook(row.storage_key) for row in rows}


def _rows_of_workbook(storage_key: str) -> int:
    with open_store().open(storage_key) as kept:
        book = load_workbook(io.BytesIO(kept.read()))
    return int(book.get_sheet_by_name("Backing Data").total_height)
