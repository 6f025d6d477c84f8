"""Pathways, to read: steps, their consumables and costs on a day, prices by version."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import streamlit as st

from core.access.people import Person
from core.accounts.today import today
from core.migration.pathways import Pathway, Price, any_pathways, price_versions, read_pathways
from portal import words
from portal.database import engine

FIRST_DAY = dt.date(2000, 1, 1)
"""Without a minimum the calendar ends ten years ago."""


def has_pathways() -> bool:
    """Whether the page has anything to show."""
    with engine().connect() as connection:
        return any_pathways(connection)


def show(person: Person) -> None:  # noqa: ARG001 - all may read all of it
    """The page."""
    st.title("Pathways")
    on = st.date_input("Prices of", today(), min_value=FIRST_DAY, format="DD/MM/YYYY")
    with engine().connect() as connection:
        pathways = read_pathways(connection, on) if not isinstance(on, tuple) else []
        prices = price_versions(connection)
    if not pathways:
        st.info("No pathway has been taken over from the old service.")
        return
    st.caption(
        "As the old service kept them. Costs are of what steps use up, not of the time they take."
    )
    steps, listed = st.tabs(["Steps", "Prices"])
    with steps:
        by_id = {pathway.id: pathway for pathway in pathways}  # they change with the day of prices
        chosen = st.selectbox(
            "Pathway", list(by_id), format_func=lambda pathway_id: by_id[pathway_id].name
        )
        _show_pathway(by_id[chosen])
    with listed:
        _show_prices(prices)


def _show_pathway(pathway: Pathway) -> None:
    left, right = st.columns(2)
    left.metric("Time", words.count(pathway.minutes, "minute"))
    right.metric("Consumables", _money(pathway.cost))
    if pathway.unpriced:
        st.warning(f"Without a price on that day: {words.plain(', '.join(pathway.unpriced))}.")
    st.dataframe(
        {
            "Step": [step.name for step in pathway.steps],
            "After": [step.after or "" for step in pathway.steps],
            "Minutes": [step.minutes for step in pathway.steps],
            "Uses": [
                "; ".join(
                    f"{used.quantity.normalize():f} × {used.name}"
                    + (f" ({used.unit})" if used.unit else "")
                    for used in step.used
                )
                for step in pathway.steps
            ],
            "Cost": [_money(step.cost) for step in pathway.steps],
        },
        hide_index=True,
        width="stretch",
        column_config={"Uses": st.column_config.Column(width="large")},
        alt=f"The steps of {pathway.name}",
    )


def _show_prices(prices: list[Price]) -> None:
    st.dataframe(
        {
            "Consumable": [price.consumable for price in prices],
            "Unit": [price.unit or "" for price in prices],
            "Version": [price.version for price in prices],
            "Price": [_money(price.price) for price in prices],
            "From": [words.day(price.starts_on) for price in prices],
            "To": [words.day(price.ends_on) if price.ends_on else "" for price in prices],
        },
        hide_index=True,
        width="stretch",
        alt="Prices of consumables by version",
    )


def _money(pounds: Decimal) -> str:
    return f"£{pounds:,.2f}"
