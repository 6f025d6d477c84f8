"""What a migration came to: all in all, table by table, what is in error, how charges differ."""

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
    there = sum(each["source_rows"] or 0 for each in summary["tables"].values())
    counts = {"Rows there": there, **{name: summary[key] for name, key in _COUNTS.items()}}
    for column, (name, number) in zip(st.columns(len(counts)), counts.items(), strict=True):
        column.metric(name, f"{number:,}")
    if summary["disagreeing"]:
        st.warning("Not as in the old service: " + ", ".join(summary["disagreeing"]))
    else:
        st.success("Rows, money and content of every table agree with the old service.")


def show_tables(migration: MigrationProgress) -> None:
    """Table by table: where it goes, where it stands, what came of its rows."""
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
    return [vars(each) for each in migration.tables]


def _rehearsed(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """A dry run leaves no tables behind, but what it found of each."""
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
    found = summary["problems"]
    st.dataframe(
        {
            "Table": [each["table"] for each in found],
            "Column": [each["column"] for each in found],
            "Reason": [each["reason"] for each in found],
            "Rows": [each["rows"] for each in found],
        },
        hide_index=True,
        width="stretch",
        column_config={"Reason": _LARGE},
        alt="What is wrong with rows",
    )


def show_rows(found: Sequence[FaultyRow]) -> None:
    """Row by row, as they stand in the error queue."""
    with st.expander("Row by row"):
        st.caption(
            "They wait in the error queue, on the page Operations, under these references. Mend "
            "them in the old service: the next migration takes them over."
        )
        st.dataframe(
            {
                "Table": [each.table for each in found],
                "Row": [each.row for each in found],
                "Reference": [each.reference for each in found],
                "Reason": [each.reason for each in found],
            },
            hide_index=True,
            width="stretch",
            column_config={"Reason": _LARGE},
            alt="Rows in the error queue",
        )


def show_charges(found: Sequence[dict[str, Any]]) -> None:
    """Charges of the old service against those of our own calculation, by cause."""
    st.markdown("**Charges of the old service against our own calculation**")
    st.table(
        {
            "Cause": [each["cause"] for each in found],
            "Months": [f"{each['months']:,}" for each in found],
            "Charges": [f"{each['charges']:,}" for each in found],
            "Charged there": [words.pounds(each["legacy_pence"]) for each in found],
            "Our calculation": [words.pounds(each["here_pence"]) for each in found],
            "What it means": [CAUSES[each["cause"]] for each in found],
        },
        hide_index=True,
    )
