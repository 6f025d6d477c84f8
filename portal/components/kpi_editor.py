"""Edits an indicator: a draft, a trial on a month, publication."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from pydantic import ValidationError
from sqlalchemy import Connection

from core.access.people import Person
from core.configurations.datasets import dataset_titles
from core.kpis.catalogue import KpiVersion, all_kpis, publish_kpi, retire_kpi, write_kpi
from core.kpis.definitions import Bands, Kpi, shown
from core.kpis.results import runs_to_try, visible_providers
from core.kpis.trials import Trial, ask_for_trial, get_trial
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from core.vocabulary.states.kpis import KpiState
from portal import words
from portal.database import engine
from portal.fragments import refreshed

_NEW = "a new indicator"
_UNITS = ("percent", "pounds", "per 1,000", "ratio")
_BETTER = {None: "neither", "higher": "higher is better", "lower": "lower is better"}
_TRIAL = "kpi-trial"


def show_editor(person: Person) -> None:
    """Offers the indicators and a new one: to edit as a draft, try and publish."""
    with engine().connect() as connection:
        versions = all_kpis(connection, person.scope)
        datasets = dataset_titles(connection)
    newest = {version.definition.kpi: version for version in reversed(versions)}
    name = st.selectbox(
        "Indicator",
        [_NEW, *sorted(newest, key=lambda kpi: newest[kpi].definition.title)],
        format_func=lambda kpi: newest[kpi].definition.title if kpi in newest else kpi,
    )
    chosen = newest.get(name)
    if chosen is not None:
        st.caption(_standing(chosen))
    written = _form(chosen, datasets)
    if written is not None:
        _keep(person, *written)
    if chosen is not None:
        _act(person, chosen)


def _standing(version: KpiVersion) -> str:
    who = f" by {words.plain(version.written_by)}" if version.written_by else ""
    return (
        f"Version {version.version}, written{who} on {words.day(version.written_at.date())}. "
        f"{version.state.text}"
    )


def _form(chosen: KpiVersion | None, datasets: dict[str, str]) -> tuple[str, Kpi] | None:
    """The data set and definition once the form is sent; None, with its errors shown, otherwise."""
    old = chosen.definition if chosen else None
    with st.form(f"kpi-{old.kpi if old else 'new'}"):
        left, right = st.columns(2)
        name = left.text_input(
            "Name, as in a-share-of-all", old.kpi if old else "", disabled=old is not None
        )
        title = right.text_input("Title", old.title if old else "")
        description = st.text_input("What it measures", old.description if old else "")
        source = st.text_input("Where it comes from", old.source if old else "")
        a, b, c, d = st.columns(4)
        unit = a.selectbox("Unit", _UNITS, index=_UNITS.index(old.unit) if old else 0)
        better = b.selectbox(
            "Direction",
            list(_BETTER),
            index=list(_BETTER).index(old.better if old else None),
            format_func=lambda better: _BETTER[better],
        )
        bands = old.bands if old else None
        good = c.text_input("Good from", str(bands.good) if bands else "")
        fair = d.text_input("Fair from", str(bands.fair) if bands else "")
        dataset = st.selectbox(
            "Data set", list(datasets), format_func=lambda dataset: datasets[dataset]
        )
        sql = st.text_area(
            "Query: one SELECT over episodes, records and charges that gives one row with "
            "numerator and denominator",
            old.sql
            if old and old.sql
            else "SELECT count(*) AS numerator, count(*) AS denominator\nFROM episodes",
            height=180,
        )
        if not st.form_submit_button("Keep as a draft", type="primary"):
            return None
    try:
        limits = {"good": good, "fair": fair}
        values = {"bands": Bands.model_validate(limits) if good or fair else None}
        kpi = Kpi(
            kpi=name, title=title, description=description, source=source,
            unit=unit, better=better, sql=sql, **values,
        )  # fmt: skip
    except ValidationError as wrong:
        for problem in wrong.errors():
            place = " ".join(str(part) for part in problem["loc"]) or "bands"
            st.error(words.plain(f"{place}: {problem['msg']}"))
        return None
    return dataset, kpi


def _keep(person: Person, dataset: str, kpi: Kpi) -> None:
    with engine().begin() as connection:
        write_kpi(connection, dataset, kpi, user_id=person.id)
    st.success(
        f"{words.plain(kpi.kpi)} is kept as a draft. Choose it above to try it and to publish it."
    )


def _act(person: Person, chosen: KpiVersion) -> None:
    if chosen.definition.sql:
        st.subheader("Try it on a month")
        _try(person, chosen)
    left, right = st.columns(2)
    may_publish = person.may(Action.PUBLISH_CONFIGURATION)
    if chosen.state == KpiState.DRAFT:
        if left.button("Publish", disabled=not may_publish):
            _do(lambda connection: publish_kpi(connection, chosen.id, user_id=person.id))
        if not may_publish:
            left.caption("An administrator publishes it.")
    if chosen.state != KpiState.RETIRED and may_publish and right.button("Retire"):
        _do(lambda connection: retire_kpi(connection, chosen.id, user_id=person.id))


def _do(change: Callable[[Connection], None]) -> None:
    try:
        with engine().begin() as connection:
            change(connection)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()


def _try(person: Person, chosen: KpiVersion) -> None:
    with engine().connect() as connection:
        providers = visible_providers(connection, person.scope)
        runs = {
            provider.code: runs_to_try(connection, person.scope, provider, chosen.dataset)
            for provider in providers
        }
    months = [
        (run_id, f"{provider.name}, {words.month(month)} ({kind})")
        for provider in providers
        for run_id, month, kind in runs[provider.code]
    ]
    if not months:
        st.caption("There is no month that you may see to try it on.")
        return
    run_id, _ = st.selectbox("Month", months, format_func=lambda month: month[1])
    if st.button("Try it"):
        try:
            with engine().begin() as connection:
                st.session_state[_TRIAL] = ask_for_trial(
                    connection, chosen.id, run_id, user_id=person.id
                )
        except UserError as wrong:
            st.error(words.plain(str(wrong)))
    trial = st.session_state.get(_TRIAL)
    if trial is not None:
        _follow(person, trial, chosen)


@refreshed(seconds=1)
def _follow(person: Person, trial_id: int, chosen: KpiVersion) -> None:
    with engine().connect() as connection:
        trial = get_trial(connection, person.scope, trial_id)
    if trial.kpi_id == chosen.id:
        _show_trial(trial, chosen)


def _show_trial(trial: Trial, chosen: KpiVersion) -> None:
    if not trial.done:
        st.info("Being tried…")
    elif trial.failure is not None:
        st.error(words.plain(trial.failure))
    elif trial.numerator is not None and trial.denominator is not None:
        kpi = chosen.definition
        value = kpi.value(trial.numerator, trial.denominator)
        st.success(f"{shown(kpi.unit, value)}: {trial.numerator:,} of {trial.denominator:,}")
