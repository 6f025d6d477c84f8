"""A provider's month on a real database, without a scheduler: chunks run one after the other.

Flows run the same lines with queues, threads and retries; tests/flow has those.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from core.accounts.organisations import find_organisation
from core.database import tables
from core.engine.areas.register import AreaRegister
from core.files.store import FolderStore
from core.submissions.commands import calculate_month
from core.submissions.commands.calculate_month import begin_calculation, calculate_charges
from core.submissions.commands.check_stored_file import (
    CheckContext,
    NumberedChunk,
    check_stored_file,
    one_by_one,
)
from core.submissions.commands.requests import RunKind, request_run
from core.submissions.commands.run_inputs import RunInputs
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.months import SubmissionRow, get_submission, open_submission
from core.vocabulary.states.submissions import SUBMISSION_MACHINE, FileState
from deployments.demo.run import demo_users

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

APRIL = dt.date(2017, 4, 1)
REGISTER = AreaRegister.shipped()
HEADINGS = "Clinic ID,Patient ID,Attendance Date,LSOA,Gender,SHHAPT 1,SHHAPT 2"
TOWER_HAMLETS, HACKNEY = "E01004198", "E01001714"
"""LSOAs of two boroughs that take part."""
DATES = "Visits of a test are in April, whatever the month."
_OF_THE_SCENE = ("subscription.began", "kpi.published")


class Killed(Exception):
    """A check was stopped in the middle."""


class Service:
    """A database with the demonstration's organisations, people and tariff, and a store."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.store = FolderStore(folder)
        self.users = demo_users(engine)
        self.amira = self.users["ZX1"]
        self.dev = self.person("dev@grouper.example")

    def person(self, subject: str) -> int:
        """The user of that sign-in."""
        users = tables.users
        return int(self.one(sa.select(users.c.id).where(users.c.subject == subject)))

    def month(
        self, provider: str = "ZX1", month: dt.date = APRIL, *, dataset: str | None = None
    ) -> int:
        with self.engine.begin() as connection:
            found = find_organisation(connection, "provider", provider)
            return open_submission(connection, found.id, month, dataset=dataset)

    def submission(self, submission_id: int) -> SubmissionRow:
        with self.engine.connect() as connection:
            return get_submission(connection, submission_id)

    def whose(self, submission_id: int) -> int:
        """Who works for the provider of the month."""
        return self.users[self.submission(submission_id).provider]

    def user_for(self, submission_id: int) -> int:
        """Who works for the provider of the month."""
        return self.users[self.submission(submission_id).provider]

    def upload(
        self, submission_id: int, *lines: str, name: str = "april.csv", headings: str = HEADINGS
    ) -> int:
        content = "\n".join([headings, *lines, ""]).encode()
        arrival, stream = UploadDetails(name), io.BytesIO(content)
        user = self.whose(submission_id)
        return store_upload(self.engine, self.store, submission_id, arrival, stream, user_id=user)

    def check(
        self,
        file_id: int,
        *,
        chunk_rows: int = 1000,
        stop_after: int | None = None,
        most_findings: int = 10_000,
    ) -> str:
        """Checks a file; with ``stop_after`` chunks it stops there, as if it had been killed."""

        def run_chunks(context: CheckContext, chunks: Iterable[NumberedChunk]) -> None:
            one_by_one(context, islice(chunks, stop_after))
            if stop_after is not None:
                raise Killed

        with suppress(Killed):
            return check_stored_file(
                self.engine,
                self.store,
                file_id,
                chunk_rows=chunk_rows,
                run_chunks=run_chunks,
                most_findings=most_findings,
            )
        return "stopped"

    def ready(self, submission_id: int, *lines: str, name: str = "april.csv") -> int:
        """A file that has been checked and has no errors."""
        file_id = self.upload(submission_id, *lines, name=name)
        assert self.check(file_id) == FileState.READY
        return file_id

    def request(self, submission_id: int, kind: RunKind, reason: str | None = DATES) -> int:
        with self.engine.begin() as connection:
            user = self.whose(submission_id)
            return request_run(connection, submission_id, kind, user_id=user, reason=reason)

    def run(self, submission_id: int, kind: RunKind, reason: str | None = DATES) -> int:
        """Asks for a run and carries it out; gives its id."""
        run_id = self.request(submission_id, kind, reason)
        totals = calculate_month.calculate_month(
            self.engine, run_id, run_stage=calculate_month.one_by_one
        )
        assert totals is not None, f"run {run_id} is over"
        return run_id

    @contextmanager
    def measured(self, run_id: int) -> Iterator[tuple[Connection, RunInputs]]:
        """A run that has all its charges and is about to be published."""
        context = begin_calculation(self.engine, run_id)
        assert context is not None, f"run {run_id} is over"
        calculate_charges(context, calculate_month.one_by_one)
        with self.engine.begin() as connection:
            yield connection, context.run

    def move_to_state(self, submission_id: int, state: str, **values: object) -> None:
        """Puts a submission where a long run would leave it, by declared transitions alone."""
        submissions = tables.submissions
        start = self.submission(submission_id).state
        with self.engine.begin() as connection:
            for step in way(SUBMISSION_MACHINE.follows, start, state):
                connection.execute(
                    submissions.update()
                    .where(submissions.c.id == submission_id)
                    .values(state=step, **(values if step == state else {}))
                )

    def rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self.engine.connect() as connection:
            return connection.execute(query).all()

    def rows_of_one(self, query: sa.Select[Any]) -> Sequence[Any]:
        with self.engine.connect() as connection:
            return connection.execute(query).scalars().all()

    def one(self, query: sa.Executable) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def events(self) -> list[str]:
        """The names of all events so far, but for those of setting the scene."""
        events = tables.events
        query = sa.select(events.c.name).where(events.c.name.not_in(_OF_THE_SCENE))
        return list(self.rows_of_one(query.order_by(events.c.id)))

    def state(self, file_id: int) -> str:
        return str(self.one(sa.select(tables.files.c.state).where(tables.files.c.id == file_id)))


def way(follows: Mapping[str, Collection[str]], start: str, target: str) -> list[str]:
    """The states through which the declared transitions lead from one to another, shortest way."""
    ways = [[start]]
    for found in ways:
        if found[-1] == target:
            return found[1:]
        ways += [[*found, state] for state in sorted(follows[found[-1]]) if state not in found]
    raise LookupError(f"no way from {start} to {target}")


def visit(
    patient: int | str,
    *codes: str,
    clinic: str = "ZX1-A",
    date: str = "2017-04-03",
    lsoa: str = TOWER_HAMLETS,
    gender: str = "1",
) -> str:
    """A record as a line of csv."""
    first, second = [*codes, "", ""][:2]
    return f"{clinic},{patient},{date},{lsoa},{gender},{first},{second}"
