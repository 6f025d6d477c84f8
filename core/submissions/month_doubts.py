"""What speaks against a month: records of other months, and visits that were charged before.

Data of another month is allowed (the tariff is that of the month of submission), and so is
one visit in two months: episodes are grouped within a submission. But neither happens without a
word: it is shown before the month is final, and somebody says why (decision 0033).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.audit import note
from core.counting import counted
from core.database import tables
from core.database.records import records_table
from core.engine.dataset.specification import Specification
from core.engine.tariff.money import Money
from core.engine.tariff.months import Month
from core.submissions.months import SubmissionRow
from core.submissions.versions import specification_for
from core.vocabulary.states.submissions import FileState, RunState


@dataclass(frozen=True)
class ChargedBefore:
    """Visits of a month that another final month has charged, and what for, in pence."""

    submission_id: int
    month: dt.date
    visits: int
    pence: int

    @property
    def text(self) -> str:
        visits = counted(self.visits, "visit")
        was = "was" if self.visits == 1 else "were"
        return f"{visits} {was} charged in {Month.of(self.month).name}: {Money(self.pence).text}"


@dataclass(frozen=True)
class MonthDoubts:
    """The records of a month, those dated in another one, and the visits charged before."""

    month: dt.date
    records: int = 0
    outside: int = 0
    before: tuple[ChargedBefore, ...] = ()

    @property
    def visits(self) -> int:
        return sum(each.visits for each in self.before)

    @property
    def pence(self) -> int:
        return sum(each.pence for each in self.before)

    def ask_for_a_reason(self, share: float) -> bool:
        """Whether the month is final only with a reason: from the first visit charged before, or
        from this share of records of another month."""
        return self.visits > 0 or (self.outside > 0 and self.outside >= share * self.records)

    @property
    def texts(self) -> list[str]:
        """A sentence for each doubt; none where all records are of the month and are new."""
        before = (f"{each.text}." for each in self.before)
        return [*_outside(self.outside, self.records, self.month), *before]


def _outside(outside: int, records: int, month: dt.date) -> Iterator[str]:
    if outside:
        lie = "lies" if outside == 1 else "lie"
        yield f"{outside:,} of {counted(records, 'record')} {lie} outside {Month.of(month).name}."


def doubts_of(connection: Connection, submission: SubmissionRow) -> MonthDoubts:
    """What speaks against the month as its files stand."""
    file_ids = _files(connection, submission.id)
    if not file_ids:
        return MonthDoubts(submission.month)
    specification = specification_for(connection, submission)
    records = _records(specification, file_ids)
    date = records.c.date
    first, after = submission.month, Month.of(submission.month).plus(1).first
    count = sa.func.count()
    outside = count.filter(sa.or_(date < first.isoformat(), date >= after.isoformat()))
    row = connection.execute(sa.select(count, outside).select_from(records)).one()
    before = charged_before(connection, submission, records) if row[0] else ()
    return MonthDoubts(submission.month, row[0], row[1], before)


def _files(connection: Connection, submission_id: int) -> Sequence[int]:
    files = tables.files.c
    query = sa.select(files.id).where(
        files.submission_id == submission_id, files.state != FileState.REMOVED
    )
    return connection.execute(query).scalars().all()


def _records(specification: Specification, file_ids: Sequence[int]) -> sa.CTE:
    """Clinic, patient and date of each record that was read, the date as ISO text."""
    names = specification.key_columns
    table = sa.table(
        records_table(specification),
        *(sa.column(name, sa.Text) for name in names),
        sa.column("file_id", sa.Integer),
        sa.column("in_error", sa.Boolean),
    )
    clinic, patient, date = (table.c[name] for name in names)
    # The ids are part of the query itself, or the index by file would not be used.
    chosen = sa.select(clinic.label("clinic"), patient.label("patient"), date.label("date")).where(
        table.c.file_id.in_(file_ids), sa.not_(table.c.in_error)
    )
    return chosen.cte("own_records").prefix_with("MATERIALIZED")


def charged_before(
    connection: Connection, submission: SubmissionRow, records: sa.CTE
) -> tuple[ChargedBefore, ...]:
    """The months that have charged visits of these records, the latest first.

    Which runs can have charged them is read from the days of each run (``run_days``): of five
    years only the months that share a day are looked at.
    """
    day = sa.cast(records.c.date, sa.Date)
    days = connection.execute(sa.select(day).distinct()).scalars().all()
    runs = _final_runs_with(connection, submission, days)
    if not runs:
        return ()
    charges, months = tables.charges.c, tables.submissions.c
    visits = sa.select(records.c.clinic, records.c.patient, day.label("date")).distinct().subquery()
    episode = sa.tuple_(charges.clinic_id, charges.patient_id, charges.attendance_date)
    query = (
        sa.select(
            months.id,
            months.month,
            sa.func.count(sa.distinct(episode)),
            sa.func.sum(charges.amount_pence),
        )
        .join(
            visits,
            sa.and_(
                visits.c.clinic == charges.clinic_id,
                visits.c.patient == charges.patient_id,
                visits.c.date == charges.attendance_date,
            ),
        )
        .join(tables.submissions, months.run_id == charges.run_id)
        .where(charges.run_id.in_(runs))
        .group_by(months.id, months.month)
        .order_by(months.month.desc())
    )
    rows = connection.execute(query)
    return tuple(
        ChargedBefore(number, month, count, int(sum_)) for number, month, count, sum_ in rows
    )


def _final_runs_with(
    connection: Connection, submission: SubmissionRow, days: Sequence[dt.date]
) -> Sequence[int]:
    """The published final runs of the provider's other months of this data set with such days."""
    runs, months, dated = tables.runs.c, tables.submissions.c, tables.run_days.c
    query = (
        sa.select(runs.id)
        .join(tables.submissions, months.run_id == runs.id)
        .where(
            months.provider_id == submission.provider_id,
            months.dataset == submission.dataset,
            months.id != submission.id,
            runs.kind == "final",
            runs.state == RunState.PUBLISHED,
            sa.exists().where(dated.run_id == runs.id, dated.day.in_(days)),
        )
    )
    return connection.execute(query).scalars().all()


