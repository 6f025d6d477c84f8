from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from core.engine.areas.hosts import read_hosts, resolved_hosts
from core.engine.areas.register import AreaRegister
from core.user_errors import UserError


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_shipped_register_has_both_editions() -> None:
    register = AreaRegister.shipped()
    assert len(register.codes) == 36_778
    assert register.ended.null_count == 35_672
    ends = set(register.ended.drop_null().to_pylist())
    assert ends == {datetime.date(2021, 3, 20)}
    assert register.names["E09000030"] == "Tower Hamlets"
    assert len([code for code in register.names if not code.startswith("E10")]) == 415
    assert register.county_of("E07000009") == "E10000003"  # East Cambridgeshire
    assert register.county_of("E06000031") is None  # Peterborough
    assert register.successors["E07000004"] == "E06000060"


def test_districts_are_found_for_any_column_and_pseudo_codes_have_none() -> None:
    register = AreaRegister.shipped()
    codes = pa.array(["E01000001", "X99999999", None, "E01000001"])
    expected = ["E09000001", None, None, "E09000001"]
    assert register.district_of(codes).to_pylist() == expected
    assert register.district_of(codes.dictionary_encode()).to_pylist() == expected
    chunked = pa.chunked_array([codes.slice(0, 2), codes.slice(2)])
    assert register.district_of(chunked).to_pylist() == expected


def test_a_register_may_come_from_csv(tmp_path: Path) -> None:
    text = "\ufeffDistrict,LSOA,note\n D1 ,E01,x\nD2,E02,\n\n"
    register = AreaRegister.from_csv(written(tmp_path, text))
    assert register.district_of(pa.array(["E01", "E02", "E03"])).to_pylist() == ["D1", "D2", None]
    assert register.ended.null_count == 2


def test_codes_are_read_in_any_case(tmp_path: Path) -> None:
    text = "lsoa,district,county\ne01000001,e07000240,e10000015\n"
    register = AreaRegister.from_csv(written(tmp_path, text))
    assert register.district_of(pa.array(["E01000001"])).to_pylist() == ["E07000240"]
    assert register.county_of("E07000240") == "E10000015"


def test_of_several_rows_the_one_in_force_longest_counts(tmp_path: Path) -> None:
    text = "lsoa,district,start,end\nE1,OLD,,2019-03-31\nE1,NEW,2019-04-01,\nE2,GONE,,2019-03-31\n"
    register = AreaRegister.from_csv(written(tmp_path, text))
    assert register.district_of(pa.array(["E1", "E2"])).to_pylist() == ["NEW", "GONE"]
    assert register.ended.to_pylist() == [None, datetime.date(2019, 3, 31)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "row 1: no column lsoa, district"),
        ("lsoa\nE1\n", "row 1: no column district"),
        ("lsoa,district\nE1\n", "row 2: 1 values under 2 headings"),
        ("lsoa,district\nE1,\n", "row 2: district is blank"),
        ("lsoa,district\n,D1\n", "row 2: lsoa is blank"),
        ("lsoa,district\nE1,D1\nE1,D2\n", "row 3: E1 stands twice"),
        ("lsoa,district\nE1,D1\ne1,D2\n", "row 3: E1 stands twice"),
        ("lsoa,district,county\nE1,D1,C1\nE2,d1,C2\n", "row 3: D1 lies in C1"),
        ("lsoa,district\nE1,Tower Hamlets\n", "row 2: Tower Hamlets is no code"),
        ("lsoa,district\nE01 004275,D1\n", "row 2: E01 004275 is no code"),
        ("lsoa,lsoa,district\nE1,E1,D1\n", "row 1: the column lsoa stands there twice"),
        ("lsoa,district,end\nE1,D1,31/03/2019\n", "row 2: '31/03/2019' is not a date"),
        (b"lsoa,district\nE1,D\xe9\n", "not UTF-8"),
        ('lsoa,district\n"E1,D1\n', "not readable csv"),
    ],
)
def test_a_malformed_list_is_refused_with_file_and_row(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    with pytest.raises(UserError) as refused:
        AreaRegister.from_csv(written(tmp_path, text))
    assert "list.csv" in str(refused.value)
    assert words in str(refused.value)


def test_hosts_are_read_by_clinic(tmp_path: Path) -> None:
    text = 'A-1 ,e09000030\na-1\u200b,\'E07000026 \n"B\n1",d1\n,\nC,E10000003\n'
    register = AreaRegister.from_csv(areas_of(tmp_path, "D1"))
    assert read_hosts(written(tmp_path, f"clinic_id,commissioner\n{text}"), register) == {
        "A-1": "E09000030",
        "a-1": "E07000026",
        "B\n1": "D1",
        "C": "E10000003",
    }


def areas_of(folder: Path, district: str) -> Path:
    path = folder / "areas.csv"
    path.write_text(f"lsoa,district\nE01000001,{district}\n")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("clinic_id,commissioner\n", "lists no clinic"),
        ("clinic_id,commissioner\nA,\n", "row 2: commissioner is blank"),
        (
            "clinic_id,commissioner\nA,E09000012\nA,e09000030\n",
            "row 3: the clinic A has two hosts",
        ),
        ("clinic,commissioner\nA,D1\n", "no column clinic_id"),
        ("clinic_id,commissioner\nA,Hackney\n", "row 2: Hackney is no authority"),
        ("clinic_id,commissioner\nA,D1\n", "row 2: D1 is no authority"),
        ("clinic_id,commissioner\nA,E09000099\n", "row 2: no authority has or had the code"),
        ("clinic_id,commissioner\nA,E12000007\n", "row 2: E12000007 is the code of a region"),
        ("clinic_id,commissioner\nA,e01000001\n", "row 2: E01000001 is the code of an LSOA"),
        ('clinic_id,commissioner\n"A\nB",E09000012\n\nC,x\n', "row 4: x is no authority"),
        ("clinic_id,commissioner\nA,E10000006\n", "several stand in its place: Cumberland"),
    ],
)
def test_malformed_hosts_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        read_hosts(written(tmp_path, text), AreaRegister.shipped())
    assert words in str(refused.value)


def test_a_host_that_ended_and_has_several_in_its_place_may_be_the_one_of_then(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, "clinic_id,commissioner\nA,E10000006\n")
    register = AreaRegister.shipped()
    assert read_hosts(path, register, {"E10000006"}) == {"A": "E10000006"}
    with pytest.raises(UserError, match="several"):
        read_hosts(path, register, {"E10000006", "E06000063"})


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        ([], "E06000063"),
        (["E06000063"], "E06000063"),
        (["E07000026"], "E07000026"),
        (["E07000026", "E06000063"], "E06000063"),
    ],
)
def test_a_host_that_ended_is_the_one_of_today_unless_the_tariff_lists_the_one_of_then(
    listed: list[str], host: str
) -> None:
    found = resolved_hosts({"A": "E07000026", "B": "E09000012"}, AreaRegister.shipped(), listed)
    assert found.authorities == {"A": host, "B": "E09000012"}
    notes = {} if host == "E07000026" else {
        "A": "The host Allerdale (E07000026) ended on 2023-03-31; "
        "Cumberland (E06000063) stands in its place today."
    }  # fmt: skip
    assert found.notes == notes
