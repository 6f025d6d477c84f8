"""The speed of ``grouper price`` against the csv reader of the standard library on the same file.

``python benchmarks/price_speed.py [--rows 1000000] [--rounds 3] [--stages]`` prints seconds, the
ratio, the peak of memory and with ``--stages`` where the time goes. Exit code 1 over the limit.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
DATASET = ROOT / "core/engine/dataset/library/sexual-health.yaml"
CONFIGURATION = ROOT / "core/engine/tariff/library/illustrative-isht-2017-18.yaml"
PROVIDER, MONTH = "ZX1", datetime.date(2017, 4, 1)
LIMIT, AIM = 8.0, 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stages", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample = make_sample(folder, arguments.rows)
        print(f"{arguments.rows:,} records, {sample.stat().st_size / 1e6:.0f} MB")
        reading = min(read_with_stdlib(sample) for _ in range(arguments.rounds))
        runs = [run_command(folder, sample) for _ in range(arguments.rounds)]
        wall, cpu, peak = min(runs)
        print(f"csv.reader     {reading:6.2f} s")
        print(f"grouper price  {wall:6.2f} s  ({cpu:.2f} s of processor, peak {peak:.0f} MB)")
        print(f"ratio          {wall / reading:6.2f}    (limit {LIMIT:g}, aim {AIM:g})")
        if arguments.stages:
            show_stages(folder, sample)
        return 0 if wall / reading <= LIMIT else 1


def make_sample(folder: Path, rows: int) -> Path:
    from core.engine.samples.activity import make_activity, sample_clinics
    from core.engine.samples.writing import write_activity, write_clinics

    path = folder / "activity.csv"
    write_activity(make_activity(rows, PROVIDER, MONTH, seed=1), path)
    write_clinics(sample_clinics(PROVIDER), folder / "clinics.csv")
    return path


def read_with_stdlib(path: Path) -> float:
    started = time.perf_counter()
    with path.open(newline="", encoding="utf-8") as lines:
        for _ in csv.reader(lines):
            pass
    return time.perf_counter() - started


def run_command(folder: Path, sample: Path) -> tuple[float, float, float]:
    """Wall-clock seconds, processor seconds and peak megabytes of the whole process."""
    arguments = ["price", str(sample), f"--dataset={DATASET}", f"--configuration={CONFIGURATION}"]
    arguments += [f"--clinics={folder / 'clinics.csv'}", f"--provider={PROVIDER}"]
    arguments += [f"--month={MONTH:%Y-%m}", f"--out={folder / 'out'}"]
    started = time.perf_counter()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "cli.main", *arguments],
        os.environ | {"PYTHONPATH": str(ROOT)},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"grouper price ended with status {status}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def show_stages(folder: Path, sample: Path) -> None:
    """The same work in this process, a stage at a time."""
    from core.engine.areas.hosts import read_hosts
    from core.engine.areas.register import AreaRegister
    from core.engine.calculation import stages as calculation
    from core.engine.dataset.specification import load_specification
    from core.engine.offline.checking import References, check_file
    from core.engine.offline.price_report import SortedKeys, write_charges, write_episodes
    from core.engine.offline.pricing import records_of
    from core.engine.tariff.configuration import load_configuration

    specification = load_specification(DATASET)
    configuration = load_configuration(CONFIGURATION, specification)
    register = AreaRegister.shipped()
    hosts = read_hosts(folder / "clinics.csv", register)
    references = References(register, frozenset(hosts), PROVIDER, MONTH)
    with stage("read and check"):
        check = check_file(sample, specification, references)
    terms = calculation.Terms(
        specification, configuration, provider=PROVIDER, hosts=hosts, register=register
    )
    chunk = calculation.ChunkValues(records_of([check]))
    for name, carry_out in calculation.STAGES.items():
        with stage(name):
            carry_out(chunk, terms)
    codes = [currency.code for currency in configuration.currencies]
    calculated = calculation.Calculation(
        chunk.merged, chunk.combined, chunk.charges, chunk.priced.episode, codes
    )
    with stage("sorting"):
        keys = SortedKeys.of(chunk.merged)
    with stage("charges.csv"):
        write_charges(folder / "charges.csv", calculated, keys)
    with stage("episodes.csv"):
        write_episodes(folder / "episodes.csv", calculated, keys, specification, register)


@contextmanager
def stage(name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"  {name:<16} {time.perf_counter() - started:6.2f} s")


if __name__ == "__main__":
    sys.exit(main())
