"""Open months with residents whose district has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.in_force import service_of
from core.database import tables
from core.database.records import records_table
from core.engine.dataset.specification import Specification, specification_of
from core.events.outbox import raise_event
from core.vocabulary import event_catalogue
from core.vocabulary.states.submissions import HANDED_IN, FileState


@dataclass(frozen=True)
class MovedArea:
    """An area that belongs to another one than before."""

    code: str
    before: str | None
    after: str


def report_changed_payers(connection: Connection, moved: Sequence[MovedArea]) -> int:
    """Raises an event for each open month with residents of these LSOAs; returns how many.

    A month is open until it is submitted: its draft can be calculated again.
    """
    if not moved:
        return 0
    by_code = {each.code: each for each in moved}
    files = _open_files(connection)
    raised = 0
    for table, column in _residences(connection):
        for row in _counted(connection, table, column, list(by_code), files):
            raise_event(connection, _event(row, by_code[row.example]))
            raised += 1
    return raised


def _open_files(connection: Connection) -> list[int]:
    files, submissions = tables.files, tables.submissions
    query = (
        sa.select(files.c.id)
        .join(submissions, submissions.c.id == files.c.submission_id)
        .where(files.c.state != FileState.REMOVED, submissions.c.state.not_in(HANDED_IN))
    )
    return list(connection.execute(query).scalars())


def _residences(connection: Connection) -> Iterator[tuple[str, str]]:
    """The records table of each data set, with the column of residence of each of its versions."""
    bodies = connection.execute(sa.select(tables.datasets.c.body).order_by(tables.datasets.c.id))
    columns: dict[tuple[str, str], None] = {}
    for body in bodies.scalars():
        specification = specification_of(body)
        column = _residence(specification)
        if column is not None:
            columns[records_table(specification), column] = None
    present = sa.inspect(connection)
    yield from (pair for pair in columns if present.has_table(pair[0]))


def _residence(specification: Specification) -> str | None:
    return next(
        (column for column, each in specification.columns.items() if each.role == "residence"),
        None,
    )


def _counted(
    connection: Connection, table: str, column: str, codes: list[str], files: list[int]
) -> Sequence[sa.Row[tuple[object, ...]]]:
    """For each open month the number of areas and records, and one area as an example."""
    lived: sa.ColumnElement[str] = sa.column(column, sa.Text)
    records = sa.table(table, sa.column("file_id"), sa.column("in_error"), sa.column(column))
    of_file, submissions, organisations = tables.files, tables.submissions, tables.organisations
    query = (
        sa.select(
            submissions.c.id.label("submission_id"),
            submissions.c.month,
            submissions.c.dataset,
            service_of(submissions.c.dataset).label("service"),
            organisations.c.code.label("provider"),
            sa.func.count(lived.distinct()).label("areas"),
            sa.func.count().label("records"),
            sa.func.min(lived).label("example"),
        )
        .select_from(records)
        .join(of_file, of_file.c.id == records.c.file_id)
        .join(submissions, submissions.c.id == of_file.c.submission_id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .where(records.c.file_id.in_(files), sa.not_(records.c.in_error), lived.in_(codes))
        .group_by(submissions.c.id, submissions.c.month, organisations.c.code)
        .order_by(submissions.c.id)
    )
    return connection.execute(query).all()


def _event(row: sa.Row[tuple[object, ...]], moved: MovedArea) -> event_catalogue.AreaPayerChanged:
    before = moved.before or "none"
    return event_catalogue.AreaPayerChanged(
        submission_id=row.submission_id,
        provider=row.provider,
        month=f"{row.month:%Y-%m}",
        areas=row.areas,
        records=row.records,
        example=f"{moved.code} from {before} to {moved.after}",
        dataset=row.dataset if row.service else "",
        service=row.service,
    )
