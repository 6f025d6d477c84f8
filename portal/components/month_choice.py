"""Chooses the provider and the month that a page is about, and keeps them in the address."""

from __future__ import annotations

import datetime as dt
from typing import cast

import streamlit as st

from core.access.people import Membership, Person
from core.engine.tariff.months import parse_month
from core.submissions.months import (
    SubmissionRow,
    open_submission_for,
    selectable_datasets,
    selectable_months,
)
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from portal import words
from portal.database import engine


def choose_submission(person: Person) -> SubmissionRow:
    """The submission of the chosen provider and month, opened if it is new; stops where there
    is none."""
    providers = list(person.organisations("provider"))
    left, right = st.columns(2)
    with left:
        provider = _choose_provider(providers)
    dataset = _choose_dataset(person, provider)
    months = _months(person, provider, dataset)
    if not months:
        st.info(_none_yet(person, provider))
        st.stop()
    with right:
        chosen = st.selectbox(
            "Month", months, index=_index_in_address(months), format_func=words.month, key="month"
        )
    st.query_params["month"] = f"{chosen:%Y-%m}"
    st.query_params["provider"] = str(provider.code)
    with engine().begin() as connection:
        submission = open_submission_for(
            connection, person.scope, _id(provider), chosen, dataset=dataset
        )
    if submission is None:
        st.info("Nothing has been uploaded for this month yet.")
        st.stop()
    return submission


def _none_yet(person: Person, provider: Membership) -> str:
    if person.may(Action.SUBMIT, _id(provider)):
        return (
            f"No configuration names {words.plain(str(provider.name))} yet, so there is no month "
            "to submit. Ask the lead commissioner of your area."
        )
    return "Nothing has been uploaded yet. A month appears here once somebody has begun it."


def _choose_provider(providers: list[Membership]) -> Membership:
    codes = [provider.code for provider in providers]
    code = st.query_params.get("provider")
    return st.selectbox(
        "Provider",
        providers,
        index=codes.index(code) if code in codes else 0,
        format_func=lambda provider: f"{provider.name} ({provider.code})",
        key="provider",
    )


def _choose_dataset(person: Person, provider: Membership) -> str | None:
    """The data set that the page is about; nobody is asked where the provider has just one."""
    with engine().connect() as connection:
        titles = selectable_datasets(connection, person.scope, _id(provider), str(provider.code))
    names = list(titles)
    if len(names) < 2:
        return names[0] if names else None
    in_address = st.query_params.get("dataset")
    chosen = st.selectbox(
        "Data set",
        names,
        index=names.index(in_address) if in_address in names else 0,
        format_func=lambda name: titles[name],
        key="dataset",
    )
    st.query_params["dataset"] = chosen
    return chosen


def _months(person: Person, provider: Membership, dataset: str | None) -> list[dt.date]:
    with engine().connect() as connection:
        return selectable_months(
            connection, person.scope, _id(provider), str(provider.code), dataset=dataset
        )


def _index_in_address(months: list[dt.date]) -> int:
    try:
        return months.index(parse_month(st.query_params.get("month", "")))
    except (UserError, ValueError):
        return 0


def _id(provider: Membership) -> int:
    return cast("int", provider.organisation_id)  # a provider's role is in an organisation
