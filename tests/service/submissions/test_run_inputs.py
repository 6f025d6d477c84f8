"""A run that stopped and is taken up again follows one tariff, one set of hosts, one register."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.database import tables
from core.submissions.commands.calculate_month import (
    begin_calculation,
    calculate_charges,
    one_by_one,
)
from core.submissions.commands.run_inputs import load_run
from core.submissions.commands.runs import begin_run
from deployments.demo.run import CONFIGURATION
from tests.service.month import visit

if TYPE_CHECKING:
    from tests.service.month import Service

REGISTER = sa.insert(tables.area_register).values(id=1, version=7, shipped="")


def stopped(service: Service) -> int:
    """A run of which the one chunk is done, and that then stopped."""
    month = service.month()
    service.ready(month, visit(1, "T2"), visit(2, "T4"))
    run_id = service.request(month, "draft")
    context = begin_calculation(service.engine, run_id)
    assert context is not None and context.to_do == (0,)
    calculate_charges(context, one_by_one)
    return run_id


def taken_up(service: Service, run_id: int) -> tuple[set[int], int]:
    """The chunks that are still good, and the charges that are there."""
    with service.engine.begin() as connection:
        done = begin_run(connection, load_run(connection, run_id), flow_run=None)
    charges = sa.select(sa.func.count()).where(tables.charges.c.run_id == run_id)
    return done, service.one(charges)


def test_a_run_that_is_taken_up_with_nothing_changed_keeps_its_chunks(service: Service) -> None:
    assert taken_up(service, stopped(service)) == ({0}, 2)


@pytest.mark.parametrize("changed", ["host", "tariff", "register"])
def test_a_run_begins_from_nothing_where_something_changed(service: Service, changed: str) -> None:
    run_id = stopped(service)
    with service.engine.begin() as connection:
        if changed == "host":
            clinics = tables.clinics
            connection.execute(clinics.update().values(commissioner="E09000012"))
        elif changed == "tariff":
            configurations = tables.configurations
            body = CONFIGURATION.read_text().replace("within_days: 21", "within_days: 22")
            assert body != CONFIGURATION.read_text()
            connection.execute(configurations.update().values(body=body))
        else:
            connection.execute(sa.delete(tables.area_register))
            connection.execute(REGISTER)
    assert taken_up(service, run_id) == (set(), 0)
    for table in (tables.charge_reasons, tables.run_payers, tables.run_chunks):
        assert service.one(sa.select(sa.func.count()).where(table.c.run_id == run_id)) == 0
