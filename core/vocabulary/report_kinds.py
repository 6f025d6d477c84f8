"""The kinds of report: title, purpose, recipients and the facts they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from core.vocabulary.permissions import Action

Side = Literal["provider", "commissioner"]
Span = Literal["months", "year", "month"]
Facts = Literal["sums", "lines", "episodes"]


class ReportKind(StrEnum):
    """The kinds of report, as they are asked for."""

    BACKING_DATA = "backing-data"
    ANNUAL_SUMMARY = "annual-summary"
    DETAILED_CHARGES = "detailed-charges"
    INVOICE_BACKING = "invoice-backing"
    DATA_EXTRACT = "data-extract"
    SUBMISSION_RECEIPT = "submission-receipt"
    KPI_REPORT = "kpi-report"


@dataclass(frozen=True)
class ReportDescription:
    """A kind of report: its texts and what it needs.

    ``span`` is the period that it covers; ``facts`` what is collated for it, part by part;
    ``final_only`` leaves drafts out even for the provider whose drafts they are; a report that is
    ``to_one`` names exactly one commissioner.
    """

    title: str
    purpose: str
    facts: frozenset[Facts]
    sides: tuple[Side, ...] = ("provider", "commissioner")
    span: Span = "months"
    final_only: bool = False
    to_one: bool = False

    @property
    def action(self) -> Action:
        """The action that a person needs: lines and episodes are patient level, sums are not."""
        if not self.facts:
            return Action.SEE_KPIS
        return Action.SEE_CHARGES if self.facts == {"sums"} else Action.SEE_BACKING_DATA


def _facts(*names: Facts) -> frozenset[Facts]:
    return frozenset(names)


KINDS: Mapping[ReportKind, ReportDescription] = {
    ReportKind.BACKING_DATA: ReportDescription(
        "Backing Data",
        "One row a charge, with its reason: what an invoice is settled by.",
        _facts("sums", "lines"),
    ),
    ReportKind.ANNUAL_SUMMARY: ReportDescription(
        "Annual Summary",
        "A year at a glance: each provider and commissioner, the months across.",
        _facts("sums"),
        span="year",
    ),
    ReportKind.DETAILED_CHARGES: ReportDescription(
        "Detailed Charges",
        "Counts and amounts by month, clinic, currency and commissioner.",
        _facts("sums"),
    ),
    ReportKind.INVOICE_BACKING: ReportDescription(
        "Invoice Backing",
        "What a provider sends one commissioner with its invoice: summary, lines, and the lines "
        "as csv. Submitted months only.",
        _facts("sums", "lines"),
        sides=("provider",),
        final_only=True,
        to_one=True,
    ),
    ReportKind.DATA_EXTRACT: ReportDescription(
        "Data Extract",
        "One row an episode as it was priced: the merged record, as codes or in words.",
        _facts("episodes"),
        sides=("provider",),
    ),
    ReportKind.SUBMISSION_RECEIPT: ReportDescription(
        "Submission Receipt",
        "What was submitted for a month, when and by whom: files, records, charges, totals.",
        _facts("sums"),
        sides=("provider",),
        span="month",
    ),
    ReportKind.KPI_REPORT: ReportDescription(
        "KPI Report",
        "Every indicator by month: numerator, denominator, value, and where others lie.",
        _facts(),
    ),
}
