"""Indicators: their values, trends and peers; for some people an editor."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from core.access.people import Person
from core.kpis.definitions import Kpi
from core.kpis.definitions import shown as figure
from core.kpis.results import Result, VisibleProvider, results_of, visible_providers
from core.vocabulary.permissions import Action
from portal import words
from portal.components.kpi_editor import show_editor
from portal.components.kpi_trend import show_trend
from portal.database import engine

_BANDS = {"good": ("good", "green"), "fair": ("fair", "orange"), "poor": ("poor", "red")}
_NO_FIGURES = "There are no figures for you yet: no provider has submitted charges to you."
_NEVER_FIGURES = (
    "Figures are for providers and commissioners. On the next tab you write indicators and "
    "publish them."
)


def show(person: Person) -> None:
    """The page."""
    st.title("Indicators")
    if not person.may(Action.EDIT_CONFIGURATION):
        _show_figures(person)
        return
    figures, writing = st.tabs(["Figures", "Write and publish"])
    with figures:
        _show_figures(person)
    with writing:
        show_editor(person)


def _show_figures(person: Person) -> None:
    with engine().connect() as connection:
        providers = visible_providers(connection, person.scope)
    if not providers:
        st.info(_NO_FIGURES if person.is_of_an_organisation else _NEVER_FIGURES)
        return
    provider = st.selectbox(
        "Provider", providers, format_func=lambda provider: f"{provider.name} ({provider.code})"
    )
    with engine().connect() as connection:
        results = results_of(connection, person.scope, [provider.code], final_only=not provider.own)
    if not results:
        st.info("Nothing is measured yet. Figures appear a moment after a month was run.")
        return
    months = sorted({result.month for result in results}, reverse=True)
    month = st.selectbox("Month", months, format_func=words.month)
    for name in dict.fromkeys(result.kpi.kpi for result in results):
        of_kpi = [result for result in results if result.kpi.kpi == name]
        for result in of_kpi:
            if result.month == month:
                _show_result(result, of_kpi, provider)


def _show_result(result: Result, history: list[Result], provider: VisibleProvider) -> None:
    kpi = result.kpi
    limit = provider.hide_below
    with st.container(border=True, key=f"kpi-{kpi.kpi}"):
        left, middle, right = st.columns([5, 2, 4], vertical_alignment="center")
        left.markdown(f"**{words.plain(kpi.title)}**  \n{words.plain(kpi.description)}")
        if result.failure is not None:
            middle.markdown("no figure")
            right.caption(words.plain(result.failure))
            return
        if result.is_small(limit):
            middle.markdown("hidden")
            right.caption(f"Rests on fewer than {limit}.")
            return
        band = _BANDS.get(result.band or "")
        badge = f" :{band[1]}-badge[{band[0]}]" if band else ""
        middle.markdown(f"### {figure(kpi.unit, result.value)}{badge}")
        right.caption(_others(result))
        how = st.expander("Trend, and how it is measured", key=f"how-{kpi.kpi}", on_change="rerun")
        if how.open:
            with how:
                show_trend([result for result in history if not result.is_small(limit)])
                st.caption(f"Source: {words.plain(kpi.source)}" if kpi.source else "")
                _show_query(kpi)


def _show_query(kpi: Kpi) -> None:
    if kpi.sql:
        st.code(kpi.sql, language=None, wrap_lines=True)  # its colours are too pale (WCAG 1.4.3)
        return
    st.caption("The old service measured it; nothing here does. Its query there was:")
    st.code(kpi.old_query or "not known", language=None)


def _counted(result: Result) -> str:
    if result.kpi.unit == "pounds":
        return f"{figure('pounds', result.numerator)} over {result.denominator:,.0f}"
    terms = [term or Decimal(0) for term in (result.numerator, result.denominator)]
    places = 0 if all(term == int(term) for term in terms) else 2
    return " of ".join(f"{term:,.{places}f}" for term in terms)


def _others(result: Result) -> str:
    counted = _counted(result)
    if result.taken_over:
        counted += ", as the old service measured it"
    peers = result.peers
    if peers is None:
        return f"{counted}. Fewer than three others submitted this month."
    unit = result.kpi.unit
    return (
        f"{counted}. Half of {peers.count} others lie between {figure(unit, peers.lower)} "
        f"and {figure(unit, peers.upper)}."
    )
