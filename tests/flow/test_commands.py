"""The commands of the running service, as a person types them: what is said, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from core.engine.tariff.months import parse_month
from deployments.demo.activity import Slip, with_slip
from deployments.demo.run import CONFIGURATION, DATASET

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

Done = subprocess.CompletedProcess[str]
Grouper = Callable[..., Done]
MONTH = "2017-11"
WHOSE = ("--provider", "ZX2", "--month", MONTH)


def run(environment: dict[str, str], *arguments: object) -> Done:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def grouper(services: Services, populated: Engine) -> Grouper:
    """The command on the services of the tests, found by their home alone."""
    environment = services.settings.environment()
    environment.pop("GROUPER_DATABASE_URL", None)
    return lambda *arguments: run(environment, *arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good file, and one with the same slip in five rows."""
    folder = tmp_path_factory.mktemp("commands")
    meant = make_activity(800, "ZX2", parse_month(MONTH), seed=11)
    write_activity(meant, folder / "good.csv")
    slip = Slip("SHHAPT 1", right="T4", wrong="T4A", rows=5)
    write_activity(with_slip(meant, slip), folder / "bad.csv")
    return folder


def document(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def submitted(grouper: Grouper, folder: Path) -> dict[str, Any]:
    """A file uploaded and the month submitted as final."""
    assert grouper("upload", folder / "good.csv", *WHOSE).returncode == 0
    done = grouper("submit", *WHOSE, "--final", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return document(done)


def test_a_file_with_errors_ends_with_one_and_its_causes(grouper: Grouper, folder: Path) -> None:
    where = ("--provider", "ZX2", "--month", "2017-12")
    done = grouper("upload", folder / "bad.csv", *where)
    assert done.returncode == 1
    assert "bad.csv: Has errors." in done.stdout
    assert "800 records, 5 errors" in done.stdout
    assert "5 × unknown-code (first in row " in done.stdout
    assert "bad.csv: uploaded" in done.stderr
    as_json = document(grouper("upload", folder / "bad.csv", *where, "--json"))
    [file] = as_json["files"]
    assert (file["name"], file["state"], file["records"]) == ("bad.csv", "in error", 800)
    [cause] = [cause for cause in file["causes"] if cause["severity"] == "error"]
    assert (cause["field"], cause["value"], cause["rows"]) == ("SHHAPT 1", "T4A", 5)


def test_what_stands_in_the_way_of_a_run_is_all_listed(grouper: Grouper, folder: Path) -> None:
    where = ("--provider", "ZX2", "--month", "2018-04")
    done = grouper("submit", *where, "--draft")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "ZX2 2018-04 cannot be run yet:",
        "- There is no file yet. Upload the month's files.",
        "- No tariff configuration is in force for Thames Reach Clinics (fictional) in April 2018.",
    ]
    as_json = document(grouper("submit", *where, "--final", "--json"))
    assert [each["code"] for each in as_json["obstacles"]] == ["no-files", "no-configuration"]


def test_a_month_outside_any_configuration_is_a_warning(grouper: Grouper, folder: Path) -> None:
    done = grouper(
        "upload", folder / "good.csv", "--provider", "ZX1", "--month", "2019-01", "--no-wait"
    )
    assert done.returncode == 0
    assert "warning: No tariff configuration is in force for Lea Valley" in done.stderr
    assert "good.csv: Uploaded." in done.stdout


def test_a_month_is_submitted_with_its_totals(submitted: dict[str, Any]) -> None:
    assert (submitted["provider"], submitted["month"], submitted["state"]) == (
        "ZX2",
        MONTH,
        "submitted",
    )
    assert submitted["records"] == 800
    for totals in (submitted["by_commissioner"], submitted["by_currency"]):
        assert sum(total["charges"] for total in totals) == submitted["charges"]
        pence = [int(total["amount"].replace(".", "")) for total in totals]
        assert sum(pence) == int(submitted["amount"].replace(".", ""))


def test_a_submitted_month_takes_no_more_files_and_no_more_runs(
    grouper: Grouper, submitted: dict[str, Any], folder: Path, services: Services
) -> None:
    kept = len(list((services.settings.home / "files").rglob("*")))
    done = grouper("upload", folder / "good.csv", *WHOSE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "The files of November 2017 cannot be changed now." in done.stderr
    assert len(list((services.settings.home / "files").rglob("*"))) == kept
    done = grouper("submit", *WHOSE, "--draft")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "November 2017 cannot be run now. It is submitted" in line


def test_a_draft_is_followed_through_its_stages(grouper: Grouper, folder: Path) -> None:
    where = ("--provider", "ZX2", "--month", "2018-01")
    assert grouper("upload", folder / "good.csv", *where).returncode == 0
    done = grouper("submit", *where, "--draft")
    assert done.returncode == 0
    first, *lines = done.stdout.splitlines()
    assert first.startswith("ZX2 2018-01, draft run number 1: 800 records, ")
    assert {"by commissioner:", "by currency:"} <= set(lines)
    assert "queued: It waits for its turn." in done.stderr


@pytest.mark.parametrize(
    "side", [("--provider", "ZX2"), ("--commissioner", "E09000030")], ids=["provider", "payer"]
)
def test_a_report_is_copied_out(
    grouper: Grouper, submitted: dict[str, Any], tmp_path: Path, side: tuple[str, str]
) -> None:
    path = tmp_path / "new folder" / "backing data.xlsx"
    done = grouper("report", *side, "--from", MONTH, "--out", path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert (document(done)["state"], document(done)["path"]) == ("ready", str(path))
    book = openpyxl.load_workbook(path, read_only=True)
    assert book.sheetnames == ["Summary", "Backing Data", "Notes"]
    notes: dict[Any, Any] = dict(book["Notes"].iter_rows(min_row=3, max_col=2, values_only=True))
    assert notes["Asked for by"].endswith(", on the command line")
    assert side[1] in notes["For"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("upload", "GOOD", "--provider", "ZX9", "--month", MONTH), "known: ZX1 (Lea Valley"),
        (("upload", "GOOD", "missing.csv", *WHOSE), "'missing.csv' does not exist"),
        (("upload", "GOOD", "--provider", "ZX2", "--month", "Nov 2017"), "write it as 2017-04"),
        (("submit", *WHOSE), "say either --draft or --final"),
        (("submit", *WHOSE, "--draft", "--final"), "say either --draft or --final"),
        (("submit", "--provider", "zx2", "--month", MONTH, "--draft"), "there is no provider"),
        (("report", "--from", MONTH, "--out", "OUT"), "say --provider or --commissioner"),
        (
            ("report", "--provider", "ZX2", "--from", MONTH, "--to", "2017-01", "--out", "OUT"),
            "--to 2017-01 is before --from",
        ),
        (("report", "--provider", "ZX2", "--from", "2017-05", "--out", "OUT"), "no charges for"),
        (
            ("report", "--commissioner", "Hackney", "--from", MONTH, "--out", "OUT"),
            "no authority of the register",
        ),
        (
            ("report", "--commissioner", "E09000012", "--from", "2017-05", "--out", "OUT"),
            "No provider has submitted charges to Hackney for May 2017",
        ),
        (("import", "missing.yaml"), "'missing.yaml' does not exist"),
    ],
)
def test_wrong_use_is_one_clear_line(
    grouper: Grouper, folder: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    real = {"GOOD": str(folder / "good.csv"), "OUT": str(tmp_path / "out.xlsx")}
    done = grouper(*(real.get(each, each) for each in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert said in line
    assert not (tmp_path / "out.xlsx").exists()


def test_documents_are_imported_by_their_content_in_any_order(grouper: Grouper) -> None:
    done = grouper("import", CONFIGURATION, DATASET)
    assert (done.returncode, done.stderr) == (0, "")
    dataset, tariff = done.stdout.splitlines()
    assert "data set sexual-health, version" in dataset
    assert "tariff illustrative-isht-2017-18 (live), 2017-04-01 to 2018-03-31" in tariff


def test_a_document_that_is_wrong_is_refused_with_its_lines_and_nothing_is_taken_in(
    grouper: Grouper, tmp_path: Path
) -> None:
    text = CONFIGURATION.read_text()
    changed = tmp_path / "changed.yaml"
    changed.write_text(text.replace("illustrative-isht-2017-18\n", "another\n", 1))
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text.replace('"SHHAPT = T2"', '"SHHAPT = T2222"'))
    done = grouper("import", wrong, DATASET)
    assert done.returncode == 1
    assert f"{wrong}:" in done.stderr
    assert "T2222" in done.stderr
    done = grouper("import", changed)  # its providers have a tariff in the same time already
    assert done.returncode == 2
    assert "ZX1 is in 'illustrative-isht-2017-18' from 2017-04-01" in done.stderr
    neither = tmp_path / "neither.yaml"
    neither.write_text("dataset: sexual-health\n")
    done = grouper("import", neither)
    assert done.returncode == 1
    assert "neither a data set" in done.stderr


@pytest.mark.parametrize(
    "environment",
    [{"GROUPER_DATABASE_URL": ""}, {"GROUPER_DATABASE_URL": "postgresql://g@127.0.0.1:1/none"}],
    ids=["embedded", "external"],
)
def test_without_services_one_line_says_how_to_start_them(
    tmp_path: Path, folder: Path, environment: dict[str, str]
) -> None:
    home = {"GROUPER_HOME": str(tmp_path)}
    done = run({**environment, **home}, "upload", folder / "good.csv", *WHOSE)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert "`grouper up`" in line


def test_a_database_without_tables_is_told_apart(
    folder: Path, tmp_path: Path, empty_database_url: str
) -> None:
    environment = {"GROUPER_HOME": str(tmp_path), "GROUPER_DATABASE_URL": empty_database_url}
    done = run(environment, "submit", *WHOSE, "--draft")
    assert done.returncode == 2
    assert "no tables of Grouper yet" in done.stderr
