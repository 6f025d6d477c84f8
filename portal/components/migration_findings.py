"""The result of a migration: in sum, by table, rows in error, differences of charges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.migration.progress import FaultyRow, MigrationProgress
from core.migration.reading.mapping import shipped_mapping
from core.migration.verifying.recalculating import CAUSES
from core.vocabulary.states.migration import TableState
from portal import words

_COUNTS = {"New": "new", "Changed": "changed", "Gone": "gone", "In error": "failed"}
_LARGE = st.column_config.Column(width="large")


def show_summary(summary: dict[str, Any]) -> None:
    """The counts of all tables together, and whether all agrees with the old service."""
    there = sum(table["source_rows"] or 0 for table in summary["tables"].values())
    counts = {"Rows there": there, **{name: summary[key] for name, key in _COUNTS.items()}}
    for column, (name, number) in zip(st.columns(len(counts)), counts.items(), strict=True):
        column.metric(name, f"{number:,}")
    if summary["disagreeing"]:
        tables = ", ".join(map(words.plain, summary["disagreeing"]))
        st.warning(f"Not as in the old service: {tables}")
    else:
        st.success("Rows, money and content of every table agree with the old service.")


def show_tables(migration: MigrationProgress) -> None:
    """Shows each table: its target, its state, the numbers of its rows."""
    rows = _standing(migration) or _rehearsed(migration.summary or {})
    if not rows:
        return
    mapped = shipped_mapping().tables
    ended = (migration.summary or {}).get("tables", {})
    agrees = [ended[row["table"]]["agrees"] for row in rows if row["table"] in ended]
    st.markdown("**Table by table**")
    st.dataframe(
        {
            "Table": [row["table"] for row in rows],
            "Goes to": [mapped[row["table"]].goes_to or "kept as sent" for row in rows],
            "State": [row["state"] for row in rows],
            **({"Rows read": [row["rows_read"] for row in rows]} if migration.moving else {}),
            "There": [row["source_rows"] for row in rows],
            **{name: [row[key] for row in rows] for name, key in _COUNTS.items()},
            **({"Agrees": agrees} if len(agrees) == len(rows) else {}),
        },
        hide_index=True,
        width="stretch",
        alt="The migration, table by table",
    )


def _standing(migration: MigrationProgress) -> list[dict[str, Any]]:
    return [vars(table) for table in migration.tables]


def _rehearsed(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables as a dry run summarises them: it stores no rows of tables."""
    return [
        {
            **row,
            "table": name,
            "state": TableState.INCOMPLETE
            if row["failed"] or not row["agrees"]
            else TableState.COMPLETE,
        }
        for name, row in summary.get("tables", {}).items()
    ]


def show_problems(summary: dict[str, Any]) -> None:
    """What is wrong, by table, column and reason."""
    st.markdown(
        f"**{words.count(summary['failed'], 'row')}** could not be taken over, for these reasons."
    )
    problems = summary["problems"]
    st.dataframe(
        {
            "Table": [problem["table"] for problem in problems],
            "Column": [problem["column"] for problem in problems],
            "Reason": [problem["reason"] for problem in problems],
            "Rows": [problem["rows"] for problem in problems],
        },
        hide_index=True,
        width="stretch",
        column_config={"Reason": _LARGE},
        alt="What is wrong with rows",
    )


def show_rows(rows: Sequence[FaultyRow]) -> None:
    """Row by row, as they stand in the error queue."""
    with st.expander("Row by row"):
        st.caption(
            "They wait in the error queue, on the page Operations, under these references. Mend "
            "them in the old service: the next migration takes them over."
        )
        st.dataframe(
            {
                "Table": [row.table for row in rows],
                "Row": [row.row for row in rows],
                "Reference": [row.reference for row in rows],
                "Reason": [row.reason for row in rows],
            },
            hide_index=True,
            width="stretch",
            column_config={"Reason": _LARGE},
            alt="Rows in the error queue",
        )


def show_charges(differences: Sequence[dict[str, Any]]) -> None:
    """Charges of the old service against those of our own calculation, by cause."""
    st.markdown("**Charges of the old service against our own calculation**")
    st.table(
        {
            "Cause": [words.plain(difference["cause"]) for difference in differences],
            "Months": [f"{difference['months']:,}" for difference in differences],
            "Charges": [f"{difference['charges']:,}" for difference in differences],
            "Charged there": [
                words.pounds(difference["legacy_pence"]) for difference in differences
            ],
            "Our calculation": [
                words.pounds(difference["here_pence"]) for difference in differences
            ],
            "What it means": [CAUSES[difference["cause"]] for difference in differences],
        },
        hide_index=True,
    )
