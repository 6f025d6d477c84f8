"""The inputs of a run, which must be the same for all its chunks.

A run that stopped is resumed later. If the tariff, a clinic's host or the register of areas changed
meanwhile, finished chunks would follow the old inputs and the others the new ones; so the run
starts again from the beginning.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.register_store import version_in_use
from core.database import tables
from core.engine.areas.register import AreaRegister
from core.engine.calculation.buckets import BUCKETS
from core.engine.calculation.stages import Terms
from core.engine.dataset.fields import KEY_ROLES
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Configuration, tariff_of
from core.engine.tariff.statements import parse_statement
from core.submissions.months import SubmissionRow, get_submission
from core.vocabulary.states.submissions import FileState, RunState

RECORDS_A_CHUNK = 50_000


@dataclass(frozen=True)
class RunInputs:
    """The inputs of a run."""

    run_id: int
    kind: str
    state: str
    submission: SubmissionRow
    specification: Specification
    configuration: Configuration
    revision: int  # of the configuration
    hosts: dict[str, str]  # clinic → the authority that hosts it
    files: tuple[int, ...]  # in the order of upload
    records: int
    chunks: int
    register: str | None  # name of the kept register that it followed; None: the one in use

    @cached_property
    def needed_columns(self) -> list[str]:
        """The columns of the key and the residence, and those that statements name."""
        in_statements = {
            asked.field
            for currency in self.configuration.currencies
            for text in currency.triggers
            for condition in parse_statement(text, self.specification).conditions
            for asked in condition.asked
        }
        return [
            column
            for column, field in self.specification.columns.items()
            if field.role in (*KEY_ROLES, "residence") or field.name in in_statements
        ]

    def terms(self, register: AreaRegister) -> Terms:
        """The terms of the calculation; ``register`` is that of the run's month."""
        return Terms(
            self.specification,
            self.configuration,
            provider=self.submission.provider,
            hosts=self.hosts,
            register=register,
        )

    def bucket_range(self, chunk: int) -> tuple[int, int]:
        """First and last bucket of a chunk."""
        return (
            chunk * BUCKETS // self.chunks,
            (chunk + 1) * BUCKETS // self.chunks - 1,
        )


def load_run(connection: Connection, run_id: int) -> RunInputs:
    """Reads the inputs of a run."""
    run = connection.execute(sa.select(tables.runs).where(tables.runs.c.id == run_id)).one()
    submission = get_submission(connection, run.submission_id)
    specification, configuration, revision = _load_tariff(
        connection, run.configuration_id, run.dataset_id
    )
    files = tables.files
    rows = connection.execute(
        sa.select(files.c.id, files.c.records)
        .where(files.c.submission_id == submission.id, files.c.state == FileState.READY)
        .order_by(files.c.position)
    ).all()
    records = sum(row.records for row in rows)
    unfinished = run.hosts is None or run.state in (RunState.RUNNING, RunState.FAILED)
    return RunInputs(
        run_id=run_id,
        kind=run.kind,
        state=run.state,
        submission=submission,
        specification=specification,
        configuration=configuration,
        revision=revision,
        hosts=_hosts(connection, submission.provider_id) if unfinished else run.hosts,
        files=tuple(row.id for row in rows),
        records=records,
        chunks=run.chunks or min(BUCKETS, max(1, -(-records // RECORDS_A_CHUNK))),
        register=None if unfinished else run.register,
    )


def _load_tariff(
    connection: Connection, configuration_id: int, dataset_id: int
) -> tuple[Specification, Configuration, int]:
    """The version of the data set and the revision of the tariff that the run names, and its
    number."""
    configurations, datasets = tables.configurations, tables.datasets
    row = connection.execute(
        sa.select(
            configurations.c.body,
            configurations.c.configuration,
            configurations.c.revision,
            datasets.c.body.label("dataset"),
        )
        .join(datasets, datasets.c.id == dataset_id)
        .where(configurations.c.id == configuration_id)
    ).one()
    return *tariff_of(row.dataset, row.body, name=row.configuration), row.revision


def _hosts(connection: Connection, provider_id: int) -> dict[str, str]:
    clinics = tables.clinics
    rows = connection.execute(
        sa.select(clinics.c.clinic_id, clinics.c.commissioner).where(
            clinics.c.provider_id == provider_id, clinics.c.commissioner.is_not(None)
        )
    )
    return {row.clinic_id: row.commissioner for row in rows}


def fingerprint(connection: Connection, run: RunInputs) -> str:
    """A hash of the inputs: tariff, data set, hosts, files, register."""
    inputs = [
        run.configuration.model_dump_json(),
        run.specification.model_dump_json(),
        sorted(run.hosts.items()),
        run.files,
        version_in_use(connection),
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def record_inputs(connection: Connection, run: RunInputs) -> bool:
    """Records the inputs of the run; deletes its chunks if they were calculated with other inputs.

    Returns whether the inputs changed.
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
