"""The tariff configurations, to read: dates, providers, currencies and combinations."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.tariffs.configuration import Configuration, Currency
from core.tariffs.readable import readable_configurations
from portal import words
from portal.database import engine

CROSS_CHARGE = {
    "full": "where the patient lives",
    "local_unlimited": "where the patient lives, if it takes part; the host if unknown",
    "local_limited": "where the patient lives, if it takes part",
    "none": "the clinic's host",
}


def show_tariffs(wanted: list[str]) -> None:
    """The section of the page."""
    with engine().connect() as connection:
        found = readable_configurations(connection)
    if not found:
        st.info("No tariff has been imported yet.")
        return
    chosen = st.selectbox(
        "Tariff", found, format_func=lambda each: each.title or each.configuration, key="tariff"
    )
    _show(chosen, wanted)


def _show(tariff: Configuration, wanted: list[str]) -> None:
    st.markdown(
        f":blue-badge[{tariff.status}] In force from {words.day(tariff.start)} to "
        f"{words.day(tariff.end)}. A month is submitted within {tariff.submit_within_days} days of "
        "its end."
    )
    st.caption(f"Providers: {', '.join(tariff.providers)}")
    rows = [_row(each, tariff) for each in tariff.currencies if _fits(each, wanted)]
    st.dataframe(
        pd.DataFrame(
            rows or [_row(each, tariff) for each in tariff.currencies],
            columns=["Code", "Name", "Primary", "Additional", "Who pays", "Fired by"],
        ),
        hide_index=True,
        width="stretch",
        column_config={"Fired by": st.column_config.Column(width="large")},
        alt="The currencies of the tariff",
    )
    if tariff.combinations:
        st.markdown("**What may not be charged together**")
        st.table(
            {
                "If": [" and ".join(each.members) for each in tariff.combinations],
                "Then": [" and ".join(each.results) or "nothing" for each in tariff.combinations],
            },
            hide_index=True,
        )


def _fits(currency: Currency, wanted: list[str]) -> bool:
    said = " ".join((currency.code, currency.name, *currency.triggers)).casefold()
    return all(word in said for word in wanted)


def _row(currency: Currency, tariff: Configuration) -> tuple[str, ...]:
    rates = (
        ("not shown", "not shown")
        if tariff.hide_rates
        else (words.pounds(currency.primary), words.pounds(currency.additional))
    )
    return (
        currency.code,
        currency.name,
        *rates,
        CROSS_CHARGE[currency.cross_charge],
        "; ".join(currency.triggers),
    )
