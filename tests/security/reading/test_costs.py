"""The worst file of each kind: a code, in time linear in its size, and in little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.reading import attacks

MOST_MEMORY = 1024
"""Megabytes, of which Python and Arrow take 130 before anything is read."""
TOO_LITTLE = 0.5
"""Seconds below which a time says nothing."""

_PROGRAM = """
import re, sys, time
from pathlib import Path
from tests.small_dataset import SMALL, check_file, References
began = time.process_time()
check = check_file(Path(sys.argv[1]), SMALL, References(), keep_records=False)
took = time.process_time() - began
assert check.error_count or check.record_count
peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]
print(int(peak) // 1024, took, *check.errors['code'].unique().to_pylist())
"""


def cost(write: attacks.Write, path: Path, megabytes: float) -> tuple[int, float, list[str]]:
    """Megabytes of memory, seconds, and the codes that were found."""
    write(path, int(megabytes * (1 << 20)))
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    memory, seconds, *found = done.stdout.split()
    return int(memory), float(seconds), found


every = pytest.mark.parametrize("write", [*attacks.CSV, *attacks.WORKBOOKS])


@every
def test_a_small_one_costs_little(write: attacks.Write, tmp_path: Path) -> None:
    memory, _, found = cost(write, tmp_path / "attack", 1)
    assert memory < 400
    assert found


@pytest.mark.slow
@every
def test_twice_the_size_takes_at_most_about_twice_the_time(
    write: attacks.Write, tmp_path: Path
) -> None:
    """A ratio, best of three: what is quadratic takes four times as long."""
    ratios = []
    for _ in range(3):
        _, once, _ = cost(write, tmp_path / "attack", 8)
        _, twice, _ = cost(write, tmp_path / "attack", 16)
        ratios.append(max(twice, TOO_LITTLE) / max(once, TOO_LITTLE))
        if ratios[-1] < 2.8:
            return
    assert min(ratios) < 2.8, ratios


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("write", attacks.CSV)
def test_the_worst_csv_below_100_megabytes(write: attacks.Write, tmp_path: Path) -> None:
    memory, _, found = cost(write, tmp_path / "attack", 95)
    assert memory < MOST_MEMORY
    assert found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("write", attacks.WORKBOOKS)
def test_the_worst_workbook_that_unpacks_to_a_gigabyte(
    write: attacks.Write, tmp_path: Path
) -> None:
    memory, _, found = cost(write, tmp_path / "attack", 95 if "xls_" in write.__name__ else 1024)
    assert memory < MOST_MEMORY
    assert found


def test_findings_beyond_a_bound_are_on_disk_and_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.engine.offline import kept_findings
    from core.engine.offline.checking import References, check_file
    from tests.small_dataset import SMALL

    path = tmp_path / "wrong.csv"
    attacks.wrong_rows(path, 1 << 22)
    whole = check_file(path, SMALL, References())
    monkeypatch.setattr(kept_findings, "IN_MEMORY", 1000)
    spilled = check_file(path, SMALL, References())
    assert spilled.errors.equals(whole.errors)
    assert whole.errors.num_rows > 100_000
    monkeypatch.setattr(kept_findings, "MOST_FINDINGS", 150_000)
    stopped = check_file(path, SMALL, References())
    assert stopped.refused
    assert "unreadable-file" in stopped.errors["code"].to_pylist()
