"""Uploads a month's files, follows their check, corrects errors."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from core.engine.calculation.accounting import rows_in_words
from core.submissions.commands.uploads import CHANGEABLE, SubmissionLocked, remove_file
from core.submissions.months import SubmissionRow, submission_for
from core.submissions.queries.file_list import FileRow, files_of
from core.submissions.versions import has_version, specification_for
from core.user_errors import UserError
from core.vocabulary.states.submissions import FileState, SubmissionState
from portal import words
from portal.components.check_progress import show_check
from portal.components.error_corrections import show_errors
from portal.components.headings_form import show_headings
from portal.components.month_choice import choose_submission
from portal.components.uploader import activity_uploader
from portal.database import engine
from portal.fragments import refreshed
from portal.links import link_to_page
from portal.uploads import PATH, ticket_for

_BADGES = {
    FileState.RECEIVED: ("waiting", "gray"),
    FileState.CHECKING: ("checking", "blue"),
    FileState.UNCONFIRMED: ("headings to confirm", "violet"),
    FileState.REJECTED: ("cannot be read", "red"),
    FileState.IN_ERROR: ("has errors", "orange"),
    FileState.READY: ("ready", "green"),
}


def show(person: Person) -> None:
    """The page."""
    st.title("Upload")
    submission = choose_submission(person)
    if submission.state in CHANGEABLE:
        _upload(person, submission)
    else:
        st.info(words.plain(str(SubmissionLocked(submission))))
    with engine().connect() as connection:
        files = files_of(connection, person.scope, submission.id)
    if not files:
        st.subheader("No files yet")
        st.write(
            "Choose the files of the month above, or drop them there. They are checked at once; "
            "only headings that are new for your provider are shown to you first."
        )
        return
    st.subheader("Files")
    if any(file.moving for file in files):
        _follow(person, submission.id)
        return
    for file in files:
        _show_file(person, submission, file)
        _show_findings(person, submission, file)
    if all(file.state == FileState.READY for file in files):
        st.success("Every file is ready.")
        link_to_page("submission", "Go to the submission", submission)


def _may_be_transposed(submission: SubmissionRow) -> bool:
    """Whether the data set has codes that may come one a row."""
    with engine().connect() as connection:
        if not has_version(connection, submission):
            return False
        fields = specification_for(connection, submission).fields
    return any(field.transpose_from for field in fields)


def _upload(person: Person, submission: SubmissionRow) -> None:
    if submission.state == SubmissionState.DRAFT:
        st.info("There is a draft. A new file takes it back, so that you can run it again.")
    transpose = _may_be_transposed(submission) and st.checkbox(
        "These files have one activity code a row (transpose)",
        help="Several rows are about the same person, place and date, and each has one code.",
    )
    look = st.checkbox(
        "Show me the headings before these files are checked",
        help="Without this you are asked only about headings that are new for your provider.",
    )
    arrived = activity_uploader(
        url=PATH, ticket=ticket_for(person, submission.id), transpose=transpose, look=look
    )
    if arrived:
        st.toast(f"{words.count(arrived, 'file')} uploaded")


@refreshed(seconds=1)
def _follow(person: Person, submission_id: int) -> None:
    """Shows the files while they are checked; reloads the page when all are checked."""
    with engine().connect() as connection:
        files = files_of(connection, person.scope, submission_id)
        submission = submission_for(connection, person.scope, submission_id)
    if not any(file.moving for file in files):
        st.rerun()
    for file in files:
        _show_file(person, submission, file)


def _show_file(person: Person, submission: SubmissionRow, file: FileRow) -> None:
    name, colour = _BADGES[file.state]
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="top")
        with left:
            st.markdown(f"**{words.plain(file.name)}** :{colour}-badge[{name}]")
            st.write(words.plain(file.text))
            st.caption(_facts(file))
            if file.same_as is not None:
                st.warning(
                    f"This is the same file as {words.plain(file.same_as)}, uploaded twice. "
                    "Its records count once all the same; remove it if that was a slip."
                )
        if file.moving:
            if file.outdated and file.records:
                st.info("The rules for files changed, so this one is checked again by itself.")
            show_check(file)
            return
        with right:
            if submission.state in CHANGEABLE and st.button("Remove", key=f"remove-{file.id}"):
                _remove(person, file)


def _show_findings(person: Person, submission: SubmissionRow, file: FileRow) -> None:
    if submission.state in CHANGEABLE:
        show_headings(person, submission, file)
    if file.errors or file.warnings or file.corrections:
        with st.container(border=True, key=f"findings-{file.id}"):
            show_errors(person, file, changeable=submission.state in CHANGEABLE)


def _facts(file: FileRow) -> str:
    facts = [f"uploaded {words.moment(file.uploaded_at)} UTC"]
    if file.uploaded_by:
        facts[0] += f" by {words.plain(file.uploaded_by)}"
    facts.append(
        f"{file.size / 1_000_000:,.1f} MB" if file.size > 99_999 else f"{file.size:,} bytes"
    )
    if not file.moving and file.state != FileState.UNCONFIRMED:
        facts += [
            *_rows(file),
            words.count(file.records, "record"),
            words.count(file.errors, "error"),
            words.count(file.warnings, "warning"),
        ]
    return " · ".join(facts)


def _rows(file: FileRow) -> list[str]:
    """What became of the file's rows; empty where they were not counted."""
    if file.rows_there is None:
        return []
    rows = (file.rows_read or 0, file.rows_in_error or 0, file.rows_left_out or 0)
    return [rows_in_words(file.rows_there, *rows)]


def _remove(person: Person, file: FileRow) -> None:
    try:
        with engine().begin() as connection:
            remove_file(connection, file.id, user_id=person.id)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()
