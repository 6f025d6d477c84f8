"""The table of charges."""

from __future__ import annotations

import pyarrow as pa

from core.engine.columns.coded import CODED

CHARGES_SCHEMA = pa.schema(
    [
        ("clinic_id", CODED),
        ("patient_id", CODED),
        ("attendance_date", CODED),
        ("currency", CODED),
        ("rate_type", CODED),  # primary or additional
        ("rate", pa.int64()),  # pence
        ("factor", CODED),  # decimal text, 1 where none
        ("amount", pa.int64()),  # pence
        ("commissioner", CODED),  # null where nobody pays
        ("basis", CODED),  # resident, host or none
        ("reason", CODED),
    ]
)
"""One row a charge, of an episode's charges in the order of the configuration's currencies."""
