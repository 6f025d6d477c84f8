"""The form that requests a report: its kind, party and period, and whether it is monthly."""

from __future__ import annotations

import datetime as dt

import streamlit as st
from pydantic import ValidationError

from core.access.people import Person
from core.areas.register_store import register_in_use
from core.engine.tariff.months import parse_month
from core.reports.requests import (
    ReportRequest,
    counterparts_to_show,
    datasets_to_show,
    months_to_show,
    request_report,
    year_from,
)
from core.reports.schedules import add_schedule
from core.user_errors import UserError
from core.vocabulary.permissions import SIDES, Action
from core.vocabulary.report_kinds import KINDS, ReportKind, Side
from portal import words
from portal.database import engine

_EVERY_MONTH = "And every month, when all have submitted"


def ask_for_report(person: Person) -> None:
    """Shows the form; says what to do where there is nothing to report yet."""
    views = [view for side in SIDES for view in person.scope.where(Action.SEE_CHARGES, side)]
    if not views:
        st.info("Your subscriptions have no reports.")
        return
    left, right = st.columns(2)
    chosen = left.selectbox(
        "For", views, format_func=lambda each: f"{each.name} ({each.code})", key="report-for"
    )
    side: Side = "provider" if chosen.role == "provider" else "commissioner"
    with engine().connect() as connection:
        months = months_to_show(connection, person.scope, side, str(chosen.code))
    if not months:
        st.info(
            "There is nothing to report yet: run a month as a draft or submit it first."
            if side == "provider"
            else "No provider has submitted charges to you yet."
        )
        return
    kind = right.selectbox(
        "Report",
        [
            kind
            for kind, about in KINDS.items()
            if side in about.sides and chosen.allows(about.action)
        ],
        format_func=lambda kind: KINDS[kind].title,
        key="report-kind",
    )
    st.caption(KINDS[kind].purpose)
    first, last = _choose_period(kind, months)
    if last < first:
        st.error("The last month is before the first. Choose them the other way round.")
        return
    # Backing Data fits every period; the kind follows once its own questions are answered.
    plain = ReportRequest(
        side=side,
        organisation=str(chosen.code),
        organisation_name=str(chosen.name),
        first_month=first,
        last_month=last,
        asked_by=person.name,
    )
    request = _of_kind(person, _of_dataset(person, plain), kind)
    if request is not None:
        _finish(person, request)


def _of_dataset(person: Person, plain: ReportRequest) -> ReportRequest:
    """The request with the data set that is chosen; nobody is asked where there is just one."""
    with engine().connect() as connection:
        services = datasets_to_show(connection, person.scope, plain)
    if not services:
        return plain
    chosen = st.selectbox(
        "Data set", list(services), format_func=lambda name: services[name], key="report-dataset"
    )
    return plain.model_copy(update={"dataset": chosen, "service": services[chosen]})


def _choose_period(kind: ReportKind, months: list[dt.date]) -> tuple[dt.date, dt.date]:
    span = KINDS[kind].span
    if span == "year":
        first = st.selectbox("Year", _years(months), format_func=_year_text)
        return first, year_from(first)
    index = _index_in_address(months)
    if span == "month":
        month = st.selectbox("Month", months, index=index, format_func=words.month)
        return month, month
    left, right = st.columns(2)
    first = left.selectbox("From", months, index=index, format_func=words.month)
    last = right.selectbox("To", months, index=index, format_func=words.month)
    return first, last


def _years(months: list[dt.date]) -> list[dt.date]:
    """Financial years first, then calendar years, the latest of each first."""
    financial = {dt.date(month.year - (month.month < 4), 4, 1) for month in months}
    calendar = {dt.date(month.year, 1, 1) for month in months}
    return [*sorted(financial, reverse=True), *sorted(calendar, reverse=True)]


def _year_text(first: dt.date) -> str:
    if first.month == 4:
        return f"Financial year {first.year}/{(first.year + 1) % 100:02}"
    return f"Calendar year {first.year}"


def _index_in_address(months: list[dt.date]) -> int:
    try:
        return months.index(parse_month(st.query_params.get("month", "")))
    except (UserError, ValueError):
        return 0


def _of_kind(person: Person, plain: ReportRequest, kind: ReportKind) -> ReportRequest | None:
    """The request with the choices of its kind; None, with the reason shown, if it is invalid."""
    values = {**plain.model_dump(), "kind": kind}
    if kind == ReportKind.DATA_EXTRACT:
        values["labels"] = st.checkbox("Write codes in words")
    elif kind != ReportKind.SUBMISSION_RECEIPT:
        values["only"] = _choose_counterparts(person, plain, to_one=KINDS[kind].to_one)
    try:
        return ReportRequest(**values)
    except ValidationError:
        st.info("Nobody pays charges of this period yet, so there is nothing to invoice.")
        return None


def _choose_counterparts(
    person: Person, request: ReportRequest, *, to_one: bool
) -> tuple[str, ...]:
    with engine().connect() as connection:
        counterparts = counterparts_to_show(connection, person.scope, request)
        names = register_in_use(connection).names
    label = "Commissioners" if request.side == "provider" else "Providers"

    def title(code: str) -> str:
        return f"{names[code]} ({code})" if code in names else code

    if to_one:
        code = st.selectbox("Commissioner", counterparts, format_func=title)
        return (code,) if code else ()
    return tuple(st.multiselect(label, counterparts, format_func=title, placeholder="All"))


def _finish(person: Person, request: ReportRequest) -> None:
    left, right = st.columns([1, 3], vertical_alignment="center")
    every_month = right.checkbox(_EVERY_MONTH)
    if not left.button("Make the report", type="primary"):
        return
    try:
        with engine().begin() as connection:
            request_report(connection, request, user_id=person.id)
            if every_month:
                add_schedule(connection, request, user_id=person.id)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()
