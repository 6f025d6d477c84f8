from __future__ import annotations

import pytest

from core.engine.dataset.specification import Specification, load_specification
from core.engine.tariff.statements import Asked, Condition, StatementError, parse_statement
from tests.small_dataset import DATA


def test_a_statement_has_positive_and_negative_conditions(specification: Specification) -> None:
    text = (
        "Contr. Main Method Status = 3 AND Contraceptive Main Method = 4"
        " AND NOT SRH Care Activity = 20"
    )
    statement = parse_statement(text, specification)
    assert statement.positive == (
        Condition("Contr. Main Method Status", "3"),
        Condition("Contraceptive Main Method", "4"),
    )
    assert statement.negative == (Condition("SRH Care Activity", "20", negated=True),)
    assert str(statement) == text


def test_a_condition_may_follow_a_negative_one(specification: Specification) -> None:
    text = "SHHAPT = T2 AND NOT SHHAPT = T4 AND Gender = 1"
    assert str(parse_statement(text, specification)) == text


@pytest.mark.parametrize(
    ("written", "listed"),
    [
        ("SHHAPT = t2", "SHHAPT = T2"),
        ("SRH Care Activity = 01", "SRH Care Activity = 1"),
        ("Consultation Medium Used = 1", "Consultation Medium Used = 01"),
        ("SHHAPT=T2", "SHHAPT = T2"),
    ],
)
def test_codes_are_spelled_as_listed(
    written: str, listed: str, specification: Specification
) -> None:
    assert str(parse_statement(written, specification)) == listed


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NOT SHHAPT = T2", "NOT alone"),
        ("NOT SHHAPT = T2 AND NOT SHHAPT = T4", "NOT alone"),
        ("NOT SHHAPT = T2 AND SHHAPT = T4", "begins with NOT"),
        ("SHAPT = T2", "no field 'SHAPT'; did you mean 'SHHAPT'"),
        ("SHHAPT 1 = T2", "'SHHAPT 1' is one slot"),
        ("SHHAPT = C99", "'C99' is not a code of SHHAPT"),
        ("SHHAPT = T2 and SHHAPT = T4", "AND in capitals"),
        ("SHHAPT", "is not `FIELD = CODE`"),
        ("", "is not `FIELD = CODE`"),
        ("SHHAPT = ", "is not `FIELD = CODE`"),
        ("SHHAPT = T2 AND ", "is not `FIELD = CODE`"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_the_reason(
    text: str, reason: str, specification: Specification
) -> None:
    with pytest.raises(StatementError) as refused:
        parse_statement(text, specification)
    assert reason in str(refused.value)


TWO: Specification = load_specification(DATA / "two-layouts.yaml")


def test_with_binds_tightest_and_not_negates_the_whole_condition() -> None:
    text = "Activity = T1 WITH Site = r WITH Result = P AND NOT Activity = 404684003 WITH Site = O"
    statement = parse_statement(text, TWO)
    assert statement.positive == (
        Condition(
            "Activity", "T1", group="activity", together=(Asked("Site", "R"), Asked("Result", "P"))
        ),
    )
    assert statement.negative == (
        Condition(
            "Activity", "404684003", negated=True, group="activity", together=(Asked("Site", "O"),)
        ),
    )
    assert str(statement) == text.replace("= r ", "= R ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Medium = 01 WITH Site = R", "'Medium' is in no group; write AND"),
        ("Activity = T1 WITH Age = 16", "'Age' is in no group; write AND"),
        ("Activity = T1 WITH Drug = A", "of 'activity' and 'Drug' of 'treatment'; write AND"),
        ("Activity = T1 WITH NOT Site = R", "put NOT before the whole condition"),
        ("Activity = T1 WITH Activity = T2", "a record has one Activity"),
        ("Activity = T1 WITH Site = R WITH Site = R", "a record has one Site"),
        ("Activity = T1 WITH Site", "'Site' is not `FIELD = CODE`"),
        ("Activity = T1 WITH", "is not a code of Activity"),
        ("Activity = T1 WITH Seit = R", "did you mean 'Site'"),
        ("Activity = T1 with Site = R", "write WITH in capitals"),
        ("Activity = 22298007", "(list activity, SNOMED CT, map activity_of_snomed)"),
        ("NOT Activity = T1 WITH Site = R", "a statement of NOT alone"),
    ],
)
def test_a_wrong_with_is_refused_with_its_reason(text: str, words: str) -> None:
    with pytest.raises(StatementError) as refused:
        parse_statement(text, TWO)
    assert words in str(refused.value)
