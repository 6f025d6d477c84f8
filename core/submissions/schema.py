"""The table of charges."""

from __future__ import annotations

import pyarrow as pa

from core.submissions.coded import TEXTS

CHARGES_SCHEMA = pa.schema(
    [
        ("clinic_id", TEXTS),
        ("patient_id", TEXTS),
        ("attendance_date", TEXTS),
        ("currency", TEXTS),
        ("rate_type", TEXTS),  # primary or additional
        ("rate", pa.int64()),  # pence
        ("factor", TEXTS),  # decimal text, 1 where none
        ("amount", pa.int64()),  # pence
        ("commissioner", TEXTS),  # null where nobody pays
        ("basis", TEXTS),  # resident, host or none
        ("reason", TEXTS),
    ]
)
"""One row a charge, of an episode's charges in the order of the configuration's currencies."""
