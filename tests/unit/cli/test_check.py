"""``grouper check`` as a person runs it: a process of its own, its exit code and what it says."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import xlsxwriter

from tests.small_dataset import DATA, GOOD, HEADINGS

SPEC = DATA / "small.yaml"


def grouper(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={"PYTHONPATH": str(Path.cwd()), "PATH": "/usr/bin:/bin"},
    )


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_good_files_end_with_zero_and_an_empty_list(tmp_path: Path) -> None:
    file = write(tmp_path / "good.csv", HEADINGS, GOOD)
    done = grouper("check", file, "--dataset", SPEC, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "good.csv: 1 record, 0 errors, 0 warnings" in done.stdout
    text = (tmp_path / "errors.csv").read_text()
    assert text == "file,row,field,value,code,severity,message\n"


def test_warnings_are_no_errors(tmp_path: Path) -> None:
    file = write(tmp_path / "good.csv", HEADINGS + ",Notes", GOOD + ",x")
    assert grouper("check", file, "--dataset", SPEC, cwd=tmp_path).returncode == 0
    assert [row["severity"] for row in rows_of(tmp_path / "errors.csv")] == ["warning"]


def test_errors_end_with_one_and_are_all_reported(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", HEADINGS, "C1,1,2017-02-30", "C1,,x", GOOD)
    second = write(tmp_path / "b.csv", "Patient ID", "1")
    out = tmp_path / "new" / "folder"
    done = grouper("check", second, first, "--dataset", SPEC, "--out", out, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == ""
    rows = rows_of(out / "errors.csv")
    assert [(r["file"], r["row"], r["field"], r["value"], r["code"]) for r in rows] == [
        ("b.csv", "", "Clinic ID", "", "missing-column"),
        ("b.csv", "", "Attendance Date", "", "missing-column"),
        ("a.csv", "2", "Attendance Date", "2017-02-30", "bad-date"),
        ("a.csv", "3", "Patient ID", "", "missing-value"),
        ("a.csv", "3", "Attendance Date", "x", "bad-date"),
    ]


def test_json_is_one_document(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", HEADINGS + ",Notes", *["C1,1,x,y"] * 1200, "ragged")
    done = grouper("check", file, "--dataset", SPEC, "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert (document["dataset"], document["errors"], document["warnings"]) == ("small", 1201, 1)
    (one,) = document["files"]
    assert (one["name"], one["rows"], one["records"]) == ("a.csv", 1201, 1200)
    assert one["codes"] == {"bad-date": 1200, "ragged-row": 1, "unknown-column": 1}
    assert {"heading": "Notes", "column": None} in one["headings"]
    assert len(one["findings"]) == 1000
    assert one["findings_not_listed"] == 202


def test_the_summary_groups_errors_by_cause(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", HEADINGS, *["C1,1,x"] * 3, *[f"C1,1,y{n}" for n in range(30)])
    lines = grouper("check", file, "--dataset", SPEC, cwd=tmp_path).stdout.splitlines()
    assert lines[0] == "a.csv: 33 records, 33 errors, 0 warnings"
    assert lines[1].split()[:2] == ["3", "×"]
    assert "first in row 2" in lines[1]
    assert lines[-3] == "  … and 11 more causes"
    assert lines[-2] == "  33 rows in the file: 0 read, 33 in error, 0 left out"
    assert lines[-1].endswith("errors.csv.")


def test_areas_of_ones_own_replace_the_register(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", HEADINGS + ",LSOA", GOOD + ",E01000001", GOOD + ",Q1")
    areas = write(tmp_path / "areas.csv", "lsoa,district", "Q1,D1")
    done = grouper("check", file, "--dataset", SPEC, "--areas", areas, cwd=tmp_path)
    assert done.returncode == 1
    assert [row["value"] for row in rows_of(tmp_path / "errors.csv")] == ["E01000001"]
    assert grouper("check", file, "--dataset", SPEC, cwd=tmp_path).returncode == 1
    assert [row["value"] for row in rows_of(tmp_path / "errors.csv")] == ["Q1"]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        files.append(write(tmp_path / folder / "a.csv", HEADINGS, "C1,1,x"))
    grouper("check", *files, "--dataset", SPEC, cwd=tmp_path)
    assert [row["file"] for row in rows_of(tmp_path / "errors.csv")] == [str(f) for f in files]


def test_codes_a_row_are_transposed_on_request(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", HEADINGS + ",Code", GOOD + ",T1", GOOD + ",T9")
    done = grouper("check", file, "--dataset", SPEC, "--transpose", cwd=tmp_path)
    assert done.returncode == 1
    assert [row["field"] for row in rows_of(tmp_path / "errors.csv")] == ["Code 2"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.csv", "--dataset", SPEC], "nowhere.csv"),
        (["here.csv", "--dataset", "nowhere.yaml"], "nowhere.yaml"),
        (["here.csv"], "--dataset"),
        (["--dataset", SPEC], "FILE"),
        ([".", "--dataset", SPEC], "directory"),
        (["here.csv", "--dataset", "broken.yaml"], "broken.yaml:3"),
        (["here.csv", "--dataset", "here.csv"], "here.csv:1"),
        (["here.csv", "--dataset", SPEC, "--areas", "here.csv"], "lsoa"),
        (["here.csv", "--dataset", SPEC, "--out", "here.csv"], "here.csv"),
        (["here.csv", "--dataset", SPEC, "--out", "here.csv/below"], "here.csv"),
    ],
)
def test_wrong_use_ends_with_two_and_one_clear_message(
    tmp_path: Path, arguments: list[object], words: str
) -> None:
    write(tmp_path / "here.csv", HEADINGS, GOOD)
    write(tmp_path / "broken.yaml", "dataset: x", 'version: "1"', "titel: X", "fields: []")
    done = grouper("check", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_it_starts_without_what_servers_need() -> None:
    program = (
        "import sys; sys.argv = ['grouper', 'check', '--help']\n"
        "from cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "from cli.offline import keep_pandas_out\n"
        "keep_pandas_out()\n"
        "import core.engine.offline.check_summary, core.engine.areas.register\n"
        "import core.engine.reading.workbooks.xlsx_source\n"
        "heavy = {'prefect', 'streamlit', 'pandas', 'sqlalchemy', 'polars'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "two.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, patients in (("April", 1), ("May", 2)):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, HEADINGS.split(","))
            for row in range(1, patients + 1):
                sheet.write_row(row, 0, ["C1", str(row)])
                sheet.write_number(row, 2, 42828, book.add_format({"num_format": "yyyy-mm-dd"}))
    done = grouper("check", path, "--dataset", SPEC, cwd=tmp_path)
    assert (done.returncode, "data-on-another-sheet" in done.stdout) == (1, True)
    done = grouper("check", path, "--dataset", SPEC, "--sheet", "may", cwd=tmp_path)
    assert (done.returncode, "2 records" in done.stdout) == (0, True)
    assert [row["code"] for row in rows_of(tmp_path / "errors.csv")] == ["sheet-not-read"]
    done = grouper("check", path, "--dataset", SPEC, "--sheet", "June", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().count("\n") == 0
    assert "“April”, “May”" in done.stderr


def test_a_marked_copy_is_written(tmp_path: Path) -> None:
    file = write(tmp_path / "bad.csv", HEADINGS, "C1,1,x", "C1", GOOD)
    out = tmp_path / "out.xlsx"
    done = grouper("check", file, "--dataset", SPEC, "--marked", out, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    again = grouper("check", out, "--dataset", SPEC, "--json", cwd=tmp_path)
    assert json.loads(again.stdout)["files"][0]["codes"]["ragged-row"] == 1


@pytest.mark.parametrize(
    ("names", "out", "told"),
    [
        (["a.csv", "b.csv"], "out.xlsx", "one by one"),
        (["a.csv"], "out.csv", "a name with .xlsx"),
        (["c.xlsx"], "c.xlsx", "the file itself"),
        (["a.csv"], "a.csv/out.xlsx", "cannot be written"),
    ],
)
def test_a_copy_that_cannot_be_is_wrong_use(
    tmp_path: Path, names: list[str], out: str, told: str
) -> None:
    files = [write(tmp_path / name, HEADINGS, GOOD) for name in names]
    done = grouper("check", *files, "--dataset", SPEC, "--marked", tmp_path / out, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_is_marked_in_what_cannot_be_read(tmp_path: Path) -> None:
    file = write(tmp_path / "page.csv", "<html><table></table></html>")
    out = tmp_path / "out.xlsx"
    done = grouper("check", file, "--dataset", SPEC, "--marked", out, cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing in it can be marked" in done.stderr
    assert not out.exists()


ODD_NAMES = [
    b"odd\xff\xe9.csv",
    b"\xff.csv",
    b"new\nline.csv",
    b"-o.csv",
    "größe\u202e.csv".encode(),
]


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("date", ["2017-04-03", "x"])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_file_may_be_called_anything(
    tmp_path: Path, name: bytes, date: str, as_json: bool
) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:  # noqa: PTH123 (a name of bytes)
        file.write(f"{HEADINGS}\nC1,1,{date}\n".encode())
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "check", "--dataset", str(SPEC), *["--json"][:as_json],
         "--", path],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path.cwd()), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    shown = name.decode("utf-8", "replace")
    assert done.returncode == (date == "x"), done.stderr
    assert b"Traceback" not in done.stderr
    if as_json:
        assert json.loads(done.stdout.decode())["files"][0]["name"] == shown
    found = list(csv.reader((tmp_path / "errors.csv").open(encoding="utf-8", newline="")))[1:]
    assert [row[0].removeprefix("'") for row in found] == [shown] * len(found)
    assert len(found) == (date == "x")


@pytest.mark.parametrize(
    "name", [b"no text \xff\xfe.csv", b"moves \x1b[2J\r\n.csv", b"x" * 250 + b".csv", b"=1+1.csv"]
)
def test_a_name_of_any_bytes_does_no_harm(tmp_path: Path, name: bytes) -> None:
    path = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118 - a path of bytes
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(f"{HEADINGS}\nC1,1,x\n".encode())
    for more in ((), ("--json",), ("--marked", "out.xlsx")):
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "check", path, "--dataset", str(SPEC), *more],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path.cwd()), "PATH": "/usr/bin:/bin"},
        )
        assert (done.returncode, done.stderr) == (1, b"")
        assert b"\x1b" not in done.stdout
    [row] = rows_of(tmp_path / "errors.csv")
    assert row["code"] == "bad-date"
    assert (tmp_path / "out.xlsx").exists()


@pytest.mark.parametrize("link", ["", "hard", "soft"])
def test_the_errors_never_take_the_place_of_the_file(tmp_path: Path, link: str) -> None:
    path = write(tmp_path / ("april.csv" if link else "errors.csv"), HEADINGS, GOOD)
    if link == "hard":
        (tmp_path / "errors.csv").hardlink_to(path)
    elif link:
        (tmp_path / "errors.csv").symlink_to(path)
    before = path.read_bytes()
    ended = grouper("check", path, "--dataset", SPEC, cwd=tmp_path)
    assert ended.returncode == 2
    assert "errors.csv: the results would take the place of this file" in ended.stderr
    assert path.read_bytes() == before


def test_a_pipe_is_not_an_empty_file(tmp_path: Path) -> None:
    pipe = tmp_path / "april.csv"
    os.mkfifo(pipe)
    ended = grouper("check", pipe, "--dataset", SPEC, cwd=tmp_path)
    assert ended.returncode == 2
    assert "april.csv: is no file on a disk" in ended.stderr
