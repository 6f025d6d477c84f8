"""Charges: filtered, summed, drawn, and each with the reasons why it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from core.access.people import Person
from core.areas.register_store import register_in_use
from core.configurations.published_names import currency_names
from core.submissions.queries.charge_list import (
    ChargeFilter,
    Sum,
    VisibleRun,
    sums_of,
    visible_runs,
)
from core.vocabulary.permissions import Action
from portal import words
from portal.components.charge_lines import show_lines
from portal.components.charge_sums import show_sums
from portal.components.lost_codes import show_lost_codes
from portal.database import engine
from portal.links import link_to_page

_KINDS = {"final": "submitted", "draft": "draft"}


def show(person: Person) -> None:
    """The page."""
    st.title("Charges")
    with engine().connect() as connection:
        runs = visible_runs(connection, person.scope)
    if not runs:
        st.info("There are no charges for you yet: no month has been run, or submitted to you.")
        link_to_page("submission", "Go to the submission")
        return
    run = _choose_run(runs)
    with engine().connect() as connection:
        sums = sums_of(connection, run)
        names = currency_names(connection, [run.run_id])
        areas = register_in_use(connection).names
    chosen = _filter(sums, names, areas)
    wanted = [each for each in sums if _fits(each, chosen)]
    show_sums(wanted, names, areas)
    if _sees_lines(person, run):
        show_lines(run, chosen, sum(each.charges for each in wanted), names, areas)
        show_lost_codes(run)
    else:
        st.caption("Your subscription shows sums; single charges are not part of it.")


def _sees_lines(person: Person, run: VisibleRun) -> bool:
    """Single charges are of patient level."""
    if run.own:
        return person.may(Action.SEE_BACKING_DATA, run.provider_id)
    return set(run.payers) <= set(person.scope.codes(Action.SEE_BACKING_DATA))


def _choose_run(runs: list[VisibleRun]) -> VisibleRun:
    found = st.selectbox(
        "Month",
        runs,
        index=_asked_for(runs),
        format_func=lambda run: (
            f"{words.month(run.month)}, {run.provider_name}, {_KINDS[run.kind]}"
        ),
    )
    st.query_params["provider"] = found.provider
    st.query_params["month"] = f"{found.month:%Y-%m}"
    return found


def _asked_for(runs: list[VisibleRun]) -> int:
    """The place of the month, and the provider where one is named, of the address; or the first."""
    provider, month = st.query_params.get("provider"), st.query_params.get("month")
    fitting = (
        place
        for place, run in enumerate(runs)
        if month in (None, f"{run.month:%Y-%m}") and provider in (None, run.provider)
    )
    return next(fitting, 0)


def _filter(sums: list[Sum], names: dict[str, str], areas: dict[str, str]) -> ChargeFilter:
    clinic, currency, payer = st.columns(3)
    chosen = ChargeFilter()
    with clinic:
        asked = st.query_params.get("clinic")
        found = _one_of("Clinic", {each.clinic for each in sums}, lambda code: code, asked)
        chosen = replace(chosen, clinic=found)
    with currency:
        found = _one_of(
            "Currency", {each.currency for each in sums}, lambda c: words.named(c, names.get(c))
        )
        chosen = replace(chosen, currency=found)
    with payer:
        payers = {each.commissioner for each in sums if each.commissioner is not None}
        found = _one_of("Commissioner", payers, lambda code: areas.get(code, code))
        return replace(chosen, commissioner=found)


def _one_of(
    label: str, values: set[str], said: Callable[[str], str], asked: str | None = None
) -> str | None:
    options = sorted(values)
    at = options.index(asked) if asked in options else None
    return st.selectbox(label, options, index=at, format_func=said, placeholder="all of them")


def _fits(each: Sum, chosen: ChargeFilter) -> bool:
    return (
        chosen.clinic in (None, each.clinic)
        and chosen.currency in (None, each.currency)
        and chosen.commissioner in (None, each.commissioner)
    )
