"""How the portal writes dates, money, counts and what users typed."""

from __future__ import annotations

import datetime as dt

import pytest

from portal import words

SUMMER = dt.timezone(dt.timedelta(hours=1))


def test_dates_and_times_are_written_out_in_utc() -> None:
    time = dt.datetime(2017, 4, 4, 0, 5, 9, tzinfo=SUMMER)
    assert words.day(dt.date(2017, 4, 3)) == "3 April 2017"
    assert words.month(dt.date(2017, 4, 3)) == "April 2017"
    assert words.moment(time) == "3 April 2017, 23:05"
    assert words.instant(time) == "3 April 2017, 23:05:09"


@pytest.mark.parametrize(
    ("pence", "said"), [(123_456, "£1,234.56"), (0, "£0.00"), (-5, "-£0.05"), (100, "£1.00")]
)
def test_money(pence: int, said: str) -> None:
    assert words.pounds(pence) == said


def test_counts_and_names() -> None:
    assert words.count(1, "record") == "1 record"
    assert words.count(12_000, "record") == "12,000 records"
    assert words.named("T2", "T2 Chlamydia") == "T2 Chlamydia"
    assert words.named("STIB", "STI Intervention B") == "STIB STI Intervention B"
    assert words.named("X", None) == "X"


def test_nothing_that_users_typed_is_markup() -> None:
    assert words.plain("a_b *c* [d](e) $f$ <g>") == r"a_b \*c\* \[d\](e) \$f\$ \<g>"


def test_a_label_is_read_aloud_as_it_stands() -> None:
    label = "SHHAPT 1: T4A of Episode_Activity (a), 100%; 1.5 - 2"
    assert words.plain(label) == label


def test_no_line_begins_markup_however_it_ends() -> None:
    for end in ("\n", "\r", "\r\n"):
        assert words.plain(f"a{end}# b{end}\tc") == "a\n\\# b\nc"


def test_the_place_of_a_line_is_copied_as_it_stands() -> None:
    assert words.plain("tariff.yaml:12, at 10:30") == "tariff.yaml:12, at 10:30"
