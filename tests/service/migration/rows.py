"""What a database holds of the old service's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Engine

from core.database.engine import with_driver
from core.engine.samples.activity import SPECIFICATION
from core.operations.dataset_import import import_dataset

if TYPE_CHECKING:
    pass


KEPT = (
    "legacy_rows", "organisations", "clinics", "users", "subscriptions", "subscription_periods",
    "invoices", "invoice_lines", "payments", "configurations", "configuration_providers",
    "submissions", "files", "records_sexual_health", "runs", "charges", "run_payers",
    "migration_differences", "failures", "invoice_counters", "organisation_names", "kpis",
    "kpi_results", "pathways", "pathway_steps", "consumables", "step_consumables",
    "consumable_prices",
)  # fmt: skip
"""What a migration that has nothing to do leaves as it is, row for row."""


PERSONAL = ("77777777", "old.example", "Analyst", "Accounts", "twelve", "CHARITY")
"""Parts of what the old service says of people."""


def prepared(url: str) -> Engine:
    engine = sa.create_engine(with_driver(url))
    with engine.begin() as connection:
        import_dataset(connection, SPECIFICATION.read_text(), name="data set")
    return engine


def rows(engine: Engine, query: str, **given: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query), given).all())


def one(engine: Engine, query: str, **given: Any) -> Any:
    with engine.connect() as connection:
        return connection.execute(sa.text(query), given).scalar_one()


def faults(engine: Engine) -> dict[tuple[str, int], str]:
    """Table and row of all that waits in the error queue, with the reason."""
    found = rows(
        engine,
        "SELECT payload ->> 'table', CAST(payload ->> 'row' AS bigint), reason FROM failures "
        "WHERE kind = 'legacy row' AND state = 'waiting'",
    )
    assert len({row[:2] for row in found}) == len(found), "a row stands in the queue twice"
    return {(row[0], row[1]): row[2] for row in found}


def snapshot(engine: Engine) -> dict[str, list[Any]]:
    """Every row by the transaction that wrote it."""
    return {
        name: sorted(map(tuple, rows(engine, f"SELECT xmin::text, ctid::text FROM {name}")))
        for name in KEPT
    }
