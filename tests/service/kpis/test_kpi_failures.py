"""What was not measured, or not tried, waits for an operator and is done once it is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.database import tables
from core.events.failures import Failure, list_failures
from core.events.outbox import read_event
from core.kpis.catalogue import write_kpi
from core.kpis.definitions import Kpi
from core.kpis.failing import fail_measuring, resolve_measuring
from core.kpis.trials import ask_for_trial, get_trial
from core.operations.retrying import retry
from core.submissions.event_names import names_of_run
from core.support.faults import Fault
from core.vocabulary.event_catalogue import KpisRequested, KpiTrialRequested
from core.vocabulary.failure_kinds import FailureKind
from deployments.giving_up import give_up
from tests.service.month import visit

if TYPE_CHECKING:
    from tests.service.month import Service

STOPPED = Fault("It stopped 3 times without a word", attempts=3)
QUERY = "SELECT count(*) AS numerator, 0 AS denominator FROM charges"
TRIED = Kpi(kpi="tried", title="Tried", description="On a draft.", sql=QUERY)


@pytest.fixture
def run_id(service: Service) -> int:
    month = service.month()
    service.ready(month, visit(1, "T4"))
    return service.run(month, "draft")


def waiting(service: Service) -> list[Failure]:
    with service.engine.connect() as connection:
        return list_failures(connection, EVERYTHING)


def newest(service: Service, name: str) -> Any:
    events = tables.events
    query = sa.select(events).where(events.c.name == name).order_by(events.c.id.desc()).limit(1)
    with service.engine.connect() as connection:
        row = connection.execute(query).one()
    return row.id, read_event(row.name, row.payload)


def test_a_run_that_was_not_measured_is_asked_for_until_it_is(
    service: Service, run_id: int
) -> None:
    for _ in range(2):
        with service.engine.begin() as connection:
            reference = fail_measuring(connection, names_of_run(connection, run_id), STOPPED)
    [failure] = waiting(service)
    assert (failure.kind, failure.reference, failure.attempts) == (
        FailureKind.MEASURING,
        reference,
        6,
    )
    with service.engine.begin() as connection:
        retry(connection, reference, user_id=service.dev)
    _, asked = newest(service, KpisRequested.name)
    assert (asked.run_id, asked.provider) == (run_id, "ZX1")
    with service.engine.begin() as connection:
        resolve_measuring(connection, run_id)
    assert waiting(service) == []


def test_a_trial_that_stopped_says_so_and_can_be_tried_again(service: Service, run_id: int) -> None:
    with service.engine.begin() as connection:
        kpi_id = write_kpi(connection, "sexual-health", TRIED)
        trial_id = ask_for_trial(connection, kpi_id, run_id, user_id=service.amira)
    before, asked = newest(service, KpiTrialRequested.name)
    with service.engine.begin() as connection:
        reference = give_up(asked, connection, STOPPED)
        trial = get_trial(connection, EVERYTHING, trial_id)
    assert trial.done
    assert (
        trial.failure == f"The trial stopped. Try again, or tell support the reference {reference}."
    )
    [failure] = waiting(service)
    assert (failure.kind, failure.title) == (FailureKind.TRIAL, "trial of tried on ZX1 2017-04")
    with service.engine.begin() as connection:
        retry(connection, reference, user_id=service.dev)
        assert not get_trial(connection, EVERYTHING, trial_id).done
    again, same = newest(service, KpiTrialRequested.name)
    assert again > before
    assert same == asked
    assert waiting(service) == []
