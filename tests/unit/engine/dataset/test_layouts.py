"""Layouts, groups, maps, versions: read as the contract says, and refused with line and reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from core.documents import parse_document
from core.engine.dataset.headings import match_headings, missing_fields
from core.engine.dataset.specification import Specification, specification_from
from core.engine.offline.checking import FileCheck, References, check_file
from core.user_errors import DocumentError
from tests.small_dataset import DATA

TEXT = (DATA / "two-layouts.yaml").read_text()


def load(text: str = TEXT) -> Specification:
    return specification_from(parse_document(text, name="two.yaml"))


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        load(text)
    return [str(problem) for problem in refused.value.problems]


def check(folder: Path, *lines: str, **options: object) -> FileCheck:
    path = folder / "activity.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return check_file(path, load(), References(), **options)  # type: ignore[arg-type]


def line_of(words: str) -> int:
    return next(n for n, line in enumerate(TEXT.split("\n"), start=1) if words in line)


def test_a_version_has_a_start_and_fields_have_titles_and_groups() -> None:
    two = load()
    assert (two.version, two.start) == ("2", dt.date(2019, 4, 1))
    assert two.by_name["Age"].label == "Age in years"
    assert two.by_name["LSOA"].label == "LSOA"
    names = {group: [field.name for field in fields] for group, fields in two.groups.items()}
    assert names == {"activity": ["Activity", "Site", "Result"], "treatment": ["Drug"]}
    assert two.same_as(two.by_name["Activity"]) == {"22298006": "T1", "404684003": "T4"}


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ('version: "2"', 'version: ""', 'version: "2"', "at least 1 character"),
        ("start: 2019-04", "start: April 2019", "start:", "write it as 2024-04"),
        ("start: 2019-04", "start: 2019-04-02", "start:", "starts with a month"),
        ("start: 2019-04", "start: 2019-13", "start:", "is not a month"),
        ("title: Age in years", "title: ''", "Age in years", "at least 1 character"),
        ("[Clinic ID, Patient ID, Attendance Date, LSOA, Age, Medium, Code]",
         "[Clinic ID, Attendance Date, LSOA]", "LSOA, Age, Medium, Code]",
         "'Patient ID' is not among its fields"),
        ("Medium, Code]", "Medium, Kode]", "Medium, Code]", "no field 'Kode'"),
        ("Medium, Code]", "Medium, Code, Age]", "Medium, Code]", "'Age' stands there twice"),
        ("required: [LSOA]", "required: [Site]", "required: [LSOA]", "none of its fields"),
        ("{LSOA: [Home]}", "{Site: [Home]}", "{LSOA: [Home]}", "none of its fields"),
        ("{LSOA: [Home]}", "{LSOA: [Age]}", "name: wide", "would name both"),
        ("name: long", "name: Wide", "name: long", "two layouts are called"),
        ("group: treatment", "group: treatment, repeat: 2", "name: Drug", "leave out `repeat`"),
        ("group: treatment", "group: treatment, role: provider", "name: Drug", "in no group"),
        ("group: treatment", "group: treatment, on_conflict: overwrite", "name: Drug",
         "leave out `on_conflict`"),
        ("same_as: activity_of_snomed", "same_as: map", "name: Activity", "not under `maps`"),
        ("22298006: T1", "22298007: T1", "22298006", "is no SNOMED code"),
        ("22298006: T1", "22298006: T9", "22298006", "'T9' is not in the code list 'activity'"),
        ("type: integer, minimum", "same_as: activity_of_snomed, type: integer, minimum",
         "name: Age", "needs a field of codes"),
        ("type: snomed, codes", "type: snomed, pattern: x, codes", "name: Activity", "own form"),
        ("Medium, Activity, Site, Result, Drug]\n    required: [Activity]\n"
         "    headings: {Activity: Episode_Activity, Site: [Body Site, Home]}",
         "Medium, Code]\n    required: [LSOA]\n    headings: {LSOA: [home]}", "name: long",
         "no heading tells files of 'long' and 'wide' apart"),
    ],
)  # fmt: skip
def test_a_wrong_specification_is_refused_with_line_and_reason(
    old: str, new: str, at: str, words: str
) -> None:
    assert old in TEXT
    found = problems(TEXT.replace(old, new))
    fitting = [problem for problem in found if words in problem]
    assert fitting, found
    assert fitting[0].startswith(f"two.yaml:{line_of(at)}: ")


@pytest.mark.parametrize(
    ("headings", "layout"),
    [
        ("Clinic ID,Patient ID,Attendance Date,Home,Code 1", "wide"),
        ("Clinic ID,Patient ID,Attendance Date,LSOA", "wide"),
        ("Clinic ID,Patient ID,Attendance Date,EPISODE ACTIVITY", "long"),
        ("Clinic ID,Patient ID,Attendance Date,Activity,LSOA,Home", "long"),
        ("Clinic ID,Patient ID,Attendance Date,LSOA,Age,episode_activity", "long"),
    ],
)
def test_a_layout_is_known_by_its_headings(headings: str, layout: str) -> None:
    matched = match_headings(headings.split(","), load())
    assert matched.name == layout
    assert not matched.findings


def test_a_layout_may_say_of_each_field_what_holds_of_it() -> None:
    old = TEXT[
        TEXT.index("    fields: [Clinic ID, Patient ID, Attendance Date, LSOA, Age, Medium, A") :
    ]
    old = old[: old.index("maps:")]
    new = """    fields:
      - Clinic ID
      - Patient ID
      - {name: Attendance Date}
      - {name: Activity, headings: Episode_Activity, required: true}
      - {name: Site, headings: [Body Site, Home]}
      - LSOA
