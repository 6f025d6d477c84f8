"""A file and a month that are big enough are seen on their way, part by part and stage by stage.

The work is held up at what it writes of its progress, so that each step is there to be seen however
fast the machine is; then the page must show what stands in the database.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from core.access.scope import EVERYTHING
from core.database import tables
from core.engine.samples.activity import make_activity
from core.engine.samples.writing import write_activity
from core.submissions.queries.file_list import FileRow, files_of
from core.submissions.stage_progress import COUNTED, StageProgress, stages_of
from core.vocabulary.states.submissions import FileState, SubmissionState
from tests.browser.conftest import SignIn
from tests.browser.walking import click, come_to_rest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from deployments.supervisor import Services

PROVIDER, MONTH = "ZX2", dt.date(2017, 6, 1)
ROWS, PARTS = 600_000, 12  # of 50,000 rows each, as the settings have it
STEPS = 3
LONG = 120_000


class Gate:
    """Holds up whoever writes into a table, and lets them through step by step."""

    def __init__(self, connection: Connection, table: sa.Table) -> None:
        self._connection = connection
        self._lock = sa.text(f"LOCK TABLE {table.name} IN SHARE MODE")
        connection.execute(self._lock)

    def step(self) -> None:
        """Lets those through who wait, and nobody who comes after them."""
        self.open()
        self._connection.execute(self._lock)

    def open(self) -> None:
        self._connection.commit()


def month_of(engine: Engine) -> int:
    """The submission that the page is about."""
    found, providers = tables.submissions, tables.organisations
    query = (
        sa.select(found.c.id)
        .join(providers, providers.c.id == found.c.provider_id)
        .where(providers.c.code == PROVIDER, found.c.month == MONTH)
    )
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def files_on_their_way(engine: Engine, gate: Gate) -> Iterator[FileRow]:
    """The file after each step of its check that has stored something more."""
    before = None
    while before is None or before.state in (FileState.RECEIVED, FileState.CHECKING):
        with engine.connect() as connection:
            [file] = files_of(connection, EVERYTHING, month_of(engine))
        if file.state == FileState.CHECKING and file.chunks and file != before:
            yield file
        before = file
        gate.step()


def stages_on_their_way(
    engine: Engine, gate: Gate
) -> Iterator[tuple[SubmissionState, StageProgress]]:
    """Each stage after each step, up to where the last one has begun."""
    seen: dict[SubmissionState, StageProgress] = {}
    while SubmissionState.ALLOCATING not in seen:
        gate.step()
        with engine.connect() as connection:
            now = stages_of(connection, EVERYTHING, month_of(engine))
        yield from (each for each in now.items() if seen.get(each[0]) != each[1])
        seen = now


@pytest.mark.slow  # a file of 60 MB
def test_parts_and_stages_are_seen_moving(
    sign_in: SignIn, services: Services, populated: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "june.csv"
    write_activity(make_activity(ROWS, PROVIDER, MONTH, seed=6), path)
    page = sign_in("ben@zx2.example")
    page.goto(f"{services.portal_url}/upload?provider={PROVIDER}&month={MONTH:%Y-%m}")
    come_to_rest(page)
    done = []
    with populated.connect() as connection:
        gate = Gate(connection, tables.file_chunks)
        page.get_by_label("Activity files").set_input_files(path)
        expect(page.get_by_text("checking", exact=True)).to_be_visible(timeout=LONG)
        for file in files_on_their_way(populated, gate):
            assert file.chunks in (PARTS, PARTS + 1)  # guessed from the size of the file
            parts = f"{file.checked_chunks} of {file.chunks} parts checked"
            expect(page.get_by_text(f"{parts}, {file.checked_records:,} records")).to_be_visible()
            done.append(file.checked_chunks)
            if len(done) == STEPS:
                break
        gate.open()
    assert done == sorted(set(done)), "a part more each time"
    expect(page.get_by_text("Every file is ready.")).to_be_visible(timeout=LONG)

    page.get_by_role("link", name="Go to the submission").click()
    seen = {}
    with populated.connect() as connection:
        gate = Gate(connection, tables.run_stages)
        click(page, "Run as draft")
        expect(page.get_by_text("is being calculated")).to_be_visible(timeout=LONG)
        for stage, progress in stages_on_their_way(populated, gate):
            seen.setdefault(stage, []).append(progress.done)
            if stage != SubmissionState.ALLOCATING:
                line = f"{progress.done} of {PARTS} parts: {progress.counted:,} "
                expect(page.locator("li", has_text=stage.capitalize())).to_contain_text(line)
        gate.open()
    assert list(seen) == list(COUNTED)
    assert all(counts == sorted(counts) for counts in seen.values())
    assert any(0 < done < PARTS for counts in seen.values() for done in counts)
    expect(page.get_by_text("Draft run, number 1")).to_be_visible(timeout=LONG)
