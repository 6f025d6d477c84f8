"""The speed of ``grouper price`` on one row an activity against one row an episode.

``python benchmarks/layout_speed.py [--rows 1000000] [--rounds 2]`` makes as many records in the
layout of GUMCADv3 as in that of SRHAD, checks and prices both in turns as whole processes, and
prints seconds, peak memory and the ratio. Exit code 1 over the limit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parent.parent
NAMED = ["--dataset=sexual-health-2019", "--configuration=illustrative-isht-2019-20"]
MONTH = ["--provider=ZX1", "--month=2019-04"]
LAYOUTS = ("SRHAD", "GUMCADv3")
LIMIT = 1.5


@dataclass(frozen=True)
class Run:
    """One process, measured."""

    seconds: float
    processor: float
    megabytes: float


def main(rows: int, rounds: int) -> int:
    """Makes both files, prices them in turns, prints the figures; 1 over the limit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for layout in LAYOUTS:
            make_file(folder, layout, rows)
        runs: dict[str, list[Run]] = {layout: [] for layout in LAYOUTS}
        for _ in range(rounds):  # in turns, so that other load affects both alike
            for layout in LAYOUTS:
                runs[layout].append(priced(folder, layout))
        best = {layout: min(of, key=lambda run: run.seconds) for layout, of in runs.items()}
        print(f"{rows:,} records of each layout, {os.cpu_count()} processors")
        for layout, run in best.items():
            size = file_of(folder, layout).stat().st_size / 1e6
            print(
                f"{layout:<10} {size:5.0f} MB  {run.seconds:6.2f} s  "
                f"{run.processor:6.2f} s of processors  {run.megabytes:6.0f} MB"
            )
    ratio = best["GUMCADv3"].seconds / best["SRHAD"].seconds
    print(f"ratio      {ratio:5.2f}  (limit {LIMIT:g})")
    return 0 if ratio <= LIMIT else 1


def file_of(folder: Path, layout: str) -> Path:
    return folder / f"{layout}.csv"


def make_file(folder: Path, layout: str, rows: int) -> None:
    arguments = [*MONTH, f"--rows={rows}", "--seed=1", f"--layout={layout}"]
    arguments += [f"--out={file_of(folder, layout)}", f"--clinics-out={folder / 'clinics.csv'}"]
    subprocess.run(grouper("sample", *arguments), check=True, stdout=subprocess.DEVNULL)


def priced(folder: Path, layout: str) -> Run:
    """Checks, groups and prices a file, from the start of the process to its exit."""
    arguments = [str(file_of(folder, layout)), *NAMED, *MONTH]
    arguments += [f"--clinics={folder / 'clinics.csv'}", f"--out={folder / layout}"]
    begun = time.perf_counter()
    process = subprocess.Popen(grouper("price", *arguments), stdout=subprocess.DEVNULL, cwd=PROJECT)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"grouper price ended with {process.returncode}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def grouper(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    given = parsed_arguments()
    sys.exit(main(given.rows, given.rounds))
