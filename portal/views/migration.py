"""Migration: the rows of the old service, table by table; the report; sign-off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from core.access.people import Person
from core.migration.progress import (
    MigrationProgress,
    newest_migrations,
    progress_of,
    rows_in_error,
)
from core.migration.runs import request_or_resume, sign_off
from core.settings import settings
from core.user_errors import UserError
from core.vocabulary.states.migration import MigrationState
from portal import words
from portal.components.migration_findings import (
    show_charges,
    show_problems,
    show_rows,
    show_summary,
    show_tables,
)
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
    request_or_resume(connection, user_id=person.id, reason=reason, dry_run=dry_run)


@refreshed(seconds=2)
def _follow(person: Person) -> None:
    with engine().connect() as connection:
        migrations = [
            progress_of(connection, person.scope, each)
            for each in newest_migrations(connection, person.scope, 6)
        ]
    if not migrations:
        st.write("There was no migration yet.")
        return
    _show(person, migrations[0])
    if len(migrations) > 1:
        st.markdown("**Earlier migrations**")
        for migration in migrations[1:]:
            st.markdown(f"- {_line(migration)}")
            _show_report(person, migration)


def _line(migration: MigrationProgress) -> str:
    requested = words.moment(migration.requested_at)
    what = _what(migration)
    signed = _signature(migration)
    return f"Migration {migration.id}{what}, {requested} UTC: {migration.state}. {signed}"


def _what(migration: MigrationProgress) -> str:
    table = f", only {words.plain(migration.only_table)}" if migration.only_table else ""
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
            f"Asked for {words.moment(migration.requested_at)} UTC. {_standing(migration)}"
        )
        if migration.failure:
            st.error(words.plain(migration.failure))
        if migration.moving and migration.tables:
            st.progress(migration.done / len(migration.tables))
        if migration.summary:
            show_summary(migration.summary)
        show_tables(migration)
        if migration.summary:
            _show_findings(person, migration, migration.summary)
        _show_report(person, migration)
        _show_signature(person, migration)


def _standing(migration: MigrationProgress) -> str:
    if migration.dry_run and not migration.moving:
        return "Nothing was written: this is what a migration would do."
    return migration.state.text


def _show_findings(person: Person, migration: MigrationProgress, summary: dict[str, Any]) -> None:
    if summary["failed"]:
        show_problems(summary)
    if summary["failed"] and not migration.dry_run:
        with engine().connect() as connection:
            show_rows(rows_in_error(connection, person.scope))
    if summary["charges"]:
        show_charges(summary["charges"])


def _show_report(person: Person, migration: MigrationProgress) -> None:
    if migration.report_key is not None:
        name = migration.report_key.rpartition("/")[2]
        st.markdown(f"[Report of migration {migration.id}]"
                    f"({link_to(migration.report_key, name, person)})")  # fmt: skip


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


def _act(command: Callable[[Connection], object]) -> None:
    try:
        with engine().begin() as connection:
            command(connection)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()
