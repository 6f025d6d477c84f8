"""What ships with the product is named on the command line without its path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_check import grouper

MONTH = ("--provider", "ZX1", "--month", "2017-04")
NAMED = {"--dataset": "sexual-health", "--configuration": "illustrative-isht-2017-18"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a file of activity, and its clinics."""
    made = ("--rows", 20, "--seed", 1, "--out", "april.csv", "--clinics-out", "clinics.csv")
    assert grouper("sample", *MONTH, *made, cwd=tmp_path).returncode == 0
    return tmp_path


def price(folder: Path, **options: str) -> tuple[int, str]:
    named = NAMED | {f"--{name}": value for name, value in options.items()}
    arguments = [text for pair in named.items() for text in pair]
    done = grouper("price", "april.csv", "--clinics", "clinics.csv", *arguments, *MONTH, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def test_a_data_set_and_a_tariff_are_named(folder: Path) -> None:
    assert grouper("check", "april.csv", "--dataset", "sexual-health", cwd=folder).returncode == 0
    code, output = price(folder)
    assert (code, "ZX1 2017-04 by" in output) == (0, True)


@pytest.mark.parametrize("option", ["dataset", "configuration"])
def test_an_unknown_name_says_what_there_is(option: str, folder: Path) -> None:
    code, output = price(folder, **{option: "sexual-helth"})
    assert code == 2
    assert "sexual-helth" in output
    assert NAMED[f"--{option}"] in output
    assert not (folder / "charges.csv").exists()


def test_a_file_of_that_name_wins(folder: Path) -> None:
    (folder / "sexual-health").write_text("fields: []")
    code, output = price(folder)
    assert code == 2
    assert "sexual-health:1" in output


def test_rows_of_activities_are_sampled_checked_and_priced_by_name(tmp_path: Path) -> None:
    month = ("--provider", "ZX1", "--month", "2019-04")
    made = ("--rows", "300", "--seed", "1", "--layout", "gumcadv3", "--clinics-out", "clinics.csv")
    assert grouper("sample", *month, *made, "--out", "a.csv", cwd=tmp_path).returncode == 0
    named = ("--dataset", "sexual-health-2019")
    checked = grouper("check", "a.csv", *named, "--json", cwd=tmp_path)
    assert checked.returncode == 0
    (file,) = json.loads(checked.stdout)["files"]
    assert (file["layout"], file["records"]) == ("GUMCADv3", 300)
    tariff = ("--configuration", "illustrative-isht-2019-20", "--clinics", "clinics.csv")
    for transposed in ((), ("--transpose",)):
        done = grouper("price", "a.csv", *named, *tariff, *month, *transposed, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        charges = (tmp_path / "charges.csv").read_text(encoding="utf-8")
        assert "Episode_Activity = T4 fired T4" in charges
