"""Charges: filtered, summed, charted, and each with its reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from core.access.people import Person
from core.areas.register_store import register_in_use
from core.configurations.published_names import currency_names
from core.configurations.role_labels import labels_of_runs
from core.submissions.months import month_and_service
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
from portal.components.charge_names import ChargeNames
from portal.components.charge_sums import show_sums
from portal.components.lost_codes import show_lost_codes
from portal.components.month_doubts import show_decision
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
        names = ChargeNames(
            currency_names(connection, [run.run_id]),
            register_in_use(connection).names,
            labels_of_runs(connection, [run.run_id]),
        )
    show_decision(run.run_id, own=run.own)
    chosen = _filter(sums, names)
    fitting = [line for line in sums if _fits(line, chosen)]
    show_sums(fitting, names)
    if _sees_lines(person, run):
        count = sum(line.charges for line in fitting)
        show_lines(run, chosen, count, names)
        show_lost_codes(run, names.labels)
    else:
        st.caption("Your subscription shows sums; single charges are not part of it.")


def _sees_lines(person: Person, run: VisibleRun) -> bool:
    """Whether the person may see single charges, which are of patient level."""
    if run.own:
        return person.may(Action.SEE_BACKING_DATA, run.provider_id)
    return set(run.payers) <= set(person.scope.codes(Action.SEE_BACKING_DATA))


def _choose_run(runs: list[VisibleRun]) -> VisibleRun:
    chosen = st.selectbox(
        "Month",
        runs,
        index=_index_in_address(runs),
        format_func=lambda run: (
            f"{month_and_service(run.month, run.service)}, {run.provider_name}, {_KINDS[run.kind]}"
        ),
    )
    st.query_params["provider"] = chosen.provider
    st.query_params["month"] = f"{chosen.month:%Y-%m}"
    if chosen.service:
        st.query_params["dataset"] = chosen.dataset
    return chosen


def _index_in_address(runs: list[VisibleRun]) -> int:
    """The index of the run of the address's month and, if named, provider; 0 where none fits."""
    provider, month = st.query_params.get("provider"), st.query_params.get("month")
    dataset = st.query_params.get("dataset")
    fitting = (
        place
        for place, run in enumerate(runs)
        if month in (None, f"{run.month:%Y-%m}")
        and provider in (None, run.provider)
        and dataset in (None, run.dataset)
    )
    return next(fitting, 0)


def _filter(sums: list[Sum], names: ChargeNames) -> ChargeFilter:
    clinic, currency, payer = st.columns(3)
    chosen = ChargeFilter()
    with clinic:
        in_address = st.query_params.get("clinic")
        codes = {line.clinic for line in sums}
        clinic_code = _choose(
            words.plain(names.labels.clinic), codes, lambda code: code, in_address
        )
        chosen = replace(chosen, clinic=clinic_code)
    with currency:
        currency_code = _choose(
            "Currency",
            {line.currency for line in sums},
            lambda c: words.named(c, names.currencies.get(c)),
        )
        chosen = replace(chosen, currency=currency_code)
    with payer:
        payers = {line.commissioner for line in sums if line.commissioner is not None}
        payer_code = _choose("Commissioner", payers, lambda code: names.areas.get(code, code))
        return replace(chosen, commissioner=payer_code)


def _choose(
    label: str, codes: set[str], text_of: Callable[[str], str], chosen: str | None = None
) -> str | None:
    options = sorted(codes)
    index = options.index(chosen) if chosen in options else None
    return st.selectbox(label, options, index=index, format_func=text_of, placeholder="all of them")


def _fits(line: Sum, chosen: ChargeFilter) -> bool:
    return (
        chosen.clinic in (None, line.clinic)
        and chosen.currency in (None, line.currency)
        and chosen.commissioner in (None, line.commissioner)
    )
