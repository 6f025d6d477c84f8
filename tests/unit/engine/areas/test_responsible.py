"""Rule 8 of docs/formats.md: the nearest of district and county that takes part pays."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.areas.hosts import resolved_host, resolved_hosts
from core.engine.areas.register import AreaRegister
from core.engine.areas.responsible import responsible_authority
from core.user_errors import UserError

EAST_CAMBRIDGESHIRE, CAMBRIDGESHIRE = "E07000009", "E10000003"
PETERBOROUGH, LEEDS, HACKNEY, CARDIFF = "E06000031", "E08000035", "E09000012", "W06000015"
REGISTER = AreaRegister.shipped()


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ((), CAMBRIDGESHIRE),
        ((CAMBRIDGESHIRE,), CAMBRIDGESHIRE),
        ((EAST_CAMBRIDGESHIRE,), EAST_CAMBRIDGESHIRE),
        ((EAST_CAMBRIDGESHIRE, CAMBRIDGESHIRE), EAST_CAMBRIDGESHIRE),
        ((PETERBOROUGH,), CAMBRIDGESHIRE),
    ],
)
def test_the_nearest_that_takes_part_pays_else_the_county(
    listed: tuple[str, ...], expected: str
) -> None:
    assert responsible_authority(EAST_CAMBRIDGESHIRE, REGISTER, listed) == expected
    assert resolved_host(EAST_CAMBRIDGESHIRE, REGISTER, listed) == expected


@pytest.mark.parametrize("code", [PETERBOROUGH, LEEDS, HACKNEY, CARDIFF, CAMBRIDGESHIRE, "D1"])
def test_unitary_authorities_boroughs_and_counties_pay_themselves(code: str) -> None:
    assert responsible_authority(code, REGISTER, ()) == code


def test_the_step_of_a_host_is_said() -> None:
    hosts = resolved_hosts({"A": EAST_CAMBRIDGESHIRE, "B": HACKNEY}, REGISTER, ())
    assert hosts.authorities == {"A": CAMBRIDGESHIRE, "B": HACKNEY}
    assert hosts.notes == {
        "A": "The clinic lies in East Cambridgeshire (E07000009), for which Cambridgeshire "
        "(E10000003) commissions."
    }


def test_a_county_of_then_counts_where_it_is_listed_alone() -> None:
    """Allerdale lay in Cumbria, which ended with it; Cumberland stands in its place."""
    assert resolved_host("E07000026", REGISTER, ("E10000006",)) == "E10000006"
    assert resolved_host("E07000026", REGISTER, ()) == "E06000063"
    with pytest.raises(UserError, match="several stand in its place"):
        resolved_host("E10000006", REGISTER, ())


def areas(folder: Path, *lines: str) -> AreaRegister:
    path = folder / "areas.csv"
    path.write_text("\n".join(lines) + "\n")
    return AreaRegister.from_csv(path)


def test_a_list_names_counties(tmp_path: Path) -> None:
    register = areas(tmp_path, "lsoa,district,county", "E1,D1,C1", "E2,D2,", "E3,D3,E13000001")
    found = {code: responsible_authority(code, register) for code in ("D1", "D2", "D3", "C1")}
    assert found == {"D1": "C1", "D2": "D2", "D3": "D3", "C1": "C1"}
    assert register.spelling("c1") == "C1"


def test_a_list_without_counties_has_none(tmp_path: Path) -> None:
    register = areas(tmp_path, "lsoa,district", f"E1,{EAST_CAMBRIDGESHIRE}")
    assert responsible_authority(EAST_CAMBRIDGESHIRE, register) == EAST_CAMBRIDGESHIRE


def test_a_district_in_two_counties_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"areas\.csv row 3: D1 lies in C1 .* and in no county"):
        areas(tmp_path, "lsoa,district,county", "E1,D1,C1", "E2,D1,")
