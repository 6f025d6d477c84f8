from __future__ import annotations

import pytest

from core.engine.dataset.specification import Specification
from core.engine.tariff.statements import Condition, StatementError, parse_statement


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
