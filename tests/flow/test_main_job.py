"""The main job on real servers: a file becomes charges and a workbook, by events alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import sqlalchemy as sa

from core.database import tables
from core.engine.samples.activity import make_activity, sample_clinics
from core.engine.samples.writing import write_activity
from core.submissions.commands.requests import NotReady, request_run
from core.vocabulary.states.submissions import FileState
from deployments.demo import story
from deployments.demo.activity import DemoFile, Slip, with_slip
from deployments.demo.by_hand import charges_by_hand, charges_in_database
from deployments.demo.run import CONFIGURATION, DATASET
from deployments.prefect_login import prefect_client
from tests.flow.conftest import Until

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

MONTH = dt.date(2017, 9, 1)


@pytest.fixture(scope="module")
def user(populated: Engine) -> int:
    with populated.connect() as connection:
        users = tables.users
        return connection.execute(
            sa.select(users.c.id).where(users.c.subject == "amira@zx1.example")
        ).scalar_one()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> DemoFile:
    meant = make_activity(1_500, "ZX1", MONTH, seed=9)
    written = with_slip(meant, Slip("SHHAPT 1", right="T4", wrong="T4A", rows=5))
    path = tmp_path_factory.mktemp("files") / "September 2017.csv"
    write_activity(written, path)
    return DemoFile("ZX1", path, {"T4A": "T4"}, meant)


@pytest.fixture(scope="module")
def month(populated: Engine, file: DemoFile, user: int) -> story.Month:
    return story.upload(populated, file, user, month=MONTH)


@pytest.fixture(scope="module")
def corrected(populated: Engine, month: story.Month, file: DemoFile) -> story.Month:
    checked = story.wait_for_check(populated, month)
    assert (checked.state, checked.records, checked.errors) == (FileState.IN_ERROR, 1_500, 5)
    with pytest.raises(NotReady, match="has errors"), populated.begin() as connection:
        request_run(connection, month.submission_id, "draft", user_id=month.user_id)
    story.correct_errors(populated, month, file.right, print)
    checked = story.wait_for_check(populated, month)
    assert (checked.state, checked.errors) == (FileState.READY, 0)
    return month


@pytest.fixture(scope="module")
def run_id(populated: Engine, corrected: story.Month) -> int:
    story.submit(populated, corrected, "final")
    return story.wait_for_run(populated, corrected, print).run_id


def test_every_charge_agrees_with_the_calculation_by_hand(
    populated: Engine, file: DemoFile, run_id: int
) -> None:
    by_hand = charges_by_hand(
        file.activity,
        provider="ZX1",
        dataset=DATASET.read_text(),
        configuration=CONFIGURATION.read_text(),
        hosts={clinic: host for clinic, _, host in sample_clinics("ZX1")},
    )
    with populated.connect() as connection:
        assert charges_in_database(connection, run_id) == by_hand
    assert len(by_hand) > 1_500


def test_runs_and_tasks_have_names_that_operators_understand(
    services: Services, corrected: story.Month, run_id: int
) -> None:
    runs = _ask(services, "flow_runs", {})
    names = {run["name"] for run in runs}
    file = f"check file {corrected.file_id} of ZX1 2017-09"
    assert {file, "final of ZX1 2017-09"} <= names
    final = next(run["id"] for run in runs if run["name"] == "final of ZX1 2017-09")
    tasks = _ask(services, "task_runs", {"flow_runs": {"id": {"any_": [final]}}})
    stages = ("merging", "triggering", "combining", "pricing", "allocating")
    assert {f"{stage} bucket 0" for stage in stages} <= {task["name"] for task in tasks}


def test_progress_is_shown_by_artifacts(
    services: Services, corrected: story.Month, run_id: int, until: Until
) -> None:
    key = {"artifacts": {"key": {"any_": [f"submission-{corrected.submission_id}"]}}}

    def shown() -> list[tuple[str, float]]:
        found = _ask(services, "artifacts", key)
        return [(one["description"], one["data"]) for one in found]

    until(lambda: [share for _, share in shown()] == [100.0])  # the last step follows publication
    assert "September 2017, final run" in shown()[0][0]


def test_the_events_of_a_month_are_logged_once_each(populated: Engine, run_id: int) -> None:
    with populated.connect() as connection:
        subjects = connection.execute(
            sa.select(tables.events.c.name, sa.func.count())
            .where(tables.events.c.payload["month"].astext == "2017-09")
            .group_by(tables.events.c.name)
        )
        counts = dict(subjects.all())
    expected = ("file.received", "file.corrected", "file.ready", "submission.submitted")
    assert {name: counts[name] for name in expected} == dict.fromkeys(expected, 1)


def test_a_submitted_month_is_locked(
    populated: Engine, corrected: story.Month, file: DemoFile, run_id: int
) -> None:
    with pytest.raises(story.UserError, match="cannot be changed now"):
        story.upload(populated, file, corrected.user_id, month=MONTH)


@pytest.fixture(scope="module")
def workbook(populated: Engine, user: int, run_id: int, tmp_path_factory: Any) -> Path:
    report = story.ask_for_report(populated, "provider", "ZX1", user, month=MONTH)
    return story.wait_for_report(populated, report, tmp_path_factory.mktemp("reports"))


def test_backing_data_has_one_typed_row_a_charge_and_totals_that_agree(
    populated: Engine, workbook: Path, run_id: int
) -> None:
    book = openpyxl.load_workbook(workbook)
    assert book.sheetnames == ["Summary", "Backing Data", "Notes"]
    sheet = book["Backing Data"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:Q{sheet.max_row}")
    heading, *rows = sheet.iter_rows(values_only=True)
    first = dict(zip(heading, rows[0], strict=True))
    assert first["Month"] == dt.datetime(2017, 9, 1)  # noqa: DTZ001 - workbooks know no zones
    assert isinstance(first["Attendance date"], dt.datetime)
    assert isinstance(first["Amount"], (int, float))
    with populated.connect() as connection:
        charges = tables.charges
        count, pence = connection.execute(
            sa.select(sa.func.count(), sa.func.sum(charges.c.amount_pence)).where(
                charges.c.run_id == run_id
            )
        ).one()
    amount = heading.index("Amount")
    total = sum(Decimal(str(row[amount])) for row in rows)
    assert (len(rows), total) == (count, Decimal(int(pence)) / 100)
    totals = [row for row in book["Summary"].iter_rows(values_only=True) if row[0] == "Total"]
    assert len(totals) == 3
    assert {(row[4], Decimal(str(row[5]))) for row in totals} == {(count, total)}


def test_the_notes_say_what_was_asked_by_whom_and_from_which_run(
    workbook: Path, run_id: int
) -> None:
    notes = dict(openpyxl.load_workbook(workbook)["Notes"].iter_rows(min_row=3, values_only=True))
    assert notes["Asked for by"] == "Amira Okafor"
    assert notes["Period"] == "September 2017"
    assert "final run" in notes[f"Run {run_id}"]


def test_a_commissioner_gets_its_own_charges_and_no_others(
    populated: Engine, run_id: int, tmp_path: Path
) -> None:
    with populated.connect() as connection:
        carys = connection.execute(
            sa.select(tables.users.c.id).where(tables.users.c.name == "Carys Morgan")
        ).scalar_one()
    report = story.ask_for_report(populated, "commissioner", "E09000030", carys, month=MONTH)
    path = story.wait_for_report(populated, report, tmp_path)
    heading, *rows = openpyxl.load_workbook(path)["Backing Data"].iter_rows(values_only=True)
    payer = heading.index("Commissioner")
    assert {row[payer] for row in rows} == {"E09000030"}


def _ask(services: Services, what: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    with prefect_client(services.settings) as http:
        answer = http.post(f"/{what}/filter", json=query)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found
