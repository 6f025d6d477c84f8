"""No csv of ours holds a text that a spreadsheet would calculate; our numbers stay numbers."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml
from click.testing import CliRunner

from cli.main import grouper
from core.documents import parse_document
from core.engine.columns.csv_injection import heading_line
from core.engine.columns.csv_lines import in_words, text_cells, write_csv
from core.engine.columns.joins import coded
from core.engine.dataset.error_report import COLUMNS, write_errors
from core.engine.dataset.specification import specification_from
from core.engine.dataset.templates import csv_template, workbook_template
from core.operations.rerunning import COLUMNS as RERUN_COLUMNS
from core.operations.rerunning import _as_csv
from core.submissions.queries.error_files import _csv

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", '=HYPERLINK("x")')
DATASET = "core/engine/dataset/library/sexual-health.yaml"
HEAD = "Clinic ID,Patient ID,Attendance Date,LSOA,Gender,SHHAPT 1"


@pytest.mark.parametrize("formula", FORMULAS)
def test_errors_csv_of_the_command_line(tmp_path: Path, formula: str) -> None:
    cell = '"' + formula.replace('"', '""') + '"'
    file = tmp_path / "=april.csv"
    file.write_text(f"{HEAD}\nZX1-A,1,2017-04-03,E01004198,{cell},T4\n", newline="")
    out = tmp_path / "out"
    CliRunner().invoke(grouper, ["check", str(file), "--dataset", DATASET, "--out", str(out)])
    with (out / "errors.csv").open(newline="") as lines:
        rows = list(csv.reader(lines))
    assert len(rows) > 1
    assert {row[0] for row in rows[1:]} == {"'=april.csv"}
    assert not active(rows)


@pytest.mark.parametrize("formula", FORMULAS)
def test_errors_csv_of_both_writers(tmp_path: Path, formula: str) -> None:
    row = {"row": 2, "field": formula, "value": formula, "code": "c", "severity": "error"}
    table = pa.Table.from_pylist([{**row, "message": formula}])
    write_errors(tmp_path / "errors.csv", [(formula, table)])
    ours = (tmp_path / "errors.csv").read_bytes()
    portals = _csv(formula, [(2, formula, formula, "c", "error", formula)])
    for content in (ours, portals):
        [heading, found] = csv.reader(io.StringIO(content.decode(), newline=""))
        assert heading == list(COLUMNS)
        assert found == [
            f"'{formula}",
            "2",
            f"'{formula}",
            f"'{formula}",
            "c",
            "error",
            f"'{formula}",
        ]


@pytest.mark.parametrize("formula", FORMULAS)
def test_charges_and_episodes(tmp_path: Path, formula: str) -> None:
    file, clinics = tmp_path / "april.csv", tmp_path / "clinics.csv"
    cell = '"' + formula.replace('"', '""') + '"'
    file.write_text(f"{HEAD}\nZX1-A,{cell},2017-04-03,E01004198,1,T4\n", newline="")
    clinics.write_text("clinic_id,commissioner\nZX1-A,E09000030\n")
    tariff = "core/engine/tariff/library/illustrative-isht-2017-18.yaml"
    given = ["--provider", "ZX1", "--month", "2017-04", "--dataset", DATASET]
    given += ["--configuration", tariff, "--clinics", str(clinics), "--out", str(tmp_path)]
    done = CliRunner().invoke(grouper, ["price", str(file), *given])
    for name in ("charges", "episodes"):
        path = tmp_path / f"{name}.csv"
        assert path.exists(), done.output
        with path.open(newline="") as lines:
            assert not active(csv.reader(lines))


def active(rows: Iterable[list[str]]) -> list[str]:
    """Cells that a spreadsheet would calculate."""
    return [text for row in rows for text in row if text[:1] in tuple("=+-@\t\r")]


def test_our_own_numbers_stay_numbers(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    credit = in_words(np.array([1250]))
    negative = coded(pa.array(["-12.50"]))
    write_csv(path, ["text", "amount"], [text_cells(negative), credit], np.arange(1))
    assert path.read_text() == "text,amount\n'-12.50,12.50\n"


@pytest.mark.parametrize("formula", FORMULAS)
def test_headings_are_the_words_of_a_data_set(tmp_path: Path, formula: str) -> None:
    """What a data set calls its fields stands above the columns."""
    path = tmp_path / "out.csv"
    write_csv(path, [formula, "a, b"], [text_cells(coded(pa.array(["x"])))] * 2, np.arange(1))
    for content in (path.read_bytes(), heading_line([formula, "a, b"])):
        [heading, *_] = csv.reader(io.StringIO(content.decode(), newline=""))
        assert heading == [f"'{formula}", "a, b"]


@pytest.mark.parametrize("formula", [each for each in FORMULAS if each.isprintable()])
def test_templates_have_the_headings_whole(formula: str) -> None:
    fields = [
        {"name": "Clinic, as coded", "role": "clinic"},
        {"name": "Patient", "role": "patient"},
        {"name": "Date", "role": "date", "type": "date"},
        {"name": f"{formula} a", "type": "code", "codes": "https://strange.example"},
    ]
    lists = {"https://strange.example": {"1": "one"}}
    data = {"dataset": "d", "version": "1", "title": "D", "fields": fields, "code_lists": lists}
    specification = specification_from(parse_document(yaml.safe_dump(data), name="d.yaml"))
    [heading] = csv.reader(io.StringIO(csv_template(specification).decode("utf-8-sig"), newline=""))
    assert heading == ["Clinic, as coded", "Patient", "Date", f"'{formula} a"]
    with zipfile.ZipFile(io.BytesIO(workbook_template(specification))) as parts:
        written = [parts.read(name) for name in parts.namelist()]
    assert not [part for part in written if b"<f>" in part or b"/hyperlink" in part]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_run_made_again(formula: str) -> None:
    """``grouper rerun --out``: texts are marked, and a credit stays a number."""
    text = pa.array([formula]).dictionary_encode()
    columns = dict.fromkeys(RERUN_COLUMNS, text)
    columns |= {"amount": pa.array([-1250]), "rate": pa.array([-1250]), "factor": pa.array(["1"])}
    columns["attendance_date"] = pa.array([dt.date(2017, 4, 3)])
    content = _as_csv(pa.table(columns)).decode()
    [charge] = csv.DictReader(io.StringIO(content, newline=""))
    assert charge["patient_id"] == f"'{formula}"
    assert charge["amount"] == "-1250"
