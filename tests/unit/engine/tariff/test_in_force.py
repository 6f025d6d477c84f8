"""Which tariff serves a month."""

from __future__ import annotations

import datetime as dt

import pytest

from core.engine.tariff.configuration import Status
from core.engine.tariff.in_force import Holding, holding_in_force
from core.engine.tariff.months import Month


def held(first: str, last: str, *, status: str = "live", tariff: str = "one") -> Holding:
    return Holding(
        tariff, Status(status), dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    )


def serving(month: str, *holdings: Holding) -> int | str | None:
    """The name of what serves, whatever the order in which they stand."""
    first = Month.parse(month).first
    answers = {
        each.tariff if each else None
        for order in (holdings, holdings[::-1])
        for each in [holding_in_force(order, first)]
    }
    [answer] = answers
    return answer


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2017-04-01", "2017-06-30", ["2017-04", "2017-05", "2017-06"]),
        ("2017-04-30", "2017-06-01", ["2017-04", "2017-05", "2017-06"]),
        ("2017-05-10", "2017-05-12", ["2017-05"]),
    ],
)
def test_a_tariff_serves_every_month_of_which_it_covers_a_day(
    first: str, last: str, months: list[str]
) -> None:
    one = held(first, last)
    served = [f"2017-{number:02}" for number in range(1, 13) if serving(f"2017-{number:02}", one)]
    assert served == months


@pytest.mark.parametrize(
    ("status", "found"), [("draft", None), ("shadow", "one"), ("live", "one"), ("archived", "one")]
)
def test_a_draft_is_never_used(status: str, found: str | None) -> None:
    assert serving("2017-05", held("2017-04-01", "2018-03-31", status=status)) == found


def test_nothing_serves_where_nothing_holds() -> None:
    assert serving("2017-05") is None


def test_where_two_meet_in_a_month_the_earlier_serves_the_whole_of_it() -> None:
    earlier = held("2017-04-01", "2017-09-14", tariff="earlier")
    later = held("2017-09-15", "2018-03-31", tariff="later")
    assert serving("2017-09", earlier, later) == "earlier"
    assert serving("2017-10", earlier, later) == "later"


@pytest.mark.parametrize("charging", ["live", "archived"])
def test_a_shadow_serves_only_where_nothing_that_charges_does(charging: str) -> None:
    charges = held("2017-06-20", "2017-07-02", status=charging, tariff="charges")
    shadow = held("2017-04-01", "2018-03-31", status="shadow", tariff="shadow")
    months = ["2017-05", "2017-06", "2017-07", "2017-08"]
    answers = [serving(month, charges, shadow) for month in months]
    assert answers == ["shadow", "charges", "charges", "shadow"]
