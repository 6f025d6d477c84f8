"""A month is measured a moment after it was run; an indicator is tried and published."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.database import tables
from core.kpis.catalogue import get_kpi, publish_kpi, published_kpis, write_kpi
from core.kpis.definitions import Kpi
from core.kpis.results import results_of
from core.kpis.trials import ask_for_trial, get_trial

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.flow.conftest import Until

DATASET = "sexual-health"


def kpi(name: str, sql: str) -> Kpi:
    return Kpi(kpi=name, title="Tried", description="On a month.", sql=sql)


def measured(engine: Engine, wanted: Callable[[], int]) -> bool:
    with engine.connect() as connection:
        results = results_of(connection, ["ZX1"])
    return len({each.kpi.kpi for each in results if each.value is not None}) >= wanted()


def test_every_indicator_of_a_month_that_was_run(populated: Engine, until: Until) -> None:
    until(lambda: measured(populated, lambda: 10))
    with populated.connect() as connection:
        results = results_of(connection, ["ZX1"])
        charged = sa.select(sa.func.sum(tables.charges.c.amount_pence)).where(
            tables.charges.c.run_id == latest_run(populated)
        )
        pence = connection.execute(charged).scalar_one()
    assert [each.failure for each in results if each.failure] == []
    [cost] = [each for each in results if each.kpi.kpi == "charge-per-episode"]
    assert cost.numerator is not None
    assert cost.numerator * 100 == pence


def test_a_new_indicator_is_tried_then_published_for_past_months_too(
    populated: Engine, until: Until
) -> None:
    good = kpi("all-of-all", "SELECT count(*) AS numerator, count(*) AS denominator FROM episodes")
    bad = kpi("for-ever", "SELECT pg_sleep(1)::text AS numerator, 1 AS denominator")
    run_id = latest_run(populated)
    with populated.begin() as connection:
        user = connection.execute(sa.select(sa.func.min(tables.users.c.id))).scalar_one()
        ids = [write_kpi(connection, DATASET, each) for each in (good, bad)]
        trials = [ask_for_trial(connection, each, run_id, user_id=user) for each in ids]

    def done() -> bool:
        with populated.connect() as connection:
            return all(get_trial(connection, trial).done for trial in trials)

    until(done)
    with populated.begin() as connection:
        first, second = (get_trial(connection, trial) for trial in trials)
        assert first.failure is None
        assert first.numerator == first.denominator
        assert "must be a number" in str(second.failure)
        assert get_kpi(connection, ids[0]).state == "draft"
        publish_kpi(connection, ids[0])
        assert ids[0] in [each.id for each in published_kpis(connection, DATASET)]

    def there() -> bool:
        with populated.connect() as connection:
            results = results_of(connection, ["ZX1"])
        return any(each.kpi.kpi == "all-of-all" and each.value == 100 for each in results)

    until(there)


def latest_run(engine: Engine) -> int:
    """The published run of the first provider."""
    submissions, organisations = tables.submissions, tables.organisations
    query = (
        sa.select(submissions.c.run_id)
        .join(organisations, organisations.c.id == submissions.c.provider_id)
        .where(organisations.c.code == "ZX1", submissions.c.run_id.is_not(None))
    )
    with engine.connect() as connection:
        return int(connection.execute(query.limit(1)).scalar_one())
