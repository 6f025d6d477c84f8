"""Migration: what was taken over from the old service, table by table; its report; sign-off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from core.accounts.people import Person
from core.migration.progress import (
    MigrationProgress,
    newest_migrations,
    progress_of,
    rows_in_error,
)
from core.migration.recalculating import CAUSES
from core.migration.runs import request_or_go_on, sign_off
from core.migration.states import MigrationState
from core.settings import settings
from core.user_errors import UserError
from portal import words
from portal.database import engine
from portal.downloads import link_to
from portal.fragments import refreshed

_COLOURS = {
    MigrationState.PLANNED: "gray",
    MigrationState.RUNNING: "blue",
    MigrationState.COMPLETE: "green",
    MigrationState.INCOMPLETE: "orange",
    MigrationState.FAILED: "red",
}
_COLUMNS = {
    "Table": "table",
    "State": "state",
    "In the old service": "source_rows",
    "Rows read": "rows_read",
    "New": "new",
    "Changed": "changed",
    "Gone": "gone",
    "In error": "failed",
}


def show(person: Person) -> None:
    """The page."""
    st.title("Migration")
    _begin(person)
    _follow(person)


def _begin(person: Person) -> None:
    if settings().legacy_url is None:
        st.info("The settings name no old service (GROUPER_LEGACY_URL): nothing is taken over.")
        return
    st.markdown("Every night what is new or changed in the old service is taken over.")
    with st.container(horizontal=True):
        if st.button("Take over now", type="primary"):
            _act(lambda c: _ask(c, person, dry_run=False))
        if st.button("Dry run"):
            _act(lambda c: _ask(c, person, dry_run=True))


def _ask(connection: Connection, person: Person, *, dry_run: bool) -> None:
    reason = f"asked for by {person.name}"
    request_or_go_on(connection, user_id=person.id, reason=reason, dry_run=dry_run)


@refreshed(seconds=2)
def _follow(person: Person) -> None:
    with engine().connect() as connection:
        found = [
            progress_of(connection, person.scope, each)
            for each in newest_migrations(connection, person.scope, 6)
        ]
    if not found:
        st.write("There was no migration yet.")
        return
    _show(person, found[0])
    if len(found) > 1:
        st.markdown("**Earlier migrations**")
        for migration in found[1:]:
            st.markdown(f"- {_line(migration)}")
            _show_report(person, migration)


def _line(migration: MigrationProgress) -> str:
    asked = words.moment(migration.requested_at)
    what = _what(migration)
    signed = _signature(migration)
    return f"Migration {migration.id}{what}, {asked} UTC: {migration.state}. {signed}"


def _what(migration: MigrationProgress) -> str:
    table = f", only {migration.only_table}" if migration.only_table else ""
    return (", a dry run" if migration.dry_run else "") + table


def _signature(migration: MigrationProgress) -> str:
    if migration.signed_at is None:
        return ""
    note = f": {words.plain(migration.sign_note)}" if migration.sign_note else ""
    who = words.plain(migration.signed_name or "")
    return f"Signed by {who}, {words.moment(migration.signed_at)} UTC{note}."


def _show(person: Person, migration: MigrationProgress) -> None:
    with st.container(border=True, key="last-migration"):
        st.markdown(
            f"**Migration {migration.id}**{_what(migration)} "
            f":{_COLOURS[migration.state]}-badge[{migration.state}]  \n"
            f"Asked for {words.moment(migration.requested_at)} UTC. {migration.state.text}"
        )
        if migration.failure:
            st.error(migration.failure)
        if migration.moving and migration.tables:
            st.progress(migration.done / len(migration.tables))
        if migration.tables:
            _show_tables(migration)
        if migration.summary:
            _show_summary(person, migration)
        _show_report(person, migration)
        _show_signature(person, migration)


def _show_tables(migration: MigrationProgress) -> None:
    table = {
        heading: [getattr(each, name) for each in migration.tables]
        for heading, name in _COLUMNS.items()
    }
    st.dataframe(table, hide_index=True, width="stretch", alt="The migration, table by table")


def _show_summary(person: Person, migration: MigrationProgress) -> None:
    summary = migration.summary or {}
    if summary["disagreeing"]:
        st.warning("Not as in the old service: " + ", ".join(summary["disagreeing"]))
    else:
        st.success("Rows, money and content of every table agree with the old service.")
    if summary["failed"]:
        _show_problems(summary)
        if not migration.dry_run:
            _show_rows(person)
    if summary["charges"]:
        _show_charges(summary["charges"])


def _show_problems(summary: dict[str, Any]) -> None:
    st.markdown(
        f"**{words.count(summary['failed'], 'row')}** could not be taken over, for these reasons."
    )
    st.dataframe(
        {
            "Table": [each["table"] for each in summary["problems"]],
            "Column": [each["column"] for each in summary["problems"]],
            "Reason": [each["reason"] for each in summary["problems"]],
            "Rows": [each["rows"] for each in summary["problems"]],
        },
        hide_index=True,
        width="stretch",
        column_config={"Reason": st.column_config.Column(width="large")},
        alt="What is wrong with rows",
    )


def _show_rows(person: Person) -> None:
    """Row by row, as they stand in the error queue."""
    with engine().connect() as connection:
        found = rows_in_error(connection, person.scope)
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
            column_config={"Reason": st.column_config.Column(width="large")},
            alt="Rows in the error queue",
        )


def _show_charges(found: list[dict[str, Any]]) -> None:
    st.markdown("**Charges of the old service against our own calculation**")
    st.dataframe(
        {
            "Cause": [each["cause"] for each in found],
            "Months": [each["months"] for each in found],
            "Charges": [each["charges"] for each in found],
            "Charged there": [f"£{each['legacy_pence'] / 100:,.2f}" for each in found],
            "Our calculation": [f"£{each['here_pence'] / 100:,.2f}" for each in found],
            "What it means": [CAUSES[each["cause"]] for each in found],
        },
        hide_index=True,
        width="stretch",
        alt="Differences of charges by cause",
    )


def _show_report(person: Person, migration: MigrationProgress) -> None:
    if migration.report_key is not None:
        name = migration.report_key.rpartition("/")[2]
        st.markdown(f"[Report of migration {migration.id}]"
                    f"({link_to(migration.report_key, name, person.id)})")  # fmt: skip


def _show_signature(person: Person, migration: MigrationProgress) -> None:
    if migration.signed_at is not None:
        st.markdown(_signature(migration))
    if not migration.may_be_signed:
        return
    with st.form("sign-off", border=False):
        note = st.text_input("Note", placeholder="what was looked at, and by whom")
        st.caption("Signing says that what was taken over is right. It cannot be taken back.")
        if st.form_submit_button("Sign off"):
            _act(
                lambda c: sign_off(c, migration.id, user_id=person.id, name=person.name, note=note)
            )


def _act(verb: Callable[[Connection], object]) -> None:
    try:
        with engine().begin() as connection:
            verb(connection)
    except UserError as wrong:
        st.error(str(wrong))
    else:
        st.rerun()
