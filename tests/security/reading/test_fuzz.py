"""Mutated files: always an answer with a code, never a traceback, and every row accounted for."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from core.engine.dataset.problems import CATALOGUE
from core.engine.offline.checking import References, check_file
from tests.security.reading.mutations import corpus, mutated
from tests.unit.engine.reading.test_odd_files import shipped

SECONDS, LONG_SECONDS = 20, 600


def answer(path: Path) -> None:
    """Checks the file; fails where the answer is none."""
    specification, _, register = shipped()
    check = check_file(path, specification, References(lsoas=register))
    codes = set(check.errors["code"].to_pylist())
    own = {each.name for each in specification.cross_checks}
    assert codes <= CATALOGUE.keys() | own
    assert codes or check.record_count
    assert not check.refused or check.error_count
    if not check.refused:
        rows = list(check.rows.values())
        assert rows[0] == sum(int(count or 0) for count in rows[1:]), check.rows
    named = {row for row in check.errors["row"].to_pylist() if row is not None}
    assert all(row >= 1 for row in named)


def fuzz(folder: Path, seconds: float, seed: int) -> int:
    """Checks mutated files for so long; gives how many."""
    end, files, path = time.monotonic() + seconds, corpus(), folder / "mutated"
    number = 0
    while time.monotonic() < end:
        number += 1
        chance = random.Random(f"{seed}/{number}")
        source = chance.choice(files)
        path.write_bytes(mutated(source.read_bytes(), chance))
        try:
            answer(path)
        except BaseException as error:
            kept = folder / f"failed-{seed}-{number}{source.suffix}"
            path.rename(kept)
            raise AssertionError(f"{kept} (of {source.name}): {error!r}") from error
    return number


def test_mutated_files_are_answered(tmp_path: Path) -> None:
    assert fuzz(tmp_path, SECONDS, seed=1) > 100


@pytest.mark.slow
@pytest.mark.timeout(LONG_SECONDS + 300)
def test_mutated_files_are_answered_for_long(tmp_path: Path) -> None:
    assert fuzz(tmp_path, LONG_SECONDS, seed=time.time_ns()) > 3000
