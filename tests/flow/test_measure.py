"""A month is measured a moment after it was run; an indicator is tried and published."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.database import tables
from core.kpis.catalogue import get_kpi, publish_kpi, published_kpis, write_kpi
from core.kpis.definitions import Kpi
from core.kpis.results import Result, results_of
from core.kpis.trials import ask_for_trial, get_trial
from tests.small_month import small_month

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.flow.conftest import Until

DATASET = "sexual-health"
MONTH = dt.date(2018, 2, 1)


def kpi(name: str, sql: str) -> Kpi:
    return Kpi(kpi=name, title="Tried", description="On a month.", sql=sql)


@pytest.fixture(scope="module")
def run_id(populated: Engine, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A draft of a small month."""
    month = small_month(populated, tmp_path_factory.mktemp("files"), MONTH, "draft")
    query = sa.select(tables.submissions.c.run_id).where(
        tables.submissions.c.id == month.submission_id
    )
    with populated.connect() as connection:
        return int(connection.execute(query).scalar_one())


def figures(engine: Engine) -> dict[str, Result]:
    with engine.connect() as connection:
        results = results_of(connection, EVERYTHING, ["ZX1"])
    return {each.kpi.kpi: each for each in results if each.month == MONTH}


def test_every_indicator_of_a_month_that_was_run(
    populated: Engine, run_id: int, until: Until
) -> None:
    until(lambda: len(figures(populated)) >= 15)
    found = figures(populated)
    assert {each.failure for each in found.values()} == {None}
    with populated.connect() as connection:
        run = connection.execute(sa.select(tables.runs).where(tables.runs.c.id == run_id)).one()
    cost = found["charge-per-episode"]
    assert cost.numerator is not None
    assert (cost.numerator * 100, cost.denominator) == (run.amount_pence, run.episodes)


def test_a_new_indicator_is_tried_then_published_for_past_months_too(
    populated: Engine, run_id: int, until: Until
) -> None:
    good = kpi("all-of-all", "SELECT count(*) AS numerator, count(*) AS denominator FROM episodes")
    bad = kpi("for-ever", "SELECT pg_sleep(1)::text AS numerator, 1 AS denominator")
    with populated.begin() as connection:
        user = connection.execute(sa.select(sa.func.min(tables.users.c.id))).scalar_one()
        ids = [write_kpi(connection, DATASET, each) for each in (good, bad)]
        trials = [ask_for_trial(connection, each, run_id, user_id=user) for each in ids]

    def done() -> bool:
        with populated.connect() as connection:
            return all(get_trial(connection, EVERYTHING, trial).done for trial in trials)

    until(done)
    with populated.begin() as connection:
        first, second = (get_trial(connection, EVERYTHING, trial) for trial in trials)
        assert first.failure is None
        assert first.numerator == first.denominator
        assert "must be a number" in str(second.failure)
        assert get_kpi(connection, ids[0]).state == "draft"
        publish_kpi(connection, ids[0])
        assert ids[0] in [each.id for each in published_kpis(connection, DATASET)]

    until(lambda: run_id in measured_again(populated, ids[0]))


def measured_again(engine: Engine, kpi_id: int) -> set[int]:
    """The runs that are to be measured since the indicator was published."""
    events = tables.events
    published = (
        sa.select(events.c.id)
        .where(events.c.name == "kpi.published", events.c.payload["kpi_id"].as_integer() == kpi_id)
        .scalar_subquery()
    )
    wanted = sa.select(events.c.payload["run_id"].as_integer()).where(
        events.c.name == "kpis.requested", events.c.id > published
    )
    with engine.connect() as connection:
        return set(connection.execute(wanted).scalars())
