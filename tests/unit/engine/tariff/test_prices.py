from __future__ import annotations

from decimal import Decimal

import pytest

from core.engine.tariff.configuration import Commissioner, Configuration, Provider
from core.engine.tariff.money import Money, multiplied, shortest
from core.engine.tariff.prices import factor_of, primary_ranks


@pytest.mark.parametrize(
    ("rate", "factor", "amount"),
    [
        ("44.57", "1.17", "52.15"),  # published
        ("28.18", "1.17", "32.97"),  # published
        ("239.63", "1.17", "280.37"),
        ("17.68", "1.17", "20.69"),
        ("0.50", "0.01", "0.01"),  # half a penny goes up
        ("1.50", "0.01", "0.02"),
        ("2.50", "0.01", "0.03"),  # and not to the even penny
        ("100.00", "0", "0.00"),
        ("0.00", "1.17", "0.00"),
    ],
)
def test_a_line_is_rounded_half_up_to_the_penny(rate: str, factor: str, amount: str) -> None:
    assert Money(multiplied(Money.parse(rate), Decimal(factor))).plain == amount


@pytest.mark.parametrize(
    ("given", "text"),
    [("1.17", "1.17"), ("1.17000", "1.17"), ("1", "1"), ("1.000", "1"), ("10", "10"), ("0", "0"),
     ("1E+1", "10"), ("0.00005", "0.00005")],
)  # fmt: skip
def test_a_factor_is_told_in_the_shortest_decimal(given: str, text: str) -> None:
    assert shortest(Decimal(given)) == text


def with_factors(
    configuration: Configuration, provider: str | None, host: str | None
) -> Configuration:
    return configuration.model_copy(
        update={
            "providers": {"P": Provider(factor=provider and Decimal(provider))},
            "commissioners": {"H": Commissioner(geo_weighting=host and Decimal(host))},
        }
    )


@pytest.mark.parametrize(
    ("provider", "host", "factor"),
    [
        ("1.17", "1.05", "1.17"),
        ("0", "1.05", "0"),
        (None, "1.05", "1.05"),
        (None, None, "1"),
        ("1.17", None, "1.17"),
    ],
)
def test_the_provider_comes_before_the_host(
    provider: str | None, host: str | None, factor: str, configuration: Configuration
) -> None:
    assert factor_of(with_factors(configuration, provider, host), "P", "H") == Decimal(factor)


def test_a_host_that_does_not_take_part_has_no_weighting(configuration: Configuration) -> None:
    assert factor_of(with_factors(configuration, None, "1.05"), "P", "elsewhere") == 1


def test_the_highest_primary_rate_comes_first_and_of_equals_the_first_listed(
    configuration: Configuration,
) -> None:
    ranks = primary_ranks(configuration)
    rates = [currency.primary for currency in configuration.currencies]
    in_order = sorted(range(len(rates)), key=lambda place: ranks[place])
    assert in_order == sorted(range(len(rates)), key=lambda place: (-rates[place], place))
