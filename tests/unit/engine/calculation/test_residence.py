"""A charge names the authority of its month and the one that stands in its place today."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from core.engine.areas.register import AreaRegister
from core.engine.calculation.stages import Terms, calculate
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Commissioner, Configuration
from tests.unit.engine.calculation.test_episodes import records
from tests.unit.engine.calculation.test_stages import HOST, visit

ALLERDALE, CUMBERLAND, LIVED = "E07000026", "E06000063", "E01019126"
SENTENCE = (
    " In April 2017 the residence lay in Allerdale (E07000026); "
    "Cumberland (E06000063) stands in its place today."
)


APRIL_2017, APRIL_2024 = dt.date(2017, 4, 1), dt.date(2024, 4, 1)


def charges(
    configuration: Configuration, specification: Specification, month: dt.date
) -> dict[object, tuple[object, str]]:
    """Commissioner and reason by patient: 1 lives in what was Allerdale, 2 in the City."""
    found = calculate(
        records(
            visit("T2", LSOA=LIVED, Patient_ID="1"), visit("T2", LSOA="E01000001", Patient_ID="2")
        ),
        Terms(
            specification,
            configuration,
            provider="ZX1",
            hosts={"A": HOST},
            register=AreaRegister.shipped().as_of(month),
        ),
    ).charges.to_pylist()
    return {line["patient_id"]: (line["commissioner"], line["reason"]) for line in found}


@pytest.fixture
def two_authorities(configuration: Configuration) -> Configuration:
    return configuration.model_copy(update={"commissioners": {"E09000030": Commissioner()}})


def test_the_authority_of_today_pays_and_the_one_of_then_is_named(
    two_authorities: Configuration, specification: Specification
) -> None:
    found = charges(two_authorities, specification, APRIL_2017)
    assert found["1"][0] == CUMBERLAND
    assert found["1"][1].endswith(SENTENCE)
    assert found["2"][0] == "E09000001"
    assert "stands in its place" not in found["2"][1]


def test_nothing_is_said_of_a_month_after_the_change(
    two_authorities: Configuration, specification: Specification
) -> None:
    assert "stands in its place" not in charges(two_authorities, specification, APRIL_2024)["1"][1]


def test_a_configuration_of_its_time_names_the_authorities_of_its_time(
    configuration: Configuration, specification: Specification
) -> None:
    of_then = configuration.model_copy(update={"commissioners": {ALLERDALE: Commissioner()}})
    commissioner, reason = charges(of_then, specification, APRIL_2017)["1"]
    assert commissioner == ALLERDALE
    assert reason.endswith(SENTENCE)


def test_districts_are_followed_through_several_changes() -> None:
    register = AreaRegister.shipped()
    taunton = pa.array(["E01029258"])
    steps = {
        dt.date(2019, 3, 31): ["E07000190"],
        dt.date(2019, 4, 1): ["E07000246"],
        dt.date(2023, 3, 31): ["E07000246"],
        dt.date(2023, 4, 1): [None],
    }
    assert {day: register.as_of(day).formerly(taunton).to_pylist() for day in steps} == steps
    assert register.formerly(taunton).to_pylist() == [None]
    assert register.stands_for("E07000190") == register.successors["E07000190"] == "E06000066"
