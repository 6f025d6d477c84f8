"""Submission Receipt: what was submitted for a month, when, by whom, and its totals."""

from __future__ import annotations

from typing import Any

from core.engine.calculation.accounting import episodes_in_words, records_in_words
from core.engine.tariff.money import Money
from core.reports.collating.submitted import Submitted
from core.reports.kinds.summary_groups import summary_groups
from core.reports.report_context import Layout, ReportContext, ReportWriter, heading_of, notes
from core.reports.workbooks.workbook import Column, Group, Workbook

FILES = (
    Column("File", width=40, meaning="as it was called when it was uploaded"),
    Column("Uploaded by", width=26),
    Column("Uploaded", width=22, meaning="UTC"),
    Column("Bytes", "whole", 14),
    Column("Records", "whole", 12),
    Column("Warnings", "whole", 11),
    Column("Rows", "whole", 12, meaning="in the file, below the headings"),
    Column("Rows left out", "whole", 15, meaning="headings that stood there again"),
    Column("SHA-256", width=68, meaning="proves which file it was, byte by byte"),
)
SHEET, FILES_SHEET = "Receipt", "Files"
LAYOUT = Layout("2", {FILES_SHEET: FILES})


def _write(book: Workbook, context: ReportContext) -> int:
    assert context.submitted is not None  # noqa: S101 - read for every report of one month
    run = context.submitted.run
    groups = [_totals(run), *reversed(summary_groups(context, context.collated.sums()))]
    book.groups(SHEET, heading_of(context), groups)
    book.table(FILES_SHEET, FILES, [_file(file) for file in context.submitted.files])
    book.notes("Submission Receipt", notes(context, LAYOUT, *_facts(context.submitted)))
    return int(run.charges)


def _totals(run: Any) -> Group:
    columns = (
        Column("Run", width=16),
        Column("Kind", width=36),
        Column("Records", "whole", 11),
        Column("Episodes", "whole", 11),
        Column("Charges", "whole", 11),
        Column("Amount", "money", 15),
    )
    kind = "Submitted: final" if run.kind == "final" else "Draft: not released"
    amount = Money(run.amount_pence).pounds
    row = (f"Number {run.number}", kind, run.records, run.episodes, run.charges, amount)
    return Group("What was calculated", columns, [], row)


def _file(file: Any) -> tuple[Any, ...]:
    uploaded = f"{file.uploaded_at:%-d %b %Y %H:%M}"
    return (
        *(file.name, file.by or "", uploaded),
        *(file.size, file.records, file.warnings),
        *(file.rows_there, file.rows_left_out, file.sha256),
    )


def _facts(submitted: Submitted) -> list[tuple[str, str]]:
    run = submitted.run
    return [
        ("Asked for", f"{run.requested_at:%-d %B %Y at %H:%M} UTC by {run.asked_by or 'nobody'}"),
        ("Calculated", f"{run.finished_at:%-d %B %Y at %H:%M} UTC"),
        ("Tariff", f"{run.tariff}, revision {run.revision}" if run.revision > 1 else run.tariff),
        *_accounts(run),
        ("Files", f"{len(submitted.files)}, listed with their fingerprints"),
    ]


def _accounts(run: Any) -> list[tuple[str, str]]:
    """Where the records and episodes went."""
    sentences = [("Records", records_in_words(run.records, run.episodes))]
    if run.episodes_charged is not None:
        sentence = episodes_in_words(run.episodes, run.episodes_charged, run.charges)
        sentences.append(("Episodes", sentence))
    return sentences


WRITER = ReportWriter(LAYOUT, _write)
