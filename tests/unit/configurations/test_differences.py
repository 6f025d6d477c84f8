"""Two versions, and two tariffs, are compared in words."""

from __future__ import annotations

import pytest

from core.configurations.dataset_differences import compare_specifications
from core.configurations.role_labels import OURS, labels_of
from core.configurations.tariff_differences import compare_configurations
from core.engine.dataset.specification import specification_of
from core.engine.tariff.configuration import tariff_of
from tests.service.configurations.world import FIRST, RENAMED, REQUIRED, RETIRED, TARIFF


@pytest.mark.parametrize(
    ("after", "sentences"),
    [
        (FIRST, []),
        (RENAMED, ["The field Lesson is called Course now."]),
        (RETIRED, ["lessons: the code L3 is gone (Rescue)."]),
        (REQUIRED, ["The field Age is new: integer, required."]),
        (
            FIRST.replace("repeat: 2", "repeat: 3"),
            ["The field Lesson: repeat is 3 instead of 2."],
        ),
        (
            FIRST.replace("type: lsoa, required: true", "type: lsoa"),
            ["The field Home is not required."],
        ),
        (
            FIRST.replace("L1: Beginners", "L1: Starters, L4: Diving"),
            [
                "lessons: the code L4 is new (Diving).",
                "lessons: L1 means 'Starters' instead of 'Beginners'.",
            ],
        ),
        (
            FIRST.replace("title: Swimming lessons", "title: Swims"),
            ["The title is 'Swims' instead"],
        ),
        (
            FIRST.replace("  - {name: Home, role: residence, type: lsoa, required: true}\n", ""),
            ["The field Home is gone."],
        ),
    ],
)
def test_versions_are_compared_in_words(after: str, sentences: list[str]) -> None:
    found = compare_specifications(specification_of(FIRST), specification_of(after))
    found = [sentence for sentence in found if not sentence.startswith("In force")]
    assert len(found) == len(sentences)
    for sentence in sentences:
        assert any(each.startswith(sentence) for each in found), found


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('primary: "10.00"', 'primary: "9.50"', "T2: the primary rate is £9.50 instead of £10.00."),
        ("end: 2018-03-31", "end: 2018-06-30", "The last day is 2018-06-30 instead of"),
        ('"Lesson = L1", ', "", "T2: fired no more by Lesson = L1."),
        ('["Lesson = L3"]', '["Lesson = L3", "Home = E01"]', "R: fired by Home = E01 too."),
        ("{factor: 1}", "{factor: 1.1}", "The factor of ZX1 is 1.1 instead of 1."),
        ("E09000012: {}", "E09000001: {}", "The commissioner E09000012 takes part no more."),
        ("cross_charge: full\n    triggers: [\"Lesson = L3\"]",
         "cross_charge: none\n    triggers: [\"Lesson = L3\"]",
         "R: cross-charged none instead of full."),
    ],
)  # fmt: skip
def test_tariffs_are_compared_in_words(before: str, after: str, sentence: str) -> None:
    changed = TARIFF.replace(before, after)
    assert changed != TARIFF
    _, first = tariff_of(FIRST, TARIFF, name="first")
    _, second = tariff_of(FIRST, changed, name="second")
    assert any(each.startswith(sentence) for each in compare_configurations(first, second))
    assert compare_configurations(first, first) == []


def test_labels_are_the_titles_of_the_fields() -> None:
    swims = specification_of(FIRST)
    assert labels_of([swims]).short == ("Pool", "Swimmer", "Day")
    health = specification_of(
        FIRST.replace("name: Pool", "name: Clinic ID")
        .replace("name: Swimmer", "name: Patient ID")
        .replace("name: Day", "name: Attendance Date")
    )
    assert labels_of([health]) == OURS
    assert labels_of([swims, health]) == OURS
    assert labels_of([swims]).heading("Clinic name") == "Pool name"
