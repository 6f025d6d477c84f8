"""What stands where: the months of a provider, and what commissioners were charged."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.accounts.people import Membership, Person
from core.accounts.permissions import Action
from core.reports.overview import charged_to
from core.submissions.months import SubmissionRow, list_submissions
from core.submissions.states import SUBMISSION_TEXTS, SubmissionState
from portal import words
from portal.database import engine
from portal.links import link_to_page


def show(person: Person) -> None:
    """The page."""
    st.title("Home")
    if person.provider_ids:
        _months(person)
    for commissioner in person.scope.where(Action.SEE_CHARGES, "commissioner"):
        _charges(person, commissioner)
    if not person.memberships:
        st.info("You have no role in an organisation yet. Ask your administrator.")


def _months(person: Person) -> None:
    st.subheader("Your months")
    with engine().connect() as connection:
        submissions = list_submissions(connection, person.scope)
    if not submissions:
        st.write("Nothing has been uploaded yet.")
        link_to_page("upload", "Upload the files of a month")
    for submission in submissions:
        _month(submission)


def _month(submission: SubmissionRow) -> None:
    state = SubmissionState(submission.state)
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            st.markdown(f"**{submission.month_text}**, {submission.provider_name}")
            st.caption(submission.failure or SUBMISSION_TEXTS[state])
        with right:
            if state in (SubmissionState.OPEN, SubmissionState.FAILED):
                link_to_page("upload", "Files", submission)
            link_to_page("submission", "Submission", submission)


def _charges(person: Person, commissioner: Membership) -> None:
    st.subheader(f"Charged to {commissioner.name}")
    with engine().connect() as connection:
        rows = charged_to(connection, person.scope, str(commissioner.code))
    if not rows:
        st.write("No provider has submitted charges yet.")
        return
    table = pd.DataFrame(
        [(words.month(row.month), row.provider_name, row.charges, row.pence / 100) for row in rows],
        columns=["Month", "Provider", "Charges", "Amount"],
    )
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            "Charges": st.column_config.NumberColumn(format="%,d"),
            "Amount": st.column_config.NumberColumn(format="£%,.2f"),
        },
        alt="Charges and amount by month and provider",
    )
    link_to_page("reports", "Get the Backing Data")
