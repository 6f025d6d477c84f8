"""A million records of one activity are priced about as fast as a million of one episode."""

from __future__ import annotations

import pytest

from benchmarks.layout_speed import main

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_one_row_an_activity_takes_no_more_than_half_as_long_again() -> None:
    assert main(1_000_000, 2) == 0
