"""A specification is refused with the line of every fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.documents import parse_document
from core.engine.dataset.cross_checks import Condition
from core.engine.dataset.specification import Specification, specification_from
from core.engine.offline.checking import References, check_file
from core.user_errors import DocumentError
from tests.small_dataset import DATA, SMALL

TEXT = (DATA / "small.yaml").read_text()


def load(text: str) -> Specification:
    return specification_from(parse_document(text, name="small.yaml"))


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        load(text)
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("Method Status in 1, 2", "Method Stat in 1", 18, "cannot understand 'Method Stat in 1'"),
        ("Method Status in 1, 2", "Method Status in 1, 3", 18, "'3' is not a code"),
        ("Main Method present", "Main Method there", 18, "cannot understand"),
        ("Main Method present", "", 18, "cannot understand ''"),
        ("Main Method blank", "Main Method blank and", 19, "cannot understand"),
        ("aliases: [Clinic]", "aliases: [patient_id]", 7, "would name both"),
        ("aliases: [Clinic]", "aliases: [code2]", 14, "would name both"),
    ],
)
def test_a_fault_is_named_with_its_line(old: str, new: str, line: int, words: str) -> None:
    assert old in TEXT
    (problem,) = problems(TEXT.replace(old, new))
    assert words in problem
    assert problem.startswith(f"small.yaml:{line}: ")


def test_conditions_are_read_with_the_spelling_of_the_list() -> None:
    advice = SMALL.cross_checks[1]
    assert advice.when == (
        Condition(SMALL.by_name["Method Status"], "in", ("4",)),
        Condition(SMALL.by_name["Code"], "not in", ("T4",)),
    )
    assert advice.severity == "error"
    spelt = load(TEXT.replace("Code not in T4", "Code not in t4 , 07"))
    assert spelt.cross_checks[1].when[1].codes == ("T4", "7")


def test_field_names_may_hold_the_words_of_the_grammar() -> None:
    text = TEXT.replace("Main Method", "Born in and out").replace(
        "Born in and out present", "Born in and out in 1, 2 and Age present"
    )
    first, second = load(text).cross_checks[0].expect
    assert (first.field.name, first.kind, first.codes) == ("Born in and out", "in", ("1", "2"))
    assert (second.field.name, second.kind) == ("Age", "present")


def test_a_heading_without_number_is_the_first_slot_unless_it_carries_codes() -> None:
    text = TEXT.replace("transpose_from: [Code, Episode_Activity], ", "")
    assert load(text).known_headings()["code"] == "Code 1"
    assert "code" not in SMALL.known_headings()


def test_what_names_the_episode_is_required_without_a_word(tmp_path: Path) -> None:
    text = TEXT.replace(" required: true,", "").replace(", required: true", "")
    small = load(text)
    assert [field.name for field in small.fields if field.required] == list(small.key_columns)
    for content, code in (
        ("Clinic ID,Patient ID\nC,1\n", "missing-column"),
        ("Clinic ID,Patient ID,Attendance Date\nC,,2017-04-03\n", "missing-value"),
    ):
        path = tmp_path / "a.csv"
        path.write_text(content)
        found = check_file(path, small, References()).errors.to_pylist()
        assert [error["code"] for error in found] == [code]
    (problem,) = problems(TEXT.replace("required: true, max_length: 20", "required: false"))
    assert problem.startswith("small.yaml:7: ")
    assert "the patient names the episode, so it is always required" in problem


OWN = "own; call it otherwise"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("row", OWN),
        ("File", OWN),
        ("File id", OWN),
        ("records", OWN),
        ("Run-ID", OWN),
        ("ctid", OWN),
        ("main-method", "would both be 'main_method' in queries"),
        ("--", "needs a letter or digit"),
        (r"a\tb", "needs a letter or digit"),
        ("x" * 61, "too long"),
        ("ü" * 31, "too long"),
    ],
)
def test_a_name_that_tables_cannot_tell_apart_is_refused(name: str, words: str) -> None:
    added = f'fields:\n  - {{name: "{name}"}}\n'
    (problem,) = problems(TEXT.replace("fields:\n", added, 1))
    assert words in problem
    line = problem.split(":")[1]
    assert name in problem or r"\t" in problem
    assert f'"{name}"' in TEXT.replace("fields:\n", added, 1).splitlines()[int(line) - 1] or (
        "would both" in problem
    )


def test_more_columns_than_a_table_keeps_are_refused() -> None:
    added = "fields:\n  - {name: Many, repeat: 1600}\n"
    assert any("columns" in problem for problem in problems(TEXT.replace("fields:\n", added, 1)))
