"""The speed of the check and submit flows against a raw COPY of the same file into one table.

``python benchmarks/flow_speed.py [--rows 1000000] [--rounds 2]`` starts the whole service on a
folder of its own, takes a file through it, and prints, from Prefect's own times of each flow run,
seconds, ratios, the time from event to run, and where the time goes. Exit code 1 over a limit.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402
from sqlalchemy import Engine  # noqa: E402

from core.database.engine import engine as open_engine  # noqa: E402
from core.engine.samples.activity import make_activity  # noqa: E402
from core.engine.samples.writing import write_activity  # noqa: E402
from core.settings import Settings, use_settings  # noqa: E402
from core.support.processes import free_port  # noqa: E402
from deployments.demo import story  # noqa: E402
from deployments.demo.activity import DemoFile  # noqa: E402
from deployments.demo.run import import_demo_data  # noqa: E402
from deployments.prefect_login import prefect_client  # noqa: E402
from deployments.supervisor import Services  # noqa: E402

LIMITS = {"check-file": 8.0, "submit": 10.0}
AIMS = {"check-file": 3.0, "submit": 4.0}
BLOCK = 256 * 1024


@dataclass(frozen=True)
class FlowTime:
    """One flow run, by Prefect's own clock."""

    flow: str
    seconds: float
    queued: float  # from the event to the start of the flow
    tasks: dict[str, tuple[int, float]]  # stage: how many tasks, seconds of all of them


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="grouper-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # the database's own user walks through it
        settings = Settings(home=folder / "home", prefect_port=free_port(), portal_port=free_port())
        use_settings(settings)
        with Services(settings) as services:
            return measure(services, folder, arguments.rows, arguments.rounds)


def measure(services: Services, folder: Path, rows: int, rounds: int) -> int:
    engine = open_engine(services.database_url)
    user = import_demo_data(engine)["ZX1"]
    copies: list[float] = []
    times: dict[str, list[FlowTime]] = defaultdict(list)
    for number in range(rounds):
        month = dt.date(2017, 4 + number, 1)
        path = folder / f"{month:%Y-%m}.csv"
        activity = make_activity(rows, "ZX1", month, seed=number)
        write_activity(activity, path)
        copies.append(raw_copy(services.database_url, path, activity.column_names))
        main_job(engine, DemoFile("ZX1", path, {}, activity), user, month)
        for flow in LIMITS:
            times[flow].append(last_run(services.settings, flow))
    print(f"{rows:,} records, {path.stat().st_size / 1e6:.0f} MB; best of {rounds}")
    print(f"raw COPY      {min(copies):6.2f} s")
    return max(show(min(runs, key=lambda t: t.seconds), min(copies)) for runs in times.values())


def raw_copy(url: str, path: Path, columns: list[str]) -> float:
    """Seconds to COPY the file unchanged into a fresh table of text columns."""
    names = ", ".join(f'"{column}" text' for column in columns)
    with psycopg.connect(url) as connection, path.open("rb") as file:
        connection.execute("DROP TABLE IF EXISTS raw_copy")
        connection.execute(f"CREATE TABLE raw_copy ({names})")
        connection.commit()
        started = time.perf_counter()
        with connection.cursor().copy("COPY raw_copy FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := file.read(BLOCK):
                copy.write(block)
        connection.commit()
        seconds = time.perf_counter() - started
        connection.execute("DROP TABLE raw_copy")
    return seconds


def main_job(engine: Engine, file: DemoFile, user: int, month: dt.date) -> None:
    begun = story.upload(engine, file, user, month=month)
    story.wait_for_check(engine, begun)
    story.submit(engine, begun, "draft")
    story.wait_for_run(engine, begun, lambda _: None)


def last_run(settings: Settings, flow: str) -> FlowTime:
    query = {
        "flows": {"name": {"any_": [flow]}},
        "sort": "START_TIME_DESC",
        "limit": 1,
    }
    run = ended_run(settings, query)
    tasks: dict[str, list[float]] = defaultdict(list)
    for task in _ask(settings, "task_runs", {"flow_runs": {"id": {"any_": [run["id"]]}}}):
        stage = task["name"].partition(" bucket")[0].partition(" rows")[0]
        tasks[stage].append(task["total_run_time"])
    return FlowTime(
        flow=flow,
        seconds=(_time(run["end_time"]) - _time(run["start_time"])).total_seconds(),
        queued=(_time(run["start_time"]) - _time(run["created"])).total_seconds(),
        tasks={stage: (len(seconds), sum(seconds)) for stage, seconds in tasks.items()},
    )


def ended_run(settings: Settings, query: dict[str, Any]) -> dict[str, Any]:
    """The run of the query, once the server knows its end."""
    while not (run := _ask(settings, "flow_runs", query)[0])["end_time"]:
        time.sleep(0.1)
    return run


def show(flow_time: FlowTime, copy: float) -> int:
    ratio = flow_time.seconds / copy
    limits = f"(limit {LIMITS[flow_time.flow]:g}, aim {AIMS[flow_time.flow]:g})"
    print(f"{flow_time.flow:12} {flow_time.seconds:7.2f} s  ratio {ratio:5.2f} {limits}")
    print(f"   run created to flow started {flow_time.queued:.2f} s")
    for stage, (count, seconds) in flow_time.tasks.items():
        print(f"   {stage:12} {count:3} tasks {seconds:7.2f} s, in threads")
    return int(ratio > LIMITS[flow_time.flow])


def _ask(settings: Settings, what: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    with prefect_client(settings, seconds=60) as http:
        answer = http.post(f"/{what}/filter", json=query)
    answer.raise_for_status()
    rows: list[dict[str, Any]] = answer.json()
    return rows


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


if __name__ == "__main__":
    sys.exit(main())
