"""Nothing of the service asks for the newest version of a data set: it follows from a month."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE = [
    path
    for room in ("core", "tasks", "flows", "deployments", "portal", "cli")
    for path in (ROOT / room).rglob("*.py")
    if not path.is_relative_to(ROOT / "core/engine")
]
LATEST = re.compile(
    r"current_specification|newest_specification|latest_specification"
    r"|datasets\.c\.id\.desc\(\)\s*\)\s*\.limit\(1\)"
    r"|max\(\s*(?:tables\.)?datasets\.c\.id\s*\)"
)


def offenders(texts: dict[str, str]) -> set[str]:
    return {name for name, text in texts.items() if LATEST.search(text)}


def test_no_place_asks_for_the_newest_version() -> None:
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in SERVICE}
    assert len(texts) > 200
    assert offenders(texts) == {"core/configurations/in_force.py"}  # the title, to name it by


@pytest.mark.parametrize(
    "text",
    [
        "specification = current_specification(connection)",
        "sa.select(datasets.c.body).order_by(datasets.c.id.desc()).limit(1)",
        "sa.select(sa.func.max(tables.datasets.c.id))",
    ],
)
def test_such_a_place_would_be_found(text: str) -> None:
    assert offenders({"here.py": text}) == {"here.py"}
