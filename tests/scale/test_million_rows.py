"""A million records, whatever the file: checked in bounded memory."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROWS = 1_000_000
LIMIT_KILOBYTES = 2_000_000
PROJECT = Path(__file__).parents[2]
DATASET = PROJECT / "core/engine/dataset/library/sexual-health.yaml"
PROGRAM = """
import re, sys
from pathlib import Path
from cli.main import main
try:
    main()
except SystemExit as ended:
    assert ended.code == 0, ended.code
print("peak", re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def peak_of_check(path: Path) -> int:
    """Kilobytes at most in memory while ``grouper check`` finds nothing wrong."""
    command = [sys.executable, "-c", PROGRAM, "check", str(path), "--dataset", str(DATASET)]
    command += ["--out", str(path.parent)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=False)
    assert f"{ROWS:,} records, 0 errors" in done.stdout, done.stdout + done.stderr
    peak = int(done.stdout.split()[-1])
    print(f"{path.name}: {peak:,} kB at most")
    return peak


def test_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "activity.csv"
    write_activity(make_activity(ROWS, "ZX1", dt.date(2017, 4, 1), seed=1), path)
    assert peak_of_check(path) < LIMIT_KILOBYTES


def test_a_workbook_with_every_cell_filled(tmp_path: Path) -> None:
    path = tmp_path / "activity.xlsx"
    fill_workbook(path)
    assert peak_of_check(path) < LIMIT_KILOBYTES


def fill_workbook(path: Path) -> None:
    """A million rows of the same 29 cells but for the patient, written faster than by a library."""
    model = path.with_name("model.xlsx")
    one = make_activity(1, "ZX1", dt.date(2017, 4, 1), seed=1)
    names = [name for name in one.column_names if not name.endswith((" 6", " 7", " 8", " 9"))]
    columns = ["Clinic ID", "Patient ID", "Attendance Date", "LSOA"]
    columns += [name for name in names if name not in columns][:25]
    values = ["ZX1-A", "P", dt.date(2017, 4, 3), "E01000001"]
    book = openpyxl.Workbook()
    book.active.append(columns)
    book.active.append([*values, *(one[name][0].as_py() or "" for name in columns[4:])])
    book.save(model)
    with (
        zipfile.ZipFile(model) as parts,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, True, 1) as out,
    ):
        for name in parts.namelist():
            if not name.endswith("sheet1.xml"):
                out.writestr(name, parts.read(name))
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        before, row, after = re.split(r'(<row r="2".*?</row>)', sheet)
        row = re.sub(r'<c r="B2".*?</c>', '<c r="B2" t="n"><v>@</v></c>', row).replace('2"', '#"')
        with out.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            part.write(before.encode())
            for start in range(2, ROWS + 2, 10_000):
                numbers = range(start, min(start + 10_000, ROWS + 2))
                rows = (row.replace("#", str(at)).replace("@", str(at)) for at in numbers)
                part.write("".join(rows).encode())
            part.write(after.encode())
