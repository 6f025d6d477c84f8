"""The time of Backing Data against writing the same rows with XlsxWriter alone.

``python benchmarks/report_speed.py [--rows 1000000]`` puts so many charges into a database of its
own, makes the report of them in one process, and in another writes the same cells with XlsxWriter
in its constant-memory mode from columns that are already in memory. Prints seconds, peak memory
and the ratio. Exit code 1 over a limit.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import sqlalchemy as sa  # noqa: E402 (after the path)
import xlsxwriter  # noqa: E402
from sqlalchemy import Engine  # noqa: E402

from core.database.embedded import EmbeddedPostgres  # noqa: E402
from core.database.engine import engine as open_engine  # noqa: E402
from core.database.migrate import migrate  # noqa: E402
from core.engine.areas.register import AreaRegister  # noqa: E402
from core.reports.collating.parts import Collated, collate_part, plan_parts  # noqa: E402
from core.reports.kinds.backing_data import COLUMNS, line_rows  # noqa: E402
from core.reports.making import Plan, write_report  # noqa: E402
from core.reports.report_context import read_context  # noqa: E402
from core.reports.requests import ReportRequest, runs_to_show  # noqa: E402
from deployments.demo.run import import_demo_data  # noqa: E402

RATIO, MEGABYTES = 3.0, 1000
MONTH = dt.date(2017, 4, 1)
REQUEST = ReportRequest(
    side="provider",
    organisation="ZX1",
    organisation_name="Lea Valley",
    first_month=MONTH,
    last_month=MONTH,
    asked_by="the benchmark",
)
MADE_AT = dt.datetime(2017, 5, 2, tzinfo=dt.UTC)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--part", choices=["report", "alone"], help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments, _ = parser.parse_known_args()
    if arguments.part:
        seconds = PARTS[arguments.part](open_engine(arguments.url), arguments.folder)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "megabytes": memory}))
        return 0
    with tempfile.TemporaryDirectory(prefix="grouper-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the database's own user walks through it
        with EmbeddedPostgres(folder) as server:
            url = server.url()
            migrate(url)
            fill(open_engine(url), arguments.rows)
            return compare(url, folder, arguments.rows)


def compare(url: str, folder: Path, rows: int) -> int:
    by_part = {part: measured(part, url, folder) for part in PARTS}
    for part, figures in by_part.items():
        print(f"{part:8} {figures['seconds']:7.1f} s  {figures['megabytes']:6.0f} MB")
    ratio = by_part["report"]["seconds"] / by_part["alone"]["seconds"]
    memory = by_part["report"]["megabytes"]
    size = (folder / "report.xlsx").stat().st_size / 1e6
    print(f"{rows:,} charges, {size:.0f} MB of xlsx; ratio {ratio:.2f} (limit {RATIO:g})")
    return int(ratio > RATIO or memory > MEGABYTES)


def measured(part: str, url: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--part", part, "--url", url, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def fill(engine: Engine, rows: int) -> None:
    """A published run with so many charges, of 60 currencies, 12 clinics and 300 reasons."""
    import_demo_data(engine)
    with engine.begin() as connection:
        for statement in PUBLISHED:
            connection.execute(sa.text(statement))
        connection.execute(sa.text(CHARGES), {"rows": rows})
        connection.execute(sa.text(REASONS))


PUBLISHED = (
    "ALTER TABLE submissions DISABLE TRIGGER transitions",  # rows are inserted in their final state
    "ALTER TABLE runs DISABLE TRIGGER transitions",
    "INSERT INTO submissions (id, provider_id, month, state) "
    "SELECT 1, id, '2017-04-01', 'submitted' FROM organisations WHERE code = 'ZX1'",
    "INSERT INTO runs (id, submission_id, number, kind, state, configuration_id, finished_at) "
    "SELECT 1, 1, 1, 'final', 'published', id, now() FROM configurations",
    "UPDATE submissions SET run_id = 1",
)
CHARGES = """
    INSERT INTO charges (run_id, chunk, clinic_id, patient_id, attendance_date, currency,
        rate_type, rate_pence, factor, amount_pence, commissioner, basis, reason_id)
    SELECT 1, n % 20, 'ZX1-' || n % 12, md5(n::text), date '2017-04-01' + n % 30, 'C' || n % 60,
        CASE n % 3 WHEN 0 THEN 'additional' ELSE 'primary' END, 1000 + n % 9000, 1.17,
        1170 + n % 9999, 'E0900' || lpad((1 + n % 33)::text, 4, '0'), 'resident', n % 300
    FROM generate_series(1, :rows) n
"""
REASONS = """
    INSERT INTO charge_reasons (run_id, chunk, reason_id, reason)
    SELECT 1, chunk, id, 'SHHAPT = T' || id || ' AND NOT SRH Care Activity = ' || id
        || '; T2 and T7 replaced by T4'
    FROM generate_series(0, 19) chunk, generate_series(0, 299) id
"""


def planned(connection: sa.Connection) -> Plan:
    runs = runs_to_show(connection, REQUEST)
    return Plan(runs, plan_parts(connection, REQUEST, runs))


def report(engine: Engine, folder: Path) -> float:
    """Collates and writes the report, as the flow's tasks do; returns seconds."""
    started = time.perf_counter()
    with engine.connect() as connection:
        plan = planned(connection)
        for part in plan.parts:
            collate_part(connection, REQUEST, part, folder)
        paths = folder / "report.xlsx", folder / "beside"
        write_report(connection, REQUEST, plan, folder, paths, made_at=MADE_AT)
    return time.perf_counter() - started


def alone(engine: Engine, folder: Path) -> float:
    """Writes the same cells from memory; returns seconds. The collated parts still exist."""
    with engine.connect() as connection:
        plan = planned(connection)
        collated = Collated(folder, len(plan.parts))
        names = {"made_at": MADE_AT, "register": AreaRegister.shipped(), "hide_below": 0}
        context = read_context(connection, REQUEST, plan.runs, collated, **names)
        rows = list(line_rows(context))
    started = time.perf_counter()
    book = xlsxwriter.Workbook(str(folder / "alone.xlsx"), {"constant_memory": True})
    sheet, texts = book.add_worksheet(), [column.kind == "text" for column in COLUMNS]
    for number, row in enumerate(rows):
        for column, (value, text) in enumerate(zip(row, texts, strict=True)):
            if text:
                sheet.write_string(number, column, value or "")
            else:
                sheet.write_number(number, column, value)
    book.close()
    return time.perf_counter() - started


PARTS = {"report": report, "alone": alone}

if __name__ == "__main__":
    sys.exit(main())