def note_days(connection: Connection, run_id: int) -> None:
    """Notes the days on which a published run has charges."""
    charges = tables.charges.c
    days = sa.select(charges.run_id, charges.attendance_date).where(charges.run_id == run_id)
    insert = tables.run_days.insert().from_select(["run_id", "day"], days.distinct())
    connection.execute(insert)


def note_charged_before(connection: Connection, submission: SubmissionRow, run_id: int) -> int:
    """Notes the visits of a final run that other months charged; returns how many rows."""
    dated, months = tables.run_days.c, tables.submissions.c
    days = connection.execute(sa.select(dated.day).where(dated.run_id == run_id)).scalars().all()
    runs = _final_runs_with(connection, submission, days)
    if not runs:
        return 0
    now, then = tables.charges.alias("now"), tables.charges.alias("then")
    key = ("clinic_id", "patient_id", "attendance_date")
    visits = (
        sa.select(now.c.run_id, *(now.c[name] for name in key), months.month)
        .join(then, sa.and_(*(now.c[name] == then.c[name] for name in key)))
        .join(tables.submissions, months.run_id == then.c.run_id)
        .where(now.c.run_id == run_id, then.c.run_id.in_(runs))
        .distinct()
    )
    names = ["run_id", *key, "before_month"]
    done = connection.execute(tables.visits_before.insert().from_select(names, visits))
    return done.rowcount


def keep_reason(
    connection: Connection, run_id: int, doubts: MonthDoubts, reason: str, *, user_id: int | None
) -> None:
    """Keeps why the run of a doubtful month is right, with what was in doubt."""
    decided: dict[str, Any] = {
        "reason": reason,
        "records": doubts.records,
        "outside": doubts.outside,
        "visits": doubts.visits,
        "amount_pence": doubts.pence,
    }
    connection.execute(
        tables.run_decisions.insert().values(run_id=run_id, decided_by=user_id, **decided)
    )
    note(connection, "doubtful month released", f"run:{run_id}", user_id=user_id, **decided)


_DOUBTFUL = "Some records of this month lie outside it, or their visits were charged before."


@dataclass(frozen=True)
class Decision:
    """Why a doubtful month is final, who said so, and what was in doubt."""

    reason: str
    user_id: int | None
    decided_by: str | None  # name; None: unknown to whoever asks
    decided_at: dt.datetime
    month: dt.date
    records: int
    outside: int
    visits: int
    pence: int

    @property
    def text(self) -> str:
        """Why the month is right, for who pays: figures would tell of other commissioners, and
        a name who works for the provider."""
        whom = "on the command line" if self.user_id is None else "by the provider"
        return f"{_DOUBTFUL} Released all the same {whom}: {self.reason}"

    @property
    def in_full(self) -> str:
        """What was in doubt, and why the month is right, for the provider itself."""
        told = list(_outside(self.outside, self.records, self.month))
        if self.visits:
            had = "was" if self.visits == 1 else "were"
            visits = f"{counted(self.visits, 'visit')} {had} charged in other months before"
            told.append(f"{visits}: {Money(self.pence).text} there.")
        return " ".join([*told, f"Released all the same {self._by_whom}:", self.reason])

    @property
    def _by_whom(self) -> str:
        if self.user_id is None:
            return "on the command line"
        return f"by {self.decided_by}" if self.decided_by else "by the provider"


def decision_on(connection: Connection, run_id: int) -> Decision | None:
    """The decision on a run that the caller may see; None: nothing was in doubt."""
    return decisions_on(connection, [run_id]).get(run_id)


def decisions_on(connection: Connection, run_ids: Sequence[int]) -> dict[int, Decision]:
    """The decisions on those of the runs that were in doubt."""
    decided, users, runs = tables.run_decisions.c, tables.users.c, tables.runs.c
    query = (
        sa.select(
            decided.run_id,
            decided.reason,
            decided.decided_by,
            users.name,
            decided.decided_at,
            tables.submissions.c.month,
            decided.records,
            decided.outside,
            decided.visits,
            decided.amount_pence,
        )
        .select_from(tables.run_decisions)
        .join(tables.runs, runs.id == decided.run_id)
        .join(tables.submissions, tables.submissions.c.id == runs.submission_id)
        .outerjoin(tables.users, users.id == decided.decided_by)
        .where(decided.run_id.in_(run_ids))
    )
    return {row[0]: Decision(*row[1:]) for row in connection.execute(query)}
