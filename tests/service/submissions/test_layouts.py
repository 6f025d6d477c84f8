"""A month of files of two layouts in the service: checked, merged, priced, explained, reported."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
import sqlalchemy as sa

import core.kpis
from core.access.people import person_of
from core.configurations.importing import import_configuration
from core.database import tables
from core.database.acting import acting_for
from core.documents import read_document
from core.engine.dataset.specification import load_specification
from core.engine.offline.pricing import Tariff, price_files
from core.engine.samples.activity import make_activity, sample_clinics
from core.engine.samples.one_row_an_activity import SPECIFICATION, one_row_an_activity
from core.engine.samples.writing import write_activity
from core.engine.tariff.configuration import load_configuration
from core.kpis.catalogue import import_library
from core.kpis.definitions import Kpi, library_from
from core.kpis.episodes import chunks_to_write, write_episodes
from core.kpis.kpi_schema import create_kpi_schema
from core.kpis.measuring import measure
from core.operations.dataset_import import import_dataset
from core.reports.requests import ReportRequest
from core.submissions.commands.calculate_month import calculate_month, one_by_one
from core.submissions.commands.headings import choose_headings
from core.submissions.commands.run_inputs import load_run
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.queries.charge_explanation import explain
from core.submissions.queries.charge_list import ChargeFilter, lines_of, visible_runs
from core.vocabulary.heading_look import Look
from core.vocabulary.report_kinds import ReportKind
from core.vocabulary.states.submissions import FileState
from tests.service.month import REGISTER, TOWER_HAMLETS
from tests.service.reports.whole_report import write_whole

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.service.month import Service

APRIL = dt.date(2019, 4, 1)
CONFIGURATION = SPECIFICATION.parents[2] / "tariff/library/illustrative-isht-2019-20.yaml"
INDICATORS = Path(core.kpis.__path__[0]) / "library/sexual-health-2019.yaml"
LONG = "Clinic_ID,Patient_ID,consultation_date,LSOA,Episode_Activity,Site"
WIDE = "Clinic ID,Patient ID,Attendance Date,LSOA,SHHAPT 1,SRH Care Activity 1"
REMOVAL = "1190989121107"


@pytest.fixture
def both(service: Service) -> Service:
    """With the data set of 2019 and its tariff."""
    with service.engine.begin() as connection:
        import_dataset(connection, SPECIFICATION.read_text(), name="2019")
        import_configuration(connection, CONFIGURATION.read_text(), name="2019-20")
    return service


def upload(service: Service, month: int, name: str, content: bytes, look: Look = Look.NEVER) -> int:
    arrival, stream = UploadDetails(name, look=look), io.BytesIO(content)
    user = service.whose(month)
    return store_upload(service.engine, service.store, month, arrival, stream, user_id=user)


def ready(service: Service, month: int, name: str, content: bytes) -> int:
    file_id = upload(service, month, name, content)
    assert service.check(file_id, chunk_rows=97) == FileState.READY
    return file_id


def lines(heading: str, *rows: str) -> bytes:
    return "\n".join([heading, *rows, ""]).encode()


def in_chunks(service: Service, month: int, chunks: int) -> int:
    """A final run, its episodes divided among so many chunks."""
    run_id = service.request(month, "final")
    runs = tables.runs
    with service.engine.begin() as connection:
        connection.execute(runs.update().where(runs.c.id == run_id).values(chunks=chunks))
    assert calculate_month(service.engine, run_id, run_stage=one_by_one) is not None
    return run_id


def test_the_service_charges_what_the_command_line_charges(both: Service, tmp_path: Path) -> None:
    specification = load_specification(SPECIFICATION)
    episodes = make_activity(400, "ZX1", APRIL, seed=5)
    rows = one_row_an_activity(episodes, specification.in_layout("GUMCADv3"))
    half = rows.num_rows // 2
    parts = {
        "b.csv": rows.slice(half),
        "wide.csv": episodes.slice(0, 150),
        "a.csv": rows.slice(0, half),
    }
    month = both.month(month=APRIL)
    for name, part in parts.items():
        write_activity(part, tmp_path / name)
        ready(both, month, name, (tmp_path / name).read_bytes())
    run_id = in_chunks(both, month, 7)
    tariff = Tariff(
        specification,
        load_configuration(CONFIGURATION, specification),
        provider="ZX1",
        month=APRIL,
        hosts={clinic: host for clinic, _, host in sample_clinics("ZX1")},
        register=REGISTER,
    )
    done = price_files([(name, tmp_path / name) for name in parts], tariff).calculation
    assert done is not None
    charges = tables.charges
    query = sa.select(
        charges.c.clinic_id, charges.c.patient_id, charges.c.attendance_date, charges.c.currency,
        charges.c.amount_pence, charges.c.commissioner,
    ).where(charges.c.run_id == run_id)  # fmt: skip
    stored = sorted((*row[:2], str(row[2]), *row[3:]) for row in both.rows(query))
    names = ("clinic_id", "patient_id", "attendance_date", "currency", "amount", "commissioner")
    expected = sorted(tuple(row[name] for name in names) for row in done.charges.to_pylist())
    assert stored == expected
    assert len(stored) > 400
    assert both.one(sa.select(tables.runs.c.episodes).where(tables.runs.c.id == run_id)) == (
        done.merged.episodes.num_rows
    )


@pytest.fixture
def merged(both: Service) -> int:
    """A run of one episode of records of both layouts."""
    month = both.month(month=APRIL)
    key = f"ZX1-A,1,2019-04-03,{TOWER_HAMLETS}"
    three = [f"{key},T2,{site}" for site in "RGO"]
    ready(both, month, "long.csv", lines(LONG, *three, three[0], f"{key},{REMOVAL},"))
    ready(both, month, "wide.csv", lines(WIDE, f"{key},C4,11"))
    return both.run(month, "final")


def test_an_episode_of_both_layouts_is_explained(
    both: Service, merged: int, portal_engine: Engine
) -> None:
    with acting_for(portal_engine, both.amira, None).connect() as connection:
        [run] = visible_runs(connection, person_of(connection, both.amira).scope)
        charged = lines_of(connection, run, ChargeFilter())
        found = explain(connection, run, charged[0])
    assert run.run_id == merged
    assert sorted(line.currency for line in charged) == ["CYT", "LARCR", "STIA", "T2", "TT"]
    [three] = [line.reason for line in charged if line.currency == "TT"]
    assert "Episode_Activity = T2 WITH Site = R" in three
    values = [(each.column, each.value, each.file, each.row) for each in found.merged]
    assert ("SHHAPT 1", "C4", "wide.csv", 2) in values
    united = [each for each in values if each[0] in ("Episode_Activity", "Site")]
    assert united == [
        ("Episode_Activity", "T2", "long.csv", 2),
        ("Site", "R", "long.csv", 2),
        ("Episode_Activity", "T2", "long.csv", 3),
        ("Site", "G", "long.csv", 3),
        ("Episode_Activity", "T2", "long.csv", 4),
        ("Site", "O", "long.csv", 4),
        ("Episode_Activity", REMOVAL, "long.csv", 6),
    ]
    assert len(found.records) == 6
    assert found.lost == ()


def test_indicators_see_all_that_an_episode_holds(
    both: Service, merged: int, with_roles: str
) -> None:
    assert with_roles
    with both.engine.begin() as connection:
        run = load_run(connection, merged)
        create_kpi_schema(connection, run.specification)
        for chunk in chunks_to_write(connection, run):
            write_episodes(connection, run, chunk)
    query = (
        "SELECT count(*) AS numerator, max(cardinality(episode_activity)) AS denominator "
        f"FROM episodes WHERE episode_activity = '{{T2,{REMOVAL}}}' AND site @> '{{O}}'"
    )
    tried = Kpi(kpi="tried", title="Tried", description="On a run.", sql=query)
    measured = measure(both.engine, tried, "sexual-health", merged)
    assert [measured.numerator, measured.denominator] == [1, 2]
    of_records = "SELECT count(*) AS numerator, 6 AS denominator FROM records WHERE site <> '{}'"
    tried = Kpi(kpi="tried", title="Tried", description="On a run.", sql=of_records)
    assert measure(both.engine, tried, "sexual-health", merged).numerator == 4


def test_shipped_indicators_count_the_codes_of_both_layouts(
    both: Service, merged: int, with_roles: str
) -> None:
    assert with_roles
    with both.engine.begin() as connection:
        library = library_from(read_document(INDICATORS))
        assert len(import_library(connection, library)) == len(library.kpis)
        run = load_run(connection, merged)
        for chunk in chunks_to_write(connection, run):
            write_episodes(connection, run, chunk)
    found = {}
    for kpi in library.kpis:
        measured = measure(both.engine, kpi, "sexual-health", merged)
        found[kpi.kpi] = [measured.numerator, measured.denominator]
    assert found["chlamydia-tested"] == found["chlamydia-positivity"] == [1, 1]
    assert found["activity-coded"] == [1, 1]


@pytest.mark.parametrize(
    ("labels", "sites"), [(False, "R; G; O"), (True, "Rectal; Genital; Pharyngeal")]
)
def test_the_data_extract_has_all_values_in_one_cell(
    both: Service, merged: int, tmp_path: Path, labels: bool, sites: str
) -> None:
    del merged
    with both.engine.connect() as connection:
        request = ReportRequest(
            kind=ReportKind.DATA_EXTRACT,
            side="provider",
            organisation="ZX1",
            organisation_name="ZX1",
            first_month=APRIL,
            last_month=APRIL,
            asked_by="Amira Okafor",
            labels=labels,
        )
        path = tmp_path / "extract.xlsx"
        write_whole(connection, request, path)
    headings, row, *_ = openpyxl.load_workbook(path)["Data Extract"].iter_rows(values_only=True)
    assert sites in row
    assert row[headings.index("Records")] == 6
    assert [cell for cell in row if REMOVAL in str(cell)]


def test_what_a_person_says_of_a_heading_decides_the_layout(
    both: Service,
) -> None:
    month = both.month(month=APRIL)
    content = lines(
        "Clinic_ID,Patient_ID,consultation_date,LSOA,What was done",
        f"ZX1-A,1,2019-04-03,{TOWER_HAMLETS},T4",
    )
    file_id = upload(both, month, "a.csv", content, Look.NEW)
    assert both.check(file_id) == FileState.UNCONFIRMED
    choice = {"What was done": "Episode_Activity"}
    with both.engine.begin() as connection:
        choose_headings(connection, file_id, choice, user_id=both.amira)
    assert both.check(file_id) == FileState.READY
    run_id = both.run(month, "draft")
    query = sa.select(tables.charges.c.currency).where(tables.charges.c.run_id == run_id)
    assert both.rows_of_one(query) == ["T4"]
