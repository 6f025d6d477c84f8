"""Twenty submissions by ten providers, with a fault in the middle: nothing lost, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database import tables
from core.settings import use_settings
from tests.fault.faults import FAULTS
from tests.fault.full_disk import small_disk
from tests.fault.installation import Installation
from tests.fault.mailbox import mailbox
from tests.fault.many import PROVIDERS, REPORTS, Outcome, Round, Scene, import_demo_data

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

IN_LIMBO_AT_MOST = 120  # seconds, beyond what a month itself takes from its turn on
ASKED_AT_ONCE = {"two people press submit at once": 10}
"""How many months are asked for before the fault, where not all are."""


@pytest.fixture(scope="module")
def scene(open_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with mailbox() as mails, small_disk(open_folder / "store") as disk:
        installation = Installation(
            open_folder / "many",
            files_url=str(disk.folder),
            smtp_host="127.0.0.1",
            smtp_port=mails.port,
            smtp_tls="none",
        )
        use_settings(installation.settings)
        installation.up()
        made = Scene(installation, disk, mails)
        import_demo_data(made, tmp_path_factory.mktemp("activity"))
        yield made
        installation.stop()
        use_settings(None)


@pytest.fixture(scope="module")
def undisturbed(scene: Scene) -> tuple[Outcome, float]:
    round_ = Round(scene)
    outcome = round_.undisturbed()
    assert len(outcome.charges) == len(scene.submissions)
    assert outcome.mails.total() == 2 * len(scene.submissions)  # a draft each, to two people
    assert outcome.notifications.total() == 2 * len(scene.submissions) + REPORTS
    assert set(outcome.notifications.values()) == {1}
    assert all(rows > 1_000 for rows in outcome.reports.values())
    assert len(outcome.reports) == REPORTS < len(PROVIDERS)
    return outcome, round_.slowest()


@pytest.mark.parametrize("fault", FAULTS)
def test_it_ends_as_without_the_fault(
    fault: str, scene: Scene, undisturbed: tuple[Outcome, float]
) -> None:
    expected, usual = undisturbed
    round_ = Round(scene, at_once=ASKED_AT_ONCE.get(fault))
    found = round_.disturbed(FAULTS[fault])
    slowest = round_.slowest()
    print(f"{fault}: {round_.seconds:.0f} s; slowest {slowest:.0f} s, without it {usual:.0f} s")
    assert found == expected
    assert slowest < usual + IN_LIMBO_AT_MOST
    assert_nothing_is_orphaned(scene)


def assert_nothing_is_orphaned(scene: Scene) -> None:
    submissions, files, events = tables.submissions, tables.files, tables.events
    assert scene.count(submissions, submissions.c.state != "draft") == 0
    assert scene.count(files, files.c.state != "ready") == 0
    assert scene.count(tables.reports, tables.reports.c.state != "ready") == 0
    assert scene.count(tables.failures, tables.failures.c.state != "resolved") == 0
    drafted = scene.count(events, events.c.name == "submission.drafted")
    published = scene.count(tables.runs, tables.runs.c.state.in_(["published", "replaced"]))
    assert drafted == published  # each run was announced once
