"""The data that a workbook is written from, and the texts that all reports share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from core.access.scope import EVERYTHING
from core.configurations.published_names import currency_names
from core.configurations.role_labels import OURS, RoleLabels, column_titles, labels_of_runs
from core.configurations.run_tariffs import RunTariff, tariffs_of_runs
from core.engine.areas.register import AreaRegister
from core.kpis.results import Result, results_of
from core.reports.collating.charge_lines import clinic_names
from core.reports.collating.parts import Collated, currency_of_service
from core.reports.collating.submitted import Submitted, read_submitted
from core.reports.requests import ReportRequest, services_of
from core.reports.workbooks.workbook import Column, Workbook
from core.submissions.month_doubts import Decision, decisions_on
from core.submissions.months import month_and_service


@dataclass(frozen=True)
class Layout:
    """The headings of sheets that others read; any change of them raises the version."""

    version: str
    sheets: Mapping[str, tuple[Column, ...]]


@dataclass(frozen=True)
class ReportContext:
    """The request of a report, its collated parts, and the names that it shows."""

    request: ReportRequest
    runs: Sequence[Row[Any]]
    collated: Collated
    made_at: dt.datetime
    areas: Mapping[str, str]  # authority → name
    clinics: Mapping[str, str]
    currencies: Mapping[str, str]
    hide_below: int = 0
    submitted: Submitted | None = None  # for a receipt
    results: Sequence[Result] = ()  # for a report on indicators
    decisions: Mapping[int, Decision] = field(default_factory=dict)  # run → why it is right
    tariffs: Mapping[int, RunTariff] = field(default_factory=dict)
    labels: RoleLabels = OURS
    titles: Mapping[str, str] = field(default_factory=dict)  # column of the data set → title

    def labelled(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns with the headings that the data set's fields have."""
        return tuple(
            replace(column, heading=self.labels.heading(column.heading)) for column in columns
        )


@dataclass(frozen=True)
class ReportWriter:
    """How a kind of report is written: its workbook, and its companion file."""

    layout: Layout
    write: Callable[[Workbook, ReportContext], int]
    companion: Callable[[ReportContext, Path], None] | None = None
    companion_ending: str = ""


def read_context(
    connection: Connection,
    request: ReportRequest,
    runs: Sequence[Row[Any]],
    collated: Collated,
    *,
    made_at: dt.datetime,
    register: AreaRegister,
    hide_below: int,
) -> ReportContext:
    """Reads the names that the report shows."""
    run_ids = [run.id for run in runs]
    return ReportContext(
        request=request,
        runs=runs,
        collated=collated,
        made_at=made_at,
        areas=register.names,
        clinics=clinic_names(connection, run_ids),
        currencies=_currencies(connection, runs),
        hide_below=hide_below,
        submitted=read_submitted(connection, runs[0]) if request.about.span == "month" else None,
        labels=labels_of_runs(connection, run_ids),
        titles=column_titles(connection, run_ids) if request.labels else {},
        results=_results(connection, request, runs) if not request.about.facts else (),
        decisions=decisions_on(connection, run_ids),
        tariffs=tariffs_of_runs(connection, run_ids),
    )


def _currencies(connection: Connection, runs: Sequence[Row[Any]]) -> dict[str, str]:
    """Code to name of every currency, as the report writes the code."""
    services = services_of(runs)
    if not services:
        return currency_names(connection, [run.id for run in runs])
    names: dict[str, str] = {}
    for dataset, service in services.items():
        run_ids = [run.id for run in runs if run.dataset == dataset]
        for code, name in currency_names(connection, run_ids).items():
            names[currency_of_service(code, service)] = name
    return names


def _results(
    connection: Connection, request: ReportRequest, runs: Sequence[Row[Any]]
) -> list[Result]:
    shown = {run.id for run in runs}
    results = results_of(
        connection,
        EVERYTHING,
        sorted({run.provider for run in runs}),
        final_only=request.side != "provider",
    )
    return [result for result in results if result.run_id in shown]


def heading_of(context: ReportContext) -> str:
    """The title above a summary."""
    request = context.request
    parts = (request.organisation_name, request.service, request.period)
    return f"{request.about.title}: {', '.join(filter(None, parts))}"


def notes(context: ReportContext, layout: Layout, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The notes of every report, as label and text: recipient, period, content, date, runs."""
    request = context.request
    labelled_notes = [
        ("Report", f"{request.about.title}, layout {layout.version}. {request.about.purpose}"),
        ("For", f"{request.organisation_name} ({request.organisation})"),
        ("Period", request.period),
        ("What it shows", _whose(request)),
        ("Asked for by", request.asked_by),
        ("Made", f"{context.made_at:%-d %B %Y at %H:%M} UTC"),
        *more,
    ]
    for run in context.runs:
        labelled_notes.append((f"Run {run.id}", _run_note(run)))
        tariff = context.tariffs.get(run.id)
        if tariff is not None and not tariff.charges:
            labelled_notes.append((f"Run {run.id}: not for charging", tariff.text))
        if decision := context.decisions.get(run.id):
            text = decision.in_full if request.side == "provider" else decision.text
            labelled_notes.append((f"Run {run.id}: what was in doubt", text))
    if "sums" in request.about.facts:
        labelled_notes += [
            ("Amounts", "Pounds. Each charge is rate × factor, rounded half up to the penny."),
            ("Nobody is charged", "Charges without a commissioner are kept, with amount £0.00."),
        ]
    return labelled_notes


def _whose(request: ReportRequest) -> str:
    if request.side == "commissioner":
        sentence = "Charges that this commissioner pays, from submitted months only."
        return (
            f"{sentence} Of these providers: {', '.join(request.only)}."
            if request.only
            else sentence
        )
    if request.only:
        return f"Charges of the provider's own activity that {', '.join(request.only)} pays."
    return "All charges of the provider's own activity, whoever pays."


def _run_note(run: Row[Any]) -> str:
    kind = "final run, released to commissioners" if run.kind == "final" else "DRAFT run"
    return (
        f"{run.provider_name}, {month_and_service(run.month, run.service)}: {kind}, number "
        f"{run.number}, "
        f"finished {run.finished_at:%-d %B %Y at %H:%M} UTC"
    )
