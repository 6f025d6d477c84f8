"""What ships with the product is named on the command line without its path."""

from __future__ import annotations

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
