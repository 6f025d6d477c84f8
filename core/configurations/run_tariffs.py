"""The tariff by which a run was calculated, in words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.engine.tariff.configuration import Status


@dataclass(frozen=True)
class RunTariff:
    """The revision of the tariff that a run names."""

    name: str
    revision: int
    status: Status

    @property
    def charges(self) -> bool:
        """Whether anybody owes what the run comes to; what a shadow comes to nobody does."""
        return self.status != Status.SHADOW

    @property
    def text(self) -> str:
        """Its name; its revision from the second on; and where it is not for charging."""
        revision = f", revision {self.revision}" if self.revision > 1 else ""
        return f"{self.name}{revision}{'' if self.charges else ' (shadow: not for charging)'}"


def tariffs_of_runs(connection: Connection, run_ids: Collection[int]) -> dict[int, RunTariff]:
    """By number of the run; a run that names none, such as one of the old service, is left out."""
    runs, configurations = tables.runs, tables.configurations
    query = (
        sa.select(
            runs.c.id,
            configurations.c.configuration,
            configurations.c.revision,
            configurations.c.status,
        )
        .join(configurations, configurations.c.id == runs.c.configuration_id)
        .where(runs.c.id.in_(run_ids))
    )
    return {
        number: RunTariff(name, revision, Status(status))
        for number, name, revision, status in connection.execute(query)
    }
