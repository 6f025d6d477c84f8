"""What is to be done about an answer, as plain values."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from core.areas.answers import FoundArea, Page
from core.areas.differences import Difference, RegisteredArea, compare, merge

DAY = dt.date(2026, 11, 24)
PARENT, REGION = "E10000016", "E12000008"


def known(
    code: str, name: str, parent: str = PARENT, ends: dt.date | None = None
) -> RegisteredArea:
    return RegisteredArea(code, name, None, parent, None, ends, None, None)


def compared(found: list[FoundArea], held: list[RegisteredArea]) -> Difference:
    areas = {area.code: area for area in held}
    return compare(PARENT, merge([Page(tuple(found), False)]), areas, {REGION}, DAY)


ASHFORD, DOVER = FoundArea("E07000105", "Ashford"), FoundArea("E07000108", "Dover")


def test_new_changed_and_unchanged_areas_are_told_apart() -> None:
    found = compared(
        [ASHFORD, DOVER, FoundArea("E07000110", "Maidstone")],
        [known("E07000105", "Ashford"), known("E07000108", "Dovre")],
    )
    assert [area.name for area in found.new] == ["Maidstone"]
    assert [(each.code, dict(each.values)) for each in found.changed] == [
        ("E07000108", {"name": "Dover", "since": DAY})
    ]
    assert found.unchanged == 1
    assert not found.needs_review


def test_duplicates_and_kinds_that_do_not_count_are_merged_away() -> None:
    ward = FoundArea("E05000001", "Some ward")
    found = compared([ASHFORD, ASHFORD, ward], [])
    assert [area.code for area in found.new] == ["E07000105"]


def test_an_area_is_in_force_where_any_row_says_so() -> None:
    ended = ASHFORD._replace(in_force=False)
    assert compared([ended, ASHFORD], []).children == ("E07000105",)


def test_what_lies_above_is_a_contradiction_and_the_rest_counts() -> None:
    found = compared([ASHFORD, FoundArea(REGION, "South East"), FoundArea(PARENT, "Kent")], [])
    assert found.contradictions == (PARENT, REGION)
    assert found.children == ("E07000105",)


def test_fewer_children_than_before_are_held() -> None:
    found = compared([ASHFORD], [known("E07000105", "Ashford"), known("E07000108", "Dover")])
    assert found.missing == ("E07000108",)
    assert found.needs_review


def test_one_that_gave_way_to_another_is_not_held() -> None:
    held = [known(f"E070001{number:02}", f"{number}") for number in range(10)]
    others = [FoundArea(area.code, area.name) for area in held[1:]]
    found = compared([*others, FoundArea("E06000099", "Newcomer")], held)
    assert found.missing == ("E07000100",)
    assert not found.needs_review


def test_another_edition_of_as_many_areas_is_held() -> None:
    held = [known(f"E070001{number:02}", f"{number}") for number in range(10)]
    found = compared([FoundArea(f"E070002{number:02}", f"{number}") for number in range(10)], held)
    assert found.needs_review


def test_what_the_source_says_has_ended_is_no_shrinking() -> None:
    ended = DOVER._replace(in_force=False, ends="2026-03-31")
    found = compared([ASHFORD, ended], [known("E07000105", "Ashford"), known("E07000108", "Dover")])
    assert [area.code for area in found.retired] == ["E07000108"]
    assert not found.missing
    assert not found.needs_review


def test_children_that_stand_elsewhere_are_claimed_and_asked_about() -> None:
    found = compared([ASHFORD], [known("E07000105", "Ashford", parent="E10000011")])
    assert found.claimed == ("E07000105",)
    assert found.children == ("E07000105",)
    assert not found.new


def test_an_area_that_had_ended_may_return() -> None:
    found = compared([ASHFORD], [known("E07000105", "Ashford", ends=dt.date(2020, 1, 1))])
    assert dict(found.changed[0].values) == {"ends": None, "successors": None}


CODES = st.lists(st.integers(0, 30), unique=True).map(
    lambda numbers: [f"E070001{number:02}" for number in numbers]
)


@given(CODES, CODES)
def test_every_area_of_the_answer_or_the_register_has_one_fate(
    sent: list[str], held: list[str]
) -> None:
    found = compared([FoundArea(code, code) for code in sent], [known(code, code) for code in held])
    assert {area.code for area in found.new} == set(sent) - set(held)
    assert set(found.missing) == set(held) - set(sent)
    assert found.unchanged == len(set(sent) & set(held))
    assert set(found.children) == set(sent)
    assert found.needs_review or len(sent) >= len(held)
