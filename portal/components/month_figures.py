"""A draft's figures beside last month's and last year's, and who will receive what."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access.people import Person
from core.submissions.months import SubmissionRow
from core.submissions.queries.month_comparison import (
    CurrencyComparison,
    Figures,
    compare_with_earlier,
    month_before,
)
from core.submissions.queries.run_totals import RunSummary
from portal import words
from portal.database import engine


def show_against(person: Person, submission: SubmissionRow, names: dict[str, str]) -> None:
    """The section of the page; nothing where there is nothing to compare with."""
    with engine().connect() as connection:
        lines = compare_with_earlier(connection, person.scope, submission)
    if all(line.last_month is None and line.last_year is None for line in lines):
        return
    st.subheader("Beside last month and last year")
    out = [line for line in lines if line.stands_out]
    if not out:
        st.write("Nothing stands out: no currency changed by more than a quarter.")
    for line in out[:6]:
        name = words.plain(names.get(line.currency, line.currency))
        reasons = "; ".join(line.stands_out)
        st.markdown(f":orange-badge[look] **{name}**: {line.now.charges:,} charges, {reasons}.")
    with st.expander("All currencies"):
        _table(submission, lines, names)


def _table(
    submission: SubmissionRow, lines: list[CurrencyComparison], names: dict[str, str]
) -> None:
    before = month_before(submission.month)
    ago = submission.month.replace(year=submission.month.year - 1)
    columns = [words.month(submission.month), words.month(before), words.month(ago)]
    frame = pd.DataFrame(
        [(names.get(line.currency, line.currency), *_amounts(line)) for line in lines],
        columns=["Currency", *columns],
    )
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        column_config={name: st.column_config.NumberColumn(format="£%,.2f") for name in columns},
        alt="Amounts by currency, beside last month and last year",
    )


def _amounts(line: CurrencyComparison) -> list[float | None]:
    return [_pounds(line.now), _pounds(line.last_month), _pounds(line.last_year)]


def _pounds(figures: Figures | None) -> float | None:
    return None if figures is None else figures.pence / 100


def receivers_text(outcome: RunSummary | None, areas: dict[str, str]) -> str:
    """The receivers of the month's charges once it is submitted, as Markdown."""
    if outcome is None:
        return "Every commissioner who pays a charge of the month sees it, and why."
    lines = [
        f"- **{words.plain(areas.get(code, code))}**: {words.count(count, 'charge')}, "
        f"{words.pounds(pence)}"
        for code, count, pence in outcome.by_commissioner
        if code is not None
    ]
    shown, more = lines[:8], len(lines) - 8
    if more > 0:
        shown.append(f"- and {more} more")
    return "By the draft, these will see their charges, and why:\n" + "\n".join(shown)
