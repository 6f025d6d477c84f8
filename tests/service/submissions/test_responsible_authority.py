"""A county pays for its districts, hosts as well; what a run decided stays with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.accounts.clinics import place_clinic
from core.database import tables
from tests.service.month import REGISTER, visit

if TYPE_CHECKING:
    from tests.service.month import Service

EAST_CAMBRIDGESHIRE, CAMBRIDGESHIRE = "E07000009", "E10000003"
ELY = "E01018011"  # an LSOA of East Cambridgeshire


def place(service: Service, host: str) -> None:
    with service.engine.begin() as connection:
        clinics = tables.clinics
        provider = connection.execute(
            sa.select(clinics.c.provider_id).where(clinics.c.clinic_id == "ZX1-A")
        ).scalar_one()
        place_clinic(connection, provider, "ZX1-A", host, register=REGISTER, user_id=service.amira)


def test_the_county_pays_and_hosts(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2", lsoa=ELY), visit(2, "T2", lsoa="X99999999"))
    place(service, EAST_CAMBRIDGESHIRE)
    run_id = service.run(month, "final")
    charges = tables.charges
    reason = tables.charge_reasons
    rows = service.rows(
        sa.select(charges.c.commissioner, charges.c.basis, reason.c.reason)
        .join(
            reason,
            sa.and_(
                reason.c.run_id == charges.c.run_id,
                reason.c.chunk == charges.c.chunk,
                reason.c.reason_id == charges.c.reason_id,
            ),
        )
        .where(charges.c.run_id == run_id)
        .order_by(charges.c.patient_id)
    )
    assert [row[:2] for row in rows] == [(CAMBRIDGESHIRE, "resident"), (CAMBRIDGESHIRE, "host")]
    assert "The residence lies in East Cambridgeshire (E07000009), for which" in rows[0].reason
    assert "The clinic lies in East Cambridgeshire (E07000009), for which" in rows[1].reason


def test_the_host_of_a_submitted_month_is_its_runs(service: Service) -> None:
    """The county that hosts may ask for the month to be opened, also once the clinic has moved."""
    with service.engine.begin() as connection:
        organisations = tables.organisations
        county = connection.execute(
            organisations.insert()
            .values(kind="commissioner", code=CAMBRIDGESHIRE, name="Cambridgeshire")
            .returning(organisations.c.id)
        ).scalar_one()
    month = service.month()
    service.ready(month, visit(1, "T2", lsoa=ELY))
    place(service, EAST_CAMBRIDGESHIRE)
    run_id = service.run(month, "final")
    hosts = sa.select(sa.func.run_hosts(run_id))
    assert service.rows_of_one(hosts) == [county]
    place(service, "E09000030")
    assert service.rows_of_one(hosts) == [county]
