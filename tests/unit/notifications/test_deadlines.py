"""When a month is due, and which reminder a day belongs to."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.notifications.deadlines import LATE_WEEKS, stage_of
from core.submissions.months_expected import last_day_for


@pytest.mark.parametrize(
    ("month", "within", "due"),
    [
        (dt.date(2017, 4, 1), 21, dt.date(2017, 5, 21)),
        (dt.date(2017, 4, 1), 0, dt.date(2017, 4, 30)),
        (dt.date(2017, 12, 1), 21, dt.date(2018, 1, 21)),
        (dt.date(2020, 2, 1), 1, dt.date(2020, 3, 1)),
    ],
)
def test_a_month_is_due_so_many_days_after_its_end(
    month: dt.date, within: int, due: dt.date
) -> None:
    assert last_day_for(month, within) == due


@pytest.mark.parametrize(
    ("days_left", "stage"),
    [
        (8, None),
        (7, "7"),
        (3, "7"),
        (2, "2"),
        (1, "2"),
        (0, "0"),
        (-1, "late 0"),
        (-7, "late 0"),
        (-8, "late 1"),
        (-7 * LATE_WEEKS, f"late {LATE_WEEKS - 1}"),
        (-7 * LATE_WEEKS - 1, None),
    ],
)
def test_each_day_belongs_to_one_reminder(days_left: int, stage: str | None) -> None:
    assert stage_of(days_left) == stage


@given(st.integers(-400, 400))
def test_a_reminder_never_comes_back(days_left: int) -> None:
    """Days pass in one direction; a stage that was left is not entered again."""
    stages = [stage_of(day) for day in range(days_left, days_left - 30, -1)]
    runs = [stage for i, stage in enumerate(stages) if i == 0 or stage != stages[i - 1]]
    assert len(runs) == len(set(runs)) or runs[0] is None is runs[-1]
