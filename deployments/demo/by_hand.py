"""Compares the charges in the database with an independent calculation, charge by charge.

The other calculation starts from what the clinics meant to record, before any slip, file, reader or
correction, and shares no code with the one that is compared (``slow_grouper``).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import sqlalchemy as sa
import yaml
from sqlalchemy import Connection

from core.database import tables
from core.engine.areas.register import AreaRegister
from deployments.demo.slow_grouper import price

COMPARED = (
    "clinic_id",
    "patient_id",
    "attendance_date",
    "currency",
    "rate_type",
    "rate",
    "amount",
    "commissioner",
    "basis",
)
Line = tuple[str, ...]


def charges_by_hand(
    activity: pa.Table, *, provider: str, dataset: str, configuration: str, hosts: dict[str, str]
) -> list[Line]:
    """Charges of the activity, calculated record by record from the two YAML texts."""
    register = AreaRegister.shipped()
    districts = register.district_of(register.codes).to_pylist()
    rows = [{name: value or "" for name, value in row.items()} for row in activity.to_pylist()]
    charges = price(
        rows,
        yaml.safe_load(dataset),
        yaml.safe_load(configuration),
        provider=provider,
        hosts=hosts,
        districts=dict(zip(register.codes.to_pylist(), districts, strict=True)),
        counties={
            code: authority.county
            for code, authority in register.authorities.items()
            if authority.county is not None
        },
    )
    return sorted(tuple(charge[name] for name in COMPARED) for charge in charges)


def charges_in_database(connection: Connection, run_id: int) -> list[Line]:
    """The charges of a run, written as the calculation by hand writes them."""
    charges = tables.charges
    query = sa.select(charges).where(charges.c.run_id == run_id)
    return sorted(_line(row) for row in connection.execute(query))


def _line(row: sa.Row[Any]) -> Line:
    return (
        row.clinic_id,
        row.patient_id,
        row.attendance_date.isoformat(),
        row.currency,
        row.rate_type,
        f"{row.rate_pence / 100:.2f}",
        f"{row.amount_pence / 100:.2f}",
        row.commissioner or "",
        row.basis,
    )
