"""What a run is calculated with must be the same for all its chunks.

A run that stopped is taken up again later. If the tariff, a clinic's host or the register of areas
changed meanwhile, the chunks that were done would follow the old and the others the new: the run
begins from nothing then.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.register_store import version_in_use
from core.database import tables

if TYPE_CHECKING:
    from core.submissions.commands.runs import RunInputs


def fingerprint(connection: Connection, run: RunInputs) -> str:
    """The same for runs that are calculated alike: tariff, data set, hosts, files, register."""
    inputs = [
        run.configuration.model_dump_json(),
        run.specification.model_dump_json(),
        sorted(run.hosts.items()),
        run.files,
        version_in_use(connection),
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def settle_inputs(connection: Connection, run: RunInputs) -> bool:
    """Notes with what the run is calculated; forgets chunks that were calculated otherwise.

    Returns whether there were such.
    """
    now = fingerprint(connection, run)
    runs = tables.runs
    before = connection.execute(sa.select(runs.c.inputs).where(runs.c.id == run.run_id)).scalar()
    connection.execute(runs.update().where(runs.c.id == run.run_id).values(inputs=now))
    if before in (None, now):
        return False
    for table in (
        tables.charges,
        tables.charge_reasons,
        tables.run_warnings,
        tables.run_payers,
        tables.run_chunks,
    ):
        connection.execute(table.delete().where(table.c.run_id == run.run_id))
    return True
