"""Triggers and combinations as whoever reads a configuration reads them."""

from __future__ import annotations

import pytest

from core.engine.dataset.specification import Specification, load_specification
from core.engine.tariff.configuration import Combination, Currency
from core.engine.tariff.sentences import NEVER, combination_sentence, currency_sentence
from tests.small_dataset import DATA


def currency(*triggers: str) -> Currency:
    rates = {"primary": "1.00", "additional": "1.00"}
    return Currency.model_validate(
        {"code": "X", **rates, "cross_charge": "full", "triggers": triggers}
    )


@pytest.mark.parametrize(
    ("triggers", "told"),
    [
        ([], NEVER),
        (["SHHAPT = C16"], "SHHAPT has C16 (Mycoplasma genitalium)."),
        (["Gender = 1"], "Gender is 1 (Male)."),
        (["LSOA = E01004198"], "LSOA is E01004198."),
        (
            ["SHHAPT = C16 AND NOT SHHAPT = C12 AND NOT Gender = 1", "SHHAPT = C7"],
            "SHHAPT has C16 (Mycoplasma genitalium) and SHHAPT has no C12 (Molluscum contagiosum)"
            " and Gender is not 1 (Male); or SHHAPT has C7 (Anogenital candidosis).",
        ),
        (
            ["SHHAPT = C16", "SHHAPT = C12", "SHHAPT = C7", "Gender = 1", "Gender = 1"],
            "SHHAPT has C16 (Mycoplasma genitalium), C12 (Molluscum contagiosum) or"
            " C7 (Anogenital candidosis); or Gender is 1 (Male); or Gender is 1 (Male).",
        ),
        (
            ["SHHAPT = C16 AND NOT Gender = 1", "SHHAPT = C7 AND NOT Gender = 1"],
            "SHHAPT has C16 (Mycoplasma genitalium) or C7 (Anogenital candidosis),"
            " and Gender is not 1 (Male).",
        ),
        (  # neither of the one differs from the other in a code that is asked for
            ["SHHAPT = C7 AND NOT Gender = 1", "SHHAPT = C7 AND NOT Gender = 2"],
            "SHHAPT has C7 (Anogenital candidosis) and Gender is not 1 (Male);"
            " or SHHAPT has C7 (Anogenital candidosis) and Gender is not 2 (Female).",
        ),
        (
            ["SHHAPT = C7 AND Gender = 1", "SHHAPT = C16 AND Gender = 2"],
            "SHHAPT has C7 (Anogenital candidosis) and Gender is 1 (Male);"
            " or SHHAPT has C16 (Mycoplasma genitalium) and Gender is 2 (Female).",
        ),
    ],
)
def test_when_a_currency_is_charged(
    triggers: list[str], told: str, specification: Specification
) -> None:
    assert currency_sentence(currency(*triggers), specification) == told


@pytest.mark.parametrize(
    ("members", "results", "told"),
    [
        (["T2", "T4"], ["T4"], "Where T2 and T4 come together, T4 is charged in their place."),
        (["T1", "T2", "T3"], ["A", "B"],
         "Where T1, T2 and T3 come together, A and B are charged in their place."),
        (["T1", "T1"], ["T2"], "Where T1 is charged, T2 is charged in its place."),
        (["T1", "T2"], [], "Where T1 and T2 come together, nothing is charged in their place."),
    ],
)  # fmt: skip
def test_what_a_combination_does(members: list[str], results: list[str], told: str) -> None:
    combination = Combination.model_validate({"if": members, "then": results})
    assert combination_sentence(combination) == told


def test_fields_are_called_by_their_titles_and_what_comes_together_is_said() -> None:
    two = load_specification(DATA / "two-layouts.yaml")
    sentence = currency_sentence(
        currency("Activity = 22298006 WITH Site = R WITH Result = P AND NOT Activity = T4"), two
    )
    assert sentence == (
        "What was done has 22298006 (Test one) with Site R (Rectal) and Result P (Positive) "
        "and What was done has no T4 (Full screen)."
    )
    either = currency_sentence(currency("Activity = T1", "Activity = T2"), two)
    assert either == "What was done has T1 (Test one) or T2 (Test two)."
    apart = currency_sentence(currency("Activity = T1 WITH Site = R", "Activity = T2"), two)
    assert "; or " in apart
