"""``grouper import`` looks before it leaps; what is there is listed, shown, compared, exported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli.main import grouper
from core.database import tables
from core.database.engine import engine
from core.settings import use_settings
from tests.service.configurations.world import (
    FIRST,
    JULY,
    RENAMED,
    REQUIRED,
    SWIMS,
    TARIFF,
    submitted,
    swimming,
    upload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.service.month import Service

Run = Callable[..., Result] if TYPE_CHECKING else object
DEARER = TARIFF.replace('primary: "10.00"', 'primary: "12.00"')


@pytest.fixture
def run(
    service: Service, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Runs a command on the service's database; a text that is YAML goes into a file."""
    swimming(service)
    monkeypatch.setenv("GROUPER_DATABASE_URL", database_url)
    monkeypatch.setenv("GROUPER_HOME", str(tmp_path))

    def run_command(*arguments: str) -> Result:
        words = []
        for number, argument in enumerate(arguments):
            path = tmp_path / f"{number}.yaml"
            if "\n" in argument:
                path.write_text(argument)
            words.append(str(path) if "\n" in argument else argument)
        return CliRunner().invoke(grouper, words, standalone_mode=False)

    yield run_command
    engine.cache_clear()
    use_settings(None)


def versions(service: Service) -> list[str]:
    datasets = tables.datasets
    query = sa.select(datasets.c.version).where(datasets.c.dataset == SWIMS)
    return list(service.rows_of_one(query.order_by(datasets.c.id)))


def test_a_dry_run_says_what_would_change_and_changes_nothing(service: Service, run: Run) -> None:
    july = service.month(month=JULY, dataset=SWIMS)
    service.check(upload(service, july))
    done = run("import", REQUIRED, "--dry-run")
    assert done.return_value == 0
    assert "would take in: data set swims, version 4, from 2017-07, 6 fields" in done.output
    assert "Checked again under another version: July 2017 of ZX1." in done.output
    assert "swims 4: The field Age is new: integer, required." in done.output
    assert versions(service) == ["1"]
    assert run("import", REQUIRED).return_value == 0
    assert versions(service) == ["1", "4"]


def test_a_dry_run_refuses_what_the_import_would_refuse(service: Service, run: Run) -> None:
    submitted(service, JULY)
    for options in (["--dry-run"], []):
        done = run("import", REQUIRED, *options)
        assert "submitted: July 2017 of ZX1" in str(done.exception)
    done = run("import", RENAMED, "--dry-run")
    assert "'swims-2017' does not fit version 2 of swims" in str(done.exception)
    assert "Lesson" in str(done.exception)
    assert versions(service) == ["1"]


def test_a_renamed_field_and_the_tariffs_that_name_it_come_together(
    service: Service, run: Run
) -> None:
    ends = TARIFF.replace("end: 2018-03-31", "end: 2017-04-30")
    begins = (
        TARIFF.replace("swims-2017", "swims-courses")
        .replace("start: 2017-04-01", "start: 2017-05-01")
        .replace("Lesson =", "Course =")
    )
    told = ["--from", "2017-05", "--why", "Lesson is called Course"]
    done = run("import", begins, RENAMED, ends, *told, "--json")
    assert done.exception is None
    document = json.loads(done.output)
    assert [each.get("version") or each["configuration"] for each in document["imported"]] == [
        "2",
        "swims-2017",
        "swims-courses",
    ]
    assert "swims 2: The field Lesson is called Course now." in document["changes"]


def test_a_changed_tariff_says_from_when_and_why(service: Service, run: Run) -> None:
    done = run("import", DEARER)
    assert "never overwritten: say the month from which the change holds (--from YYYY-MM) and" in (
        str(done.exception)
    )
    done = run("import", DEARER, "--from", "2017-06", "--why", "dearer water", "--by", "Lea")
    assert "swims-2017: T2: the primary rate is £12.00 instead of £10.00." in done.output
    listed = run("configurations", "list").output.splitlines()
    assert "swims-2017@1 (live), 2017-04-01 to 2017-05-31, by the test" in listed
    assert "swims-2017@2 (live), 2017-06-01 to 2018-03-31, by Lea: dearer water" in listed
    compared = run("configurations", "compare", "swims-2017@1", "swims-2017@2")
    assert compared.output == "T2: the primary rate is £12.00 instead of £10.00.\n"
    assert run("configurations", "export", "swims-2017@1").output == TARIFF
    assert "T2 (£12.00 / £5.00): Lesson has L1 (Beginners)" in (
        run("configurations", "show", "swims-2017").output
    )


def test_data_sets_are_listed_shown_compared_and_exported(service: Service, run: Run) -> None:
    run("import", REQUIRED)
    listed = run("datasets", "list").output.splitlines()
    assert "swims@4: Swimming lessons, version 4, from July 2017" in listed
    assert "swims@1: Swimming lessons, version 1" in listed
    compared = run("datasets", "compare", "swims@1", "swims@4").output.splitlines()
    assert compared == [
        "In force from July 2017 instead of from the beginning.",
        "The field Age is new: integer, required.",
    ]
    assert "Lesson" in run("datasets", "show", "swims@1").output
    assert run("datasets", "export", "swims@1").output.strip() == FIRST.strip()
    asked = run("datasets", "show", "swims")
    assert "Say which version of 'swims': swims@4, swims@1." in str(asked.exception)