"""
    short = load(TEXT.replace(old, new)).by_layout["long"]
    whole = load().by_layout["long"]
    for name in ("Activity", "Site", "LSOA"):
        assert short.by_name[name] == whole.by_name[name]
    (problem,) = problems(TEXT.replace(old, new.replace("headings: [", "heading: [")))
    assert "heading" in problem


@pytest.mark.parametrize("written", ["2", "2.10", '"2 b"'])
def test_a_version_is_kept_as_it_is_written(written: str) -> None:
    assert load(TEXT.replace('version: "2"', f"version: {written}")).version == written.strip('"')


def test_the_same_heading_may_name_another_column_in_each_layout() -> None:
    heads = ["Clinic ID", "Patient ID", "Attendance Date", "Home"]
    assert match_headings(heads, load()).columns[3] == "LSOA"
    assert match_headings([*heads, "Activity"], load()).columns[3] == "Site"


def test_where_none_fits_the_nearest_is_named_with_what_it_lacks() -> None:
    matched = match_headings(["Clinic ID", "Patient ID", "Attendance Date", "Site"], load())
    (missing,) = [each for each in matched.findings if each["code"] == "missing-column"]
    assert missing["field"] == "Activity"
    assert (
        "nearest is long, for which there is no column for Activity (What was done)"
        in (missing["message"])
    )
    assert "Episode_Activity" in missing["message"]


def test_where_several_fit_the_file_is_refused_with_what_tells_them_apart(tmp_path: Path) -> None:
    done = check(
        tmp_path,
        "Clinic ID,Patient ID,Attendance Date,LSOA,Code 1,Activity",
        "C1,1,2019-04-01,E01000001,T1,T2",
    )
    assert done.refused
    (error,) = done.errors.to_pylist()
    assert error["code"] == "missing-column"
    assert "could be those of wide and long" in error["message"]
    assert (
        "“Code 1” would be read as wide alone; “Activity” would be read as long alone"
        in (error["message"])
    )


def test_what_a_person_chose_decides_too() -> None:
    heads = ["Clinic ID", "Patient ID", "Attendance Date", "Done"]
    assert match_headings(heads, load()).missing
    chosen = match_headings(heads, load(), chosen={"Done": "Activity"})
    assert (chosen.name, chosen.missing) == ("long", False)
    own = {"Clinic ID", "Patient ID", "Attendance Date"}
    assert missing_fields(own, load(), transpose=False) == ["LSOA"]
    assert not missing_fields({*own, "Activity"}, load(), transpose=False)


def test_a_column_of_another_layout_is_named_and_left_out(tmp_path: Path) -> None:
    done = check(
        tmp_path,
        "Clinic ID,Patient ID,Attendance Date,LSOA,Code 1,Site",
        "C1,1,2019-04-01,E01000001,T1,R",
    )
    assert done.layout == "wide"
    (warning,) = done.errors.to_pylist()
    assert warning["code"] == "unknown-column"
    assert "is Site, which files of the layout wide do not have" in warning["message"]
    assert done.records["Site"].to_pylist() == [None]


def test_a_slot_beyond_those_of_another_layout_is_named_too() -> None:
    heads = ["Clinic ID", "Patient ID", "Attendance Date"]
    (other,) = match_headings([*heads, "Activity", "Code_04"], load()).findings
    assert "is Code, which files of the layout long do not have" in other["message"]
    own = match_headings([*heads, "LSOA", "Code_04"], load())
    assert (own.name, list(own.beyond), own.findings) == ("wide", ["Code 4"], [])


def test_a_layout_requires_its_own_values(tmp_path: Path) -> None:
    wide = check(tmp_path, "Clinic ID,Patient ID,Attendance Date,Home,Code1", "C1,1,2019-04-01,,T1")
    assert [(e["field"], e["code"]) for e in wide.errors.to_pylist()] == [("LSOA", "missing-value")]
    long = check(
        tmp_path, "Clinic ID,Patient ID,Attendance Date,LSOA,Activity", "C1,1,2019-04-01,,"
    )
    assert [(e["field"], e["code"]) for e in long.errors.to_pylist()] == [
        ("Activity", "missing-value")
    ]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("22298006", None),
        ("900000000000207008", None),
        ("'22298006", None),
        ("t1", None),
        ("22298007", "bad-pattern"),
        ("022298006", "bad-pattern"),
        ("12345", "bad-pattern"),
        ("9000000000002070081", "bad-pattern"),
        ("T9", "bad-pattern"),
        ("9.00000E+17", "bad-number"),
        ("9E+17", "bad-number"),
        ("9E17", "bad-number"),
    ],
)
def test_snomed_codes_are_checked_and_kept_as_text(
    tmp_path: Path, value: str, code: str | None
) -> None:
    done = check(
        tmp_path, "Clinic ID,Patient ID,Attendance Date,Activity", f"C1,1,2019-04-01,{value}"
    )
    assert [error["code"] for error in done.errors.to_pylist()] == [code] * (code is not None)
    if code is None:
        kept = {"t1": "T1"}.get(value, value.lstrip("'"))
        assert done.records["Activity"].to_pylist() == [kept]
