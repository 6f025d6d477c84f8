"""The clinics of a provider, and the authority that hosts each."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.register import AreaRegister
from core.database import tables
from core.user_errors import UserError


def clinics_to_place(connection: Connection, provider_id: int) -> list[str]:
    """The clinics whose host is not known yet."""
    clinics = tables.clinics
    query = (
        sa.select(clinics.c.clinic_id)
        .where(clinics.c.provider_id == provider_id, clinics.c.commissioner.is_(None))
        .order_by(clinics.c.clinic_id)
    )
    return list(connection.execute(query).scalars())


def place_clinic(
    connection: Connection,
    provider_id: int,
    clinic_id: str,
    commissioner: str,
    *,
    register: AreaRegister,
    user_id: int | None,
) -> None:
    """Says which authority hosts a clinic; raises ``UserError`` for an unknown one."""
    if commissioner not in register.names:
        raise UserError(f"{commissioner} is no authority of the register.")
    clinics = tables.clinics
    connection.execute(
        clinics.update()
        .where(clinics.c.provider_id == provider_id, clinics.c.clinic_id == clinic_id)
        .values(commissioner=commissioner)
    )
    connection.execute(
        tables.audit.insert().values(
            user_id=user_id,
            action="clinic placed",
            subject=f"clinic:{provider_id}/{clinic_id}",
            detail={"commissioner": commissioner},
        )
    )
