"""The page on reports, drawn from their layouts.

``python -m core.reports.layout_page`` writes it to standard output, for docs/reports.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from core.reports.report_context import ReportWriter
from core.reports.report_writers import WRITERS
from core.reports.workbooks.workbook import Column
from core.vocabulary.report_kinds import KINDS, ReportKind

_INTRODUCTION = """\
# Reports
Made from this page's source by `python -m core.reports.layout_page`; a test compares.

Every report is an Excel workbook, made from published runs alone: a provider's own, drafts \
included, or what a commissioner pays, from submitted months only. Headings keep their order and \
words; the version of a layout is raised when one changes, and stands on the workbook's *Notes* \
sheet. A sheet that is full goes on in one called `… 2`. Text stays text, whatever it begins with.

Ask in the portal (*Reports*), with `grouper report --kind KIND`, or have it made every month as \
soon as all have submitted. A report is kept for `GROUPER_REPORT_DAYS` days (30). When a month in \
it is submitted again, it is made again before it is given out.

With `GROUPER_HIDE_BELOW=5` the summaries that a commissioner gets (Annual Summary, Detailed \
Charges) show `*` for each number of charges below 5 and the amount that goes with it, and for as \
many others as are needed so that no such number follows from the rest of the table.
"""
_KINDS_OF_CELL = {
    "text": "text",
    "whole": "whole number",
    "money": "pounds",
    "tally": "whole number",
    "spread": "pounds",
    "factor": "number",
    "figure": "number",
    "date": "date",
    "month": "month",
}


def page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, *("\n".join(_section(kind, WRITERS[kind])) for kind in KINDS)]
    return "\n".join(parts) + "\n"


def _section(kind: ReportKind, writer: ReportWriter) -> Iterator[str]:
    about = KINDS[kind]
    yield f"## {about.title}\n{about.purpose}\n"
    yield f"`--kind {kind}`, for {' and '.join(about.sides)}. Layout {writer.layout.version}."
    if writer.companion_ending:
        yield f"Beside it, the same lines as `…{writer.companion_ending}`."
    for name, columns in writer.layout.sheets.items():
        yield f"\n| sheet *{name}* | holds | |\n|---|---|---|"
        yield from (_row(column) for column in columns)
    yield ""


def _row(column: Column) -> str:
    return f"| {column.heading} | {_KINDS_OF_CELL[column.kind]} | {column.meaning} |"


if __name__ == "__main__":
    sys.stdout.write(page())
