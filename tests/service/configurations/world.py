"""Two data sets and the versions of one, for months that ZX1 begins, submits and resets.

The data set ``swims`` is of swimming lessons: nothing of sexual health, so that nothing can lean on
it. Its versions rename a field, retire a code and require a new field.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.configurations.importing import Change, import_configuration
from core.database import tables
from core.operations.dataset_import import import_dataset
from core.submissions.commands.rereading import read_outdated_again
from core.submissions.commands.resets import ask_for_reset, grant_reset
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.vocabulary.states.submissions import FileState

if TYPE_CHECKING:
    from tests.service.month import Service

SWIMS = "swims"
APRIL, MAY, JUNE, JULY = (dt.date(2017, month, 1) for month in (4, 5, 6, 7))
HOST = "E09000030"

FIRST = """
dataset: swims
version: "1"
title: Swimming lessons
fields:
  - {name: Pool, role: clinic, required: true}
  - {name: Swimmer, role: patient, required: true}
  - {name: Day, role: date, type: date, required: true}
  - {name: Home, role: residence, type: lsoa, required: true}
  - {name: Lesson, type: code, codes: lessons, repeat: 2}
code_lists:
  lessons: {L1: Beginners, L2: Advanced, L3: Rescue}
"""
RENAMED = FIRST.replace('version: "1"', 'version: "2"\nstart: 2017-05').replace(
    "name: Lesson,", "name: Course,"
)
RETIRED = FIRST.replace('version: "1"', 'version: "3"\nstart: 2017-06').replace(", L3: Rescue", "")
REQUIRED = FIRST.replace('version: "1"', 'version: "4"\nstart: 2017-07').replace(
    "code_lists:", "  - {name: Age, type: integer, required: true}\ncode_lists:"
)
HOME_RENAMED = FIRST.replace('version: "1"', 'version: "2"\nstart: 2017-05').replace(
    "name: Home,", "name: Residence,"
)
TARIFF = """
configuration: swims-2017
title: Swimming 2017
dataset: swims
status: live
start: 2017-04-01
end: 2018-03-31
owner: E09000030
providers: {ZX1: {factor: 1}}
commissioners: {E09000030: {}, E09000012: {}}
currencies:
  - code: T2
    name: A lesson
    primary: "10.00"
    additional: "5.00"
    cross_charge: full
    triggers: ["Lesson = L1", "Lesson = L2"]
  - code: R
    name: A rescue course
    primary: "20.00"
    additional: "8.00"
    cross_charge: full
    triggers: ["Lesson = L3"]
"""
HEADINGS = "Pool,Swimmer,Day,Home,Lesson 1,Lesson 2"
TOWER_HAMLETS, HACKNEY = "E01004198", "E01001714"
LESSONS = (f"ZX1-A,1,2017-04-03,{HACKNEY},L1,", f"ZX1-A,2,2017-04-03,{TOWER_HAMLETS},L2,L3")
PENCE = 1000 + 2000 + 500
"""What LESSONS come to: L1 and L2 are one currency, and L3 is primary."""


def import_set(service: Service, body: str) -> None:
    with service.engine.begin() as connection:
        import_dataset(connection, body, name="set.yaml")


def import_tariff(
    service: Service,
    body: str,
    *,
    since: dt.date | None = None,
    why: str = "",
    leave: bool = False,
) -> None:
    with service.engine.begin() as connection:
        change = Change(since, why, by="the test", leave_submitted=leave)
        import_configuration(connection, body, name="tariff.yaml", change=change)


def swimming(service: Service) -> None:
    """The first version and its tariff, beside sexual health."""
    import_set(service, FIRST)
    import_tariff(service, TARIFF)


def upload(
    service: Service, submission: int, *lines: str, headings: str = HEADINGS, name: str = "s.csv"
) -> int:
    content = "\n".join([headings, *(lines or LESSONS), ""]).encode()
    return store_upload(
        service.engine,
        service.store,
        submission,
        UploadDetails(name),
        io.BytesIO(content),
        user_id=service.amira,
    )


def submitted(service: Service, month: dt.date = APRIL) -> int:
    """A month of swimming that is submitted; its submission."""
    submission = service.month(month=month, dataset=SWIMS)
    assert service.check(upload(service, submission)) == FileState.READY
    service.run(submission, "final")
    assert pence(service, submission) == PENCE
    return submission


def read_again(service: Service) -> None:
    """What the sweep does: files of open months that are outdated are checked again."""
    read_outdated_again(service.engine)
    files = tables.files
    query = sa.select(files.c.id).where(files.c.state == FileState.CHECKING)
    for file_id in service.rows_of_one(query.order_by(files.c.id)):
        service.check(file_id)


def reset(service: Service, submission: int) -> None:
    """The month is opened again."""
    with service.engine.begin() as connection:
        asked = ask_for_reset(connection, submission, host=HOST, reason="a test", user_id=None)
        grant_reset(connection, asked, user_id=None, by="the test")


def pence(service: Service, submission: int) -> int:
    """What the published run of the month comes to."""
    months, runs = tables.submissions, tables.runs
    query = (
        sa.select(runs.c.amount_pence)
        .join(months, months.c.run_id == runs.c.id)
        .where(months.c.id == submission)
    )
    return int(service.one(query))


def payers(service: Service, submission: int) -> dict[str | None, int]:
    """Commissioner to pence of the published run."""
    months, charges = tables.submissions, tables.charges
    query = (
        sa.select(charges.c.commissioner, sa.func.sum(charges.c.amount_pence))
        .join(months, months.c.run_id == charges.c.run_id)
        .where(months.c.id == submission)
        .group_by(charges.c.commissioner)
    )
    return {row[0]: int(row[1]) for row in service.rows(query)}


def versions_of_files(service: Service, submission: int) -> list[str | None]:
    """The version that each file of the month was checked under."""
    files, datasets = tables.files, tables.datasets
    query = (
        sa.select(datasets.c.version)
        .select_from(files.outerjoin(datasets, datasets.c.id == files.c.dataset_id))
        .where(files.c.submission_id == submission)
        .order_by(files.c.id)
    )
    return list(service.rows_of_one(query))


def records(service: Service, table: str, file_id: int) -> int:
    """How many records of the file stand in a table of records."""
    rows = sa.table(table, sa.column("file_id"))
    return int(service.one(sa.select(sa.func.count()).where(rows.c.file_id == file_id)))
