"""The published examples, from records to charges."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from core.engine.areas.register import AreaRegister
from core.engine.calculation.stages import CHARGES_SCHEMA, Terms, calculate, require_in_force
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Combination, Configuration, Currency, Provider
from core.engine.tariff.money import Money
from core.user_errors import UserError
from tests.unit.engine.calculation.test_episodes import Row, records

PARTICIPATING, ELSEWHERE, HOST = "E09000030", "E08000035", "E09000012"
REGISTER = AreaRegister(
    pa.array(["E01000001", "E01000002"]),
    pa.array([PARTICIPATING, ELSEWHERE]).dictionary_encode(),
    pa.nulls(2, pa.date32()),
)
HOME, AWAY, UNKNOWN = "E01000001", "E01000002", "X99999999"
VISIT: Row = {
    "Clinic ID": "A", "Patient ID": "1", "Attendance Date": "2017-04-01", "LSOA": HOME,
}  # fmt: skip


def visit(*codes: str, **other: str) -> Row:
    slots: Row = {f"SHHAPT {slot}": code for slot, code in enumerate(codes, start=1)}
    return VISIT | slots | {name.replace("_", " "): value for name, value in other.items()}


def charges(
    configuration: Configuration, specification: Specification, *rows: Row
) -> list[dict[str, object]]:
    found = calculate(
        records(*rows),
        Terms(
            specification,
            configuration,
            provider="ZX1",
            hosts={"A": HOST},
            register=REGISTER,
        ),
    ).charges
    assert found.schema == CHARGES_SCHEMA
    return [
        row | {"rate": Money(row["rate"]).plain, "amount": Money(row["amount"]).plain}
        for row in found.to_pylist()
    ]


def with_factor(configuration: Configuration, factor: str | None) -> Configuration:
    given = Provider(factor=None if factor is None else Decimal(factor))
    return configuration.model_copy(update={"providers": {"ZX1": given}})


@pytest.mark.parametrize(
    ("codes", "factor", "amounts"),
    [
        (["T2"], "1", {"T2": "44.57"}),
        (["T2"], "1.17", {"T2": "52.15"}),
        (["T2", "C4"], "1", {"T2": "44.57", "STIA": "17.68"}),
        (["A1", "T2", "C4"], "1", {"STIC": "239.63", "T2": "28.18", "STIA": "17.68"}),
        (["A1", "T2", "C4"], "1.17", {"STIC": "280.37", "T2": "32.97", "STIA": "20.69"}),
    ],
)
def test_the_published_rates_are_charged(
    codes: list[str],
    factor: str,
    amounts: dict[str, str],
    configuration: Configuration,
    specification: Specification,
) -> None:
    found = charges(with_factor(configuration, factor), specification, visit(*codes))
    assert {row["currency"]: row["amount"] for row in found} == amounts


def test_lines_are_rounded_each_on_its_own(
    configuration: Configuration, specification: Specification
) -> None:
    found = charges(configuration, specification, visit("A1", "T2", "C4"))
    assert sum(Decimal(str(row["amount"])) for row in found) == Decimal("334.03")


def test_the_highest_primary_rate_is_primary_and_every_other_additional(
    configuration: Configuration, specification: Specification
) -> None:
    found = charges(configuration, specification, visit("T2", "C4", "A1"))
    assert [(row["currency"], row["rate_type"]) for row in found] == [
        ("T2", "additional"), ("STIA", "additional"), ("STIC", "primary"),
    ]  # fmt: skip


def test_a_currency_is_charged_once_and_also_where_it_costs_nothing(
    configuration: Configuration, specification: Specification
) -> None:
    found = charges(configuration, specification, visit("H", "H2", "H"))
    assert [(row["currency"], row["amount"]) for row in found] == [("HIV", "0.00")]


def test_a_weighting_of_the_clinics_host_counts_where_the_provider_has_no_factor(
    configuration: Configuration, specification: Specification
) -> None:
    found = charges(with_factor(configuration, None), specification, visit("T4"))
    assert [(row["factor"], row["amount"]) for row in found] == [("1.02", "87.72")]


def test_the_reason_tells_statement_combination_and_rate(
    configuration: Configuration, specification: Specification
) -> None:
    found = charges(configuration, specification, visit("T2", "P1A", "C4"))
    assert {row["currency"]: row["reason"] for row in found} == {
        "T4": "T2 (SHHAPT = T2) and T7 (SHHAPT = P1A) were replaced by T4 (combination: if T2 and"
        " T7 then T4). Highest primary rate of the episode, so primary.",
        "STIA": "SHHAPT = C4 fired STIA. T4 has the highest primary rate, so additional.",
    }


def test_a_chain_of_combinations_is_told_step_by_step(
    configuration: Configuration, specification: Specification
) -> None:
    (found,) = charges(configuration, specification, visit("T2", "T7", "T4"))
    assert found["reason"] == (
        "T2 (SHHAPT = T2) and T4 (SHHAPT = T4) were replaced by T4 (combination: if T2 and T4 then"
        " T4). T7 (SHHAPT = T7) and T4 were replaced by T4 (combination: if T7 and T4 then T4)."
        " Only currency of the episode, so primary."
    )


def test_the_first_statement_that_holds_is_told(
    configuration: Configuration, specification: Specification
) -> None:
    (found,) = charges(configuration, specification, visit("P1A", "T7"))
    assert str(found["reason"]).startswith("SHHAPT = T7 fired T7.")


def equal_rates(configuration: Configuration, codes: list[str]) -> Configuration:
    currencies = tuple(
        Currency(
            code=code, primary="10.00", additional="2.00", cross_charge="full",
            triggers=(f"SHHAPT = {code}",),
        )
        for code in codes
    )  # fmt: skip
    return configuration.model_copy(update={"currencies": currencies, "combinations": ()})


def test_of_equal_primary_rates_the_first_listed_is_primary(
    configuration: Configuration, specification: Specification
) -> None:
    for codes in (["T1", "T2"], ["T2", "T1"]):
        first, second = charges(equal_rates(configuration, codes), specification, visit("T1", "T2"))
        assert (first["currency"], first["rate_type"]) == (codes[0], "primary")
        assert (second["currency"], second["rate_type"]) == (codes[1], "additional")
        assert "Among equal primary rates listed first" in str(first["reason"])
        assert f"{codes[0]} has the same primary rate and is listed first" in str(second["reason"])


def test_more_currencies_than_a_word_has_bits(
    configuration: Configuration, specification: Specification
) -> None:
    codes = list(specification.code_lists["shhapt"])
    assert len(codes) > 64
    found = charges(equal_rates(configuration, codes), specification, visit(codes[0], codes[-1]))
    assert [row["currency"] for row in found] == [codes[0], codes[-1]]


@pytest.mark.parametrize(
    ("cross_charge", "home", "expected"),
    [
        ("full", HOME, (PARTICIPATING, "resident", "12.29")),
        ("full", UNKNOWN, (HOST, "host", "12.29")),
        ("full", AWAY, (ELSEWHERE, "resident", "12.29")),
        ("local_unlimited", HOME, (PARTICIPATING, "resident", "12.29")),
        ("local_unlimited", UNKNOWN, (HOST, "host", "12.29")),
        ("local_unlimited", AWAY, (None, "none", "0.00")),
        ("local_limited", HOME, (PARTICIPATING, "resident", "12.29")),
        ("local_limited", UNKNOWN, (None, "none", "0.00")),
        ("local_limited", AWAY, (None, "none", "0.00")),
        ("none", HOME, (HOST, "host", "12.29")),
        ("none", UNKNOWN, (HOST, "host", "12.29")),
        ("none", AWAY, (HOST, "host", "12.29")),
    ],
)
def test_who_pays(
    cross_charge: str,
    home: str,
    expected: tuple[str | None, str, str],
    configuration: Configuration,
    specification: Specification,
) -> None:
    one = equal_rates(configuration, ["T2"])
    one = one.model_copy(
        update={
            "currencies": (
                one.currencies[0].model_copy(
                    update={"cross_charge": cross_charge, "primary": 1050}
                ),
            )
        }
    )
    (found,) = charges(one, specification, visit("T2", LSOA=home))
    assert (found["commissioner"], found["basis"], found["amount"]) == expected


def test_a_line_that_nobody_pays_can_hold_the_primary_place(
    configuration: Configuration, specification: Specification
) -> None:
    found = charges(configuration, specification, visit("T2", LSOA=AWAY, SRH_Care_Activity_1="12"))
    assert [(row["currency"], row["rate_type"], row["amount"], row["basis"]) for row in found] == [
        ("T2", "additional", "32.97", "resident"),
        ("PSY", "primary", "0.00", "none"),
    ]
    assert str(found[1]["reason"]).endswith(
        "Nobody pays: E08000035 does not take part, and PSY is charged to participating "
        "authorities only."
    )


def test_test_result_and_treatment_on_one_date_are_one_episode(
    configuration: Configuration, specification: Specification
) -> None:
    """Published: all is recorded on the day of the test; a new diagnosis has its own day."""
    day = {"Attendance_Date": "2017-04-28"}
    found = charges(
        configuration,
        specification,
        visit("T4", **day),
        visit("T4", "C4", **day),
        visit("C11A", Attendance_Date="2017-05-05"),
    )
    assert [(row["attendance_date"], row["currency"], row["rate_type"]) for row in found] == [
        ("2017-04-28", "T4", "primary"),
        ("2017-04-28", "STIA", "additional"),
        ("2017-05-05", "STIB", "primary"),
    ]


def test_an_empty_result_takes_the_charges_away(
    configuration: Configuration, specification: Specification
) -> None:
    nothing = configuration.model_copy(
        update={"combinations": (Combination(members=("T2", "STIA"), results=()),)}
    )
    assert charges(nothing, specification, visit("T2", "C4")) == []


def test_no_records_make_no_charges(
    configuration: Configuration, specification: Specification
) -> None:
    empty = calculate(
        records(VISIT).slice(0, 0),
        Terms(
            specification,
            configuration,
            provider="ZX1",
            hosts={},
            register=REGISTER,
        ),
    )
    assert empty.charges == CHARGES_SCHEMA.empty_table()


def test_a_clinic_without_host_is_named(
    configuration: Configuration, specification: Specification
) -> None:
    with pytest.raises(UserError, match="clinic B"):
        charges(configuration, specification, visit("T2", Clinic_ID="B"))


@pytest.mark.parametrize(
    ("status", "provider", "month", "words"),
    [
        ("draft", "ZX1", "2017-04", "is a draft"),
        ("live", "ZX9", "2017-04", "its providers are: ZX1, ZX2"),
        ("live", "ZX1", "2018-04", "from 2017-04-01 to 2018-03-31, not in 2018-04"),
    ],
)
def test_a_configuration_that_does_not_serve_the_month_is_refused(
    status: str, provider: str, month: str, words: str, configuration: Configuration
) -> None:
    one = configuration.model_copy(update={"status": status})
    with pytest.raises(UserError) as refused:
        require_in_force(one, provider, datetime.date.fromisoformat(f"{month}-01"))
    assert words in str(refused.value)


def test_an_archived_configuration_serves_its_own_months(configuration: Configuration) -> None:
    one = configuration.model_copy(update={"status": "archived"})
    require_in_force(one, "ZX1", datetime.date(2018, 3, 1))
