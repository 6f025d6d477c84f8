"""The speed of ``grouper check`` against polars by hand and the csv module, on one machine.

Whole processes, from start to exit: a million records with 138,000 errors, the same list of errors
asked of ``grouper check`` and of ``check_by_polars.py``. Usage:

    python benchmarks/check_speed.py [--rows 1000000] [--rounds 2]

Prints wall-clock seconds (the best of all rounds), processor seconds, and peak memory.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent.parent
SPECIFICATION = PROJECT / "core/engine/dataset/library/sexual-health.yaml"
REGISTER = PROJECT / "core/engine/areas/library/register.csv.gz"
SHARE_OF_ERRORS = "0.138"
READ = "import csv, sys\nfor row in csv.reader(open(sys.argv[1], newline='')): pass"


@dataclass
class Run:
    """One process, measured."""

    name: str
    seconds: float
    processor: float
    megabytes: float


def main(rows: int, times: int) -> int:
    """Makes the file, runs all three, prints the figures; 1 where the lists differ."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file, areas = folder / "activity.csv", folder / "areas.csv"
        make_file(file, rows)
        with gzip.open(REGISTER) as packed, areas.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        by_hand = folder / "by_hand.csv"
        commands = {
            "grouper check": grouper("check", file, "--dataset", SPECIFICATION, "--out", folder),
            "polars by hand": python(
                PROJECT / "benchmarks/check_by_polars.py", file, SPECIFICATION, areas, by_hand
            ),
            "csv module, reading only": python("-c", READ, file),
        }
        # in turns, so that other load on the machine affects all of them alike
        runs = [[measured(n, c) for n, c in commands.items()] for _ in range(times)]
        best = [min(turns, key=lambda run: run.seconds) for turns in zip(*runs, strict=True)]
        report(file, rows, best)
        return compare(errors_of(folder / "errors.csv"), errors_of(by_hand))


def make_file(path: Path, rows: int) -> None:
    made = ["--rows", rows, "--provider", "ZX1", "--month", "2017-04", "--seed", "1"]
    command = grouper("sample", *made, "--errors", SHARE_OF_ERRORS, "--out", path)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def grouper(*arguments: object) -> list[str]:
    return python("-m", "cli.main", *arguments)


def python(*arguments: object) -> list[str]:
    return [sys.executable, *map(str, arguments)]


def measured(name: str, command: list[str]) -> Run:
    """Runs a process to its end; 0 and 1 (the data has errors) are both good."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=PROJECT)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"{name} ended with {process.returncode}")
    return Run(name, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def report(file: Path, rows: int, runs: list[Run]) -> None:
    columns = len(file.open(encoding="utf-8").readline().split(","))
    size = file.stat().st_size / 1e6
    print(f"{rows:,} records of {columns} columns, {size:.0f} MB, {os.cpu_count()} processors")
    for run in runs:
        ratio = run.seconds / runs[1].seconds
        print(
            f"{run.name:<26} {run.seconds:6.2f} s  {run.processor:6.2f} s of processors  "
            f"{run.megabytes:6.0f} MB  {ratio:5.2f} × polars"
        )


def errors_of(path: Path) -> set[tuple[str, ...]]:
    """Row, field, value and code of every finding."""
    names = ("row", "field", "value", "code")
    with path.open(encoding="utf-8", newline="") as text:
        return {tuple(line[name] for name in names) for line in csv.DictReader(text)}


def compare(from_grouper: set[tuple[str, ...]], by_hand: set[tuple[str, ...]]) -> int:
    differing = from_grouper ^ by_hand
    print(f"{len(from_grouper):,} and {len(by_hand):,} errors, {len(differing):,} not in both")
    for difference in sorted(differing)[:5]:
        print("  ", "only ours" if difference in from_grouper else "only by hand", difference)
    return 1 if from_grouper != by_hand else 0


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parsed_arguments()
    sys.exit(main(arguments.rows, arguments.rounds))
