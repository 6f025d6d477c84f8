"""docs/new-service.md: what it says to save and to run ends in a priced month."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest

from tests.unit.cli.test_check import grouper

PAGE = (Path(__file__).parents[3] / "docs/new-service.md").read_text(encoding="utf-8")


def documents() -> dict[str, str]:
    """The files that the page has its reader save, by name."""
    return dict(re.findall(r"`([\w-]+\.yaml)`:\n```yaml\n(.*?)```", PAGE, re.DOTALL))


def commands() -> list[list[str]]:
    """The commands that need no service, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_page_leads_to_a_priced_month(tmp_path: Path) -> None:
    for name, text in documents().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for command in commands():
        done = grouper(*command, cwd=tmp_path)
        assert done.returncode == 0, (command, done.stdout + done.stderr)
    charges = rows(tmp_path / "priced/charges.csv")
    assert {charge["currency"] for charge in charges} == {"VISIT", "RAIL", "DONE"}
    assert [command[0] for command in commands()] == ["sample", "check", "price"]


@pytest.mark.parametrize("errors", ["0", "0.1"])
def test_the_second_service_is_priced_by_its_name(tmp_path: Path, errors: str) -> None:
    month = ("--provider", "ZX1", "--month", "2017-04")
    named = ("--dataset", "weight-management")
    made = ("--rows", "400", "--seed", "2", "--errors", errors)
    files = ("--out", "april.xlsx", "--clinics-out", "venues.csv")
    assert grouper("sample", *named, *month, *made, *files, cwd=tmp_path).returncode == 0
    done = grouper(
        *("price", "april.xlsx", *named, *month, "--clinics", "venues.csv", "--skip-errors"),
        *("--configuration", "illustrative-weight-management-2017-18"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    found = [error for error in rows(tmp_path / "errors.csv") if error["severity"] == "error"]
    assert len({error["row"] for error in found}) == round(400 * float(errors))
    charges = rows(tmp_path / "charges.csv")
    assert {charge["currency"] for charge in charges} == {"ENROL", "SESSION", "OUTCOME"}
    assert {charge["clinic_id"][:7] for charge in charges} == {"ZX1-WM-"}
    by_episode = {tuple(charge.values())[:3] for charge in charges}
    assert len(by_episode) == sum(charge["rate_type"] == "primary" for charge in charges)


def test_the_same_seed_gives_the_same_sample_of_any_data_set(tmp_path: Path) -> None:
    for name, seed in (("one", "7"), ("two", "7"), ("other", "8")):
        made = ("--dataset", "weight-management", "--rows", "50", "--seed", seed)
        month = ("--provider", "ZX1", "--month", "2017-04", "--out", f"{name}.csv")
        assert grouper("sample", *made, *month, cwd=tmp_path).returncode == 0
    one, two, other = ((tmp_path / f"{n}.csv").read_bytes() for n in ("one", "two", "other"))
    assert one == two != other


def test_a_layout_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    made = ("--rows", "5", "--seed", "1", "--provider", "ZX1", "--month", "2019-04")
    for dataset in ((), ("--dataset", "sexual-health-2019")):
        done = grouper(
            "sample", *dataset, *made, "--layout", "wide", "--out", "a.csv", cwd=tmp_path
        )
        assert done.returncode == 2
        assert "SRHAD" in done.stderr
        assert "GUMCADv3" in done.stderr
