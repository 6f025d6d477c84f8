"""The register as people look things up in it, and as it goes out and comes in."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pytest

from core.engine.areas.compact import HEADINGS, SHIPPED, read_register, read_shipped, write_register
from core.engine.areas.finding import Areas
from core.engine.areas.register import AreaRegister, authorities_of
from core.user_errors import UserError


@pytest.fixture(scope="module")
def areas() -> Areas:
    return Areas(read_shipped())


def test_areas_are_found_by_code_and_by_name(areas: Areas) -> None:
    assert areas.search("e09000030")[0].name == "Tower Hamlets"
    found = areas.search("allerdale")
    assert str(found[0]) == ("E07000026 Allerdale (non-metropolitan district, until 2023-03-31)")
    assert found[1].name == "Allerdale 001A"
    assert areas.search("  ") == areas.search("no such place") == []


def test_an_area_knows_above_below_before_and_after(areas: Areas) -> None:
    lsoa = areas.area("E01019126")
    assert [each.name for each in lsoa.ancestors] == [
        "Cumberland", "North West", "England", "England and Wales", "United Kingdom",
    ]  # fmt: skip
    assert [(each.until, each.parent and each.parent.name) for each in lsoa.periods] == [
        (dt.date(2023, 3, 31), "Allerdale")
    ]
    then, now = lsoa.parent_on(dt.date(2017, 4, 1)), lsoa.parent_on(dt.date(2024, 4, 1))
    assert then and now and (then.name, now.name) == ("Allerdale", "Cumberland")
    allerdale = areas.area("E07000026")
    assert [each.name for each in allerdale.successors] == ["Cumberland"]
    assert [each.name for each in allerdale.ancestors][:2] == ["Cumbria", "North West"]
    cumberland = areas.area("e06000063")
    assert {each.name for each in cumberland.predecessors} >= {"Allerdale", "Carlisle", "Copeland"}
    assert len(cumberland.children) > 100
    with pytest.raises(UserError, match="E99 is no area"):
        areas.area("E99")


def test_every_district_that_ended_has_a_successor_in_force() -> None:
    known = authorities_of(read_shipped())
    register = AreaRegister.shipped()
    ended = {code for code, each in known.items() if each.ends}
    assert len([code for code in ended if not code.startswith("E10")]) == 54
    assert len(ended) == 60  # and six counties
    assert ended == set(register.successors)
    assert all(known[after].ends is None for after in register.successors.values())


def test_what_is_written_comes_back_the_same(tmp_path: Path) -> None:
    rows = read_shipped()
    for name in ("areas.csv", "areas.csv.gz"):
        path = tmp_path / name
        write_register(path, rows)
        assert read_register(path).equals(rows)
    assert gzip.decompress(SHIPPED.read_bytes()) == (tmp_path / "areas.csv").read_bytes()


HEADING = ",".join(HEADINGS)
TOP = "E92000001,England,,,,,,,,,"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code,name\nE92000001,England", "row 1: no column"),
        (f"{HEADING}\n{TOP}\n,x,,,,,,,,,", "row 3: ?: the code is blank"),
        (f"{HEADING}\nE92000001,,,,,,,,,,", "row 2: E92000001: the name is blank"),
        (f"{HEADING}\nE05000001,A ward,,,,,,,,,", "row 2: E05000001: the code is of no kind"),
        (f"{HEADING}\n{TOP}\n{TOP}", "row 2: E92000001: the area has two rows of today"),
        (f"{HEADING}\nE12000001,North,,E92000001,,,,,,,", "the parent is not in the file"),
        (f"{HEADING}\nE92000001,England,,,soon,,,,,,", "is not readable"),
    ],
)
def test_a_register_that_cannot_be_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "areas.csv"
    path.write_text(text)
    with pytest.raises(UserError) as refused:
        read_register(path)
    assert words in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be opened"):
        read_register(tmp_path / "gone.csv")
