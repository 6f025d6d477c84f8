"""The summary of ``grouper price``: counts and totals, in words or as one document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.counting import counted
from core.engine.calculation.accounting import episodes_in_words, records_in_words
from core.engine.columns.as_read import on_one_line
from core.engine.columns.joins import coded
from core.engine.offline.check_summary import causes
from core.engine.offline.pricing import Outcome, Tariff
from core.engine.tariff.configuration import Status
from core.engine.tariff.money import Money
from core.engine.tariff.months import Month

NOBODY = "nobody"
TOTALS = {"currency": "currency", "commissioner": "commissioner", "clinic": "clinic_id"}
CAUSES_SHOWN = 5
TOTALS_SHOWN = 12


def as_document(outcome: Outcome, tariff: Tariff, paths: Mapping[str, Path]) -> dict[str, Any]:
    """The outcome as plain values, for ``--json``; money in pounds, as text."""
    configuration = tariff.configuration
    document: dict[str, Any] = {
        "dataset": tariff.specification.dataset,
        "configuration": configuration.configuration,
        "status": configuration.status,
        "for_charging": configuration.status != Status.SHADOW,
        "provider": tariff.provider,
        "month": f"{tariff.month:%Y-%m}",
        "priced": outcome.calculation is not None,
        "files": [
            {
                "name": file.name,
                "records": file.records,
                **file.rows,
                "errors": file.count("error"),
                "warnings": file.count("warning"),
            }
            for file in outcome.findings
        ],
        "records": sum(file.records for file in outcome.findings),
        "records_left_out": outcome.left_out,
        "errors": outcome.errors,
        "warnings": outcome.warnings,
        "paths": {name: str(path) for name, path in paths.items()},
    }
    if outcome.calculation is not None:
        charges = outcome.calculation.charges
        episodes = outcome.calculation.merged.episodes.num_rows
        records, charged = _records(outcome), outcome.calculation.episodes_charged
        document |= {
            "hosts_ended": tariff.placed.notes,
            "episodes": episodes,
            "records_calculated": records,
            "records_merged": records - episodes,
            "episodes_charged": charged,
            "episodes_without_charge": episodes - charged,
            "charges": charges.num_rows,
            "total": Money(_total(charges)).plain,
            "totals": {
                name: {key: Money(pence).plain for key, pence in totals(charges, column).items()}
                for name, column in TOTALS.items()
            },
        }
    return document


def as_text(outcome: Outcome, tariff: Tariff, paths: Mapping[str, Path]) -> str:
    """The outcome in a few lines."""
    return "\n".join(_lines(outcome, tariff, paths))


def totals(charges: pa.Table, column: str) -> dict[str, int]:
    """Pence by the values of a column, in alphabetical order; unpaid charges are ``nobody``."""
    keys = coded(charges[column])
    sums = np.zeros(len(keys.values) + 1, np.int64)
    np.add.at(sums, keys.codes, charges["amount"].to_numpy())
    found = np.bincount(keys.codes + 1, minlength=len(sums))
    names = [*keys.values.to_pylist(), NOBODY]
    counts = [*found[1:].tolist(), int(found[0])]
    return dict(
        sorted(
            (name, pence)
            for name, pence, count in zip(names, sums.tolist(), counts, strict=True)
            if count
        )
    )


def _records(outcome: Outcome) -> int:
    """The records that were calculated, those in error aside."""
    assert outcome.calculation is not None  # noqa: S101 - asked of what was priced
    return int(pc.sum(outcome.calculation.merged.episodes["records"]).as_py() or 0)


def _total(charges: pa.Table) -> int:
    return int(pc.sum(charges["amount"]).as_py() or 0)


def _lines(outcome: Outcome, tariff: Tariff, paths: Mapping[str, Path]) -> Iterator[str]:
    for file in outcome.findings:
        counts = [counted(file.count(severity), severity) for severity in ("error", "warning")]
        yield f"{on_one_line(file.name)}: {counted(file.records, 'record')}, {', '.join(counts)}"
        for cause in causes(file.errors).slice(0, CAUSES_SHOWN).to_pylist():
            where = "file" if cause["first_row"] is None else f"row {cause['first_row']}"
            yield f"  {cause['count']:>9,} × {cause['code']} (first: {where}): {cause['message']}"
        if file.rows_in_words:
            yield f"  {file.rows_in_words}"
    if outcome.calculation is None:
        yield f"Nothing was priced. Put the errors right ({paths['errors']})" + _or_skip(outcome)
        return
    yield from tariff.placed.notes.values()
    if outcome.left_out:
        verb = "was" if outcome.left_out == 1 else "were"
        yield f"{counted(outcome.left_out, 'record')} in error {verb} left out ({paths['errors']})."
    charges = outcome.calculation.charges
    episodes = outcome.calculation.merged.episodes.num_rows
    configuration = tariff.configuration
    title = configuration.title or configuration.configuration
    yield (
        f"{tariff.provider} {tariff.month:%Y-%m} by {title} ({configuration.status}): "
        f"{counted(episodes, 'episode')}, {counted(charges.num_rows, 'charge')},"
        f" £{Money(_total(charges)).grouped}"
    )
    if configuration.status == Status.SHADOW:
        yield "A shadow is not for charging: nobody owes these amounts."
    if configuration.start > Month.of(tariff.month).first:
        yield (
            f"It begins on {configuration.start}: where another tariff of {tariff.provider} ends "
            "in this month, the service prices the whole month by that one."
        )
    records = _records(outcome)
    charged = outcome.calculation.episodes_charged
    yield records_in_words(records, episodes)
    yield episodes_in_words(episodes, charged, charges.num_rows)
    for name, column in TOTALS.items():
        yield f"by {name}:"
        yield from _largest(totals(charges, column))
    yield f"The charges are in {paths['charges']}, the episodes in {paths['episodes']}."


def _largest(parts: Mapping[str, int]) -> Iterator[str]:
    """The largest totals, and the sum of the others."""
    ordered = sorted(parts.items(), key=lambda part: -part[1])
    shown, others = ordered[:TOTALS_SHOWN], ordered[TOTALS_SHOWN:]
    if others:
        shown.append((f"{len(others):,} others", sum(pence for _, pence in others)))
    for name, pence in shown:
        yield f"  {name:<20} {Money(pence).grouped:>16}"


def _or_skip(outcome: Outcome) -> str:
    return ", or leave records in error out with --skip-errors." if outcome.readable else "."
