"""Checks and prices files without a server: the whole of ``grouper price``, as values."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.engine.areas.hosts import Hosts, resolved_hosts
from core.engine.areas.register import AreaRegister
from core.engine.calculation.stages import Calculation, Terms, calculate, require_in_force
from core.engine.dataset.error_report import write_errors
from core.engine.dataset.problems import ERRORS_SCHEMA, messages_for, reason
from core.engine.dataset.specification import Specification
from core.engine.offline.checking import FileCheck, References, check_file
from core.engine.offline.price_report import SortedKeys, write_charges, write_episodes
from core.engine.tariff.configuration import Configuration


@dataclass(frozen=True)
class Tariff:
    """The documents by which a submission is priced."""

    specification: Specification
    configuration: Configuration
    provider: str
    month: datetime.date
    hosts: Mapping[str, str]
    register: AreaRegister

    @cached_property
    def placed(self) -> Hosts:
        """The hosts that are in force today."""
        return resolved_hosts(self.hosts, self.register, self.configuration.commissioners)


@dataclass(frozen=True, eq=False)
class Findings:
    """The findings of a file (``ERRORS_SCHEMA``), with its name and counts."""

    name: str
    records: int
    errors: pa.Table
    rows: Mapping[str, int | None]
    rows_in_words: str | None

    def count(self, severity: str) -> int:
        return int(pc.sum(pc.equal(self.errors["severity"], severity)).as_py() or 0)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Findings by file, and the calculation unless errors prevented it."""

    findings: list[Findings]
    calculation: Calculation | None
    left_out: int = 0  # rows in error
    readable: bool = True  # whether every file could be read, whatever its records hold

    @property
    def errors(self) -> int:
        return sum(found.count("error") for found in self.findings)

    @property
    def warnings(self) -> int:
        return sum(found.count("warning") for found in self.findings)


def price_files(
    files: Sequence[tuple[str, Path]],
    tariff: Tariff,
    *,
    transpose: bool = False,
    sheet: str | None = None,
    skip_errors: bool = False,
) -> Outcome:
    """Checks named files, in the order of upload, and prices their records.

    Records in error are left out with ``skip_errors``; otherwise, and where no record could be
    read of a file, nothing is priced. ``sheet`` is the one read of workbooks. Raises ``UserError``
    where the configuration is not in force, or a workbook has no such sheet.
    """
    require_in_force(tariff.configuration, tariff.provider, tariff.month)
    references = References(
        lsoas=tariff.register,
        clinics=frozenset(tariff.hosts),
        provider=tariff.provider,
        month=tariff.month,
    )
    checks = [
        check_file(
            path, tariff.specification, references, transpose=transpose, name=name, sheet=sheet
        )
        for name, path in files
    ]
    findings = [
        Findings(check.name, check.record_count, check.errors, check.rows, check.rows_in_words)
        for check in checks
    ]
    if any(not _may_be_priced(check, skip_errors=skip_errors) for check in checks):
        return Outcome(findings, None, readable=not any(check.refused for check in checks))
    records = records_of(checks)
    terms = Terms(
        tariff.specification,
        tariff.configuration,
        provider=tariff.provider,
        hosts=tariff.hosts,
        register=tariff.register.as_of(tariff.month),
    )
    calculation = calculate(records, terms)
    findings = with_overwritten(findings, calculation.merged.overwritten)
    return Outcome(findings, calculation, sum(check.row_count for check in checks) - len(records))


RESULTS = {name: f"{name}.csv" for name in ("charges", "episodes", "errors")}
"""The files that a price writes, and their names."""


def write_results(folder: Path, outcome: Outcome, tariff: Tariff) -> dict[str, Path]:
    """Writes errors.csv and, where there are charges, charges.csv and episodes.csv.

    Without charges, the files of an earlier run are removed: they would belong to other data.
    """
    paths = {name: folder / file for name, file in RESULTS.items()}
    write_errors(paths["errors"], ((found.name, found.errors) for found in outcome.findings))
    if outcome.calculation is None:
        for stale in (paths.pop("charges"), paths.pop("episodes")):
            stale.unlink(missing_ok=True)
        return paths
    done, keys = outcome.calculation, SortedKeys.of(outcome.calculation.merged)
    write_charges(paths["charges"], done, keys)
    write_episodes(paths["episodes"], done, keys, tariff.specification, tariff.register)
    return paths


def _may_be_priced(check: FileCheck, *, skip_errors: bool) -> bool:
    return not check.error_count or (skip_errors and not check.refused)


def records_of(checks: Sequence[FileCheck]) -> pa.Table:
    """The records without error of all files, with ``file`` as the order of upload."""
    tables = []
    for number, check in enumerate(checks):
        records = check.chunked_records
        if check.error_count:
            records = records.filter(pc.invert(records["in_error"]))
        file = pa.array(np.full(records.num_rows, number, np.int32))
        tables.append(records.drop_columns("in_error").append_column("file", file))
    return pa.concat_tables(tables)


def with_overwritten(findings: Sequence[Findings], overwritten: pa.Table) -> list[Findings]:
    """The findings with a ``code-overwritten`` warning for each lost code, in order of rows."""
    files = overwritten["file"].to_numpy()
    return [
        replace(
            file_findings, errors=_added(file_findings.errors, overwritten.filter(files == number))
        )
        if number in files
        else file_findings
        for number, file_findings in enumerate(findings)
    ]


def _added(errors: pa.Table, lost: pa.Table) -> pa.Table:
    reported = reason("code-overwritten")
    field, value, by = (
        lost[name].cast(pa.string()).combine_chunks() for name in ("field", "value", "by")
    )
    count = lost.num_rows
    columns = [
        lost["row"],
        field,
        value,
        pa.repeat(reported.code, count),
        pa.repeat(reported.severity, count),
        messages_for(reported, value, field=field, by=by),
    ]
    table = pa.concat_tables([errors, pa.table(columns, schema=ERRORS_SCHEMA)])
    rows = table["row"].fill_null(0).to_numpy()
    return table.take(pa.array(np.argsort(rows, kind="stable")))
