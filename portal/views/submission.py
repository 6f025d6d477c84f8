"""Submits a month: what is missing, draft or final, the stages as they run, the result."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.access.people import Person
from core.accounts.clinics import place_clinic
from core.accounts.today import today
from core.areas.register_store import register_in_use
from core.submissions.clinics_to_place import clinics_to_place
from core.submissions.commands.requests import ACTIONS, RUNNABLE, RunKind, obstacles, request_run
from core.submissions.month_doubts import MonthDoubts, doubts_of
from core.submissions.months import SubmissionRow, submission_for
from core.submissions.queries.calendar import calendar_of
from core.submissions.queries.run_totals import RunSummary, run_summary
from core.submissions.stage_progress import stages_of
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from core.vocabulary.states.submissions import STAGES, SUBMISSION_TEXTS, SubmissionState
from portal import words
from portal.components.check_progress import show_stages
from portal.components.month_choice import choose_submission
from portal.components.month_doubts import (
    ask_for_a_reason,
    show_decision,
    show_doubts,
    show_open_warnings,
)
from portal.components.month_figures import receivers_text, show_against
from portal.components.readiness import show_readiness
from portal.components.run_history import show_runs
from portal.components.sums_table import show_sums_table
from portal.database import engine
from portal.fragments import refreshed
from portal.links import link_to_page, report_label

RUNNING = (SubmissionState.QUEUED, *STAGES)


def show(person: Person) -> None:
    """The page."""
    st.title("Submission")
    submission = choose_submission(person)
    if submission.state in RUNNING:
        _follow(person, submission.id)
        return
    _show_state(submission)
    outcome = None
    if submission.run_id is not None and person.may(Action.SEE_CHARGES, submission.provider_id):
        with engine().connect() as connection:
            outcome = run_summary(connection, person.scope, submission.run_id)
    with engine().connect() as connection:
        areas = register_in_use(connection).names
    if submission.state in RUNNABLE and _may_run(person, submission):
        _prepare(person, submission, outcome, areas)
    if outcome is not None:
        _show_outcome(person, submission, outcome, areas)
    if person.may(Action.SEE_CHARGES, submission.provider_id):
        show_runs(person, submission, outcome.currency_names if outcome else {}, areas)


def _show_state(submission: SubmissionRow) -> None:
    state = SubmissionState(submission.state)
    text = SUBMISSION_TEXTS[state]
    if state == SubmissionState.SUBMITTED:
        st.success(f"{submission.month_text} is submitted. Its charges are with commissioners.")
    elif state == SubmissionState.DRAFT:
        st.info(f"{submission.month_text} is calculated as a draft. Commissioners do not see it.")
    elif state == SubmissionState.FAILED:
        st.error(words.plain(submission.failure or text))
    else:
        st.write(text)


def _prepare(
    person: Person, submission: SubmissionRow, outcome: RunSummary | None, areas: dict[str, str]
) -> None:
    with engine().connect() as connection:
        missing = obstacles(connection, submission)
        doubts = doubts_of(connection, submission)
        clinics = clinics_to_place(connection, submission)
        calendar = calendar_of(connection, person.scope, today())
    if clinics:
        _place_clinics(person, submission, clinics)
    month = (submission.provider_id, submission.month, submission.dataset)
    show_readiness(
        submission,
        missing,
        next(
            (
                entry
                for entry in calendar
                if (entry.provider_id, entry.month, entry.dataset) == month
            ),
            None,
        ),
    )
    show_doubts(submission, doubts)
    show_open_warnings(person, submission)
    if missing:
        return
    if outcome is not None:
        show_against(person, submission, outcome.currency_names)
    kinds = [kind for kind, action in ACTIONS.items() if person.may(action, submission.provider_id)]
    for column, kind in zip(st.columns(len(kinds)), kinds, strict=True):
        with column:
            if kind == "draft":
                _offer_draft(person, submission)
            else:
                _offer_final(person, submission, receivers_text(outcome, areas), doubts)


def _may_run(person: Person, submission: SubmissionRow) -> bool:
    return any(person.may(action, submission.provider_id) for action in ACTIONS.values())


def _offer_draft(person: Person, submission: SubmissionRow) -> None:
    with st.container(border=True):
        st.markdown("**Draft**  \nCalculates the charges for you alone. As often as you like.")
        if st.button("Run as draft"):
            _request(person, submission, "draft")


def _offer_final(
    person: Person, submission: SubmissionRow, receivers: str, doubts: MonthDoubts
) -> None:
    with st.container(border=True):
        st.markdown(
            "**Final**  \nReleases the charges to every commissioner who pays one, and locks the "
            "month. To open it again, its host commissioner has to ask."
        )
        st.markdown(receivers)
        reason = ask_for_a_reason(doubts)
        sure = st.checkbox(f"Release the charges of {submission.month_text}")
        if st.button("Submit", type="primary", disabled=not sure or reason is None):
            _request(person, submission, "final", reason)


def _request(
    person: Person, submission: SubmissionRow, kind: RunKind, reason: str | None = None
) -> None:
    try:
        with engine().begin() as connection:
            request_run(connection, submission.id, kind, user_id=person.id, reason=reason)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()


def _place_clinics(person: Person, submission: SubmissionRow, clinics: list[str]) -> None:
    with engine().connect() as connection:
        register = register_in_use(connection)
    authorities = sorted(register.names, key=lambda code: register.names[code])
    st.subheader("New clinics")
    with st.form("clinics"):
        st.write("These clinics are new. Say which authority hosts each.")
        hosts = {
            clinic: st.selectbox(
                words.plain(clinic),
                authorities,
                index=None,
                format_func=lambda code: f"{register.names[code]} ({code})",
                placeholder="Choose the host authority",
            )
            for clinic in clinics
        }
        if st.form_submit_button("Place these clinics", type="primary"):
            with engine().begin() as connection:
                for clinic, host in hosts.items():
                    if host:
                        place_clinic(
                            connection,
                            submission.provider_id,
                            clinic,
                            host,
                            register=register,
                            user_id=person.id,
                        )
            st.rerun()


@refreshed(seconds=1)
def _follow(person: Person, submission_id: int) -> None:
    """Shows the stages as they run; reloads the page at the end."""
    with engine().connect() as connection:
        submission = submission_for(connection, person.scope, submission_id)
        stages = stages_of(connection, person.scope, submission_id)
    if submission.state not in RUNNING:
        st.rerun()
    st.subheader(f"{submission.month_text} is being calculated")
    show_stages(SubmissionState(submission.state), stages)
    st.caption("You can leave this page; the calculation goes on.")


def _show_outcome(
    person: Person, submission: SubmissionRow, outcome: RunSummary, names: dict[str, str]
) -> None:
    kind = "Final" if outcome.kind == "final" else "Draft"
    st.subheader(f"{kind} run, number {outcome.number}")
    figures = st.columns(4)
    figures[0].metric("Amount", words.pounds(outcome.amount_pence))
    figures[1].metric("Charges", f"{outcome.charges:,}")
    figures[2].metric("Episodes", f"{outcome.episodes:,}")
    figures[3].metric("Records", f"{outcome.records:,}")
    st.caption("  \n".join(map(words.plain, outcome.accounts)))
    show_decision(outcome.run_id, own=True)
    if outcome.overwritten:
        st.warning(
            f"{words.count(outcome.overwritten, 'code')} overwritten by a later record of the same "
            "episode earn nothing. Charges lists them, with what they would have added."
        )
    with st.container(horizontal=True):
        link_to_page("charges", "Look at the charges", submission)
        link_to_page("reports", report_label(person, submission.provider_id), submission)
    payers, currencies = st.tabs(["By commissioner", "By currency"])
    with payers:
        _totals(
            "Commissioner",
            [
                (names.get(code or "", code) or "Nobody is charged", count, pence)
                for code, count, pence in outcome.by_commissioner
            ],
        )
    with currencies:
        _totals(
            "Currency",
            [
                (outcome.currency_names.get(code, code), count, pence)
                for code, count, pence in outcome.by_currency
            ],
        )


def _totals(heading: str, rows: list[tuple[str, int, int]]) -> None:
    table = pd.DataFrame(rows, columns=[heading, "Charges", "Amount"])
    table["Amount"] = table["Amount"] / 100
    show_sums_table(table)
