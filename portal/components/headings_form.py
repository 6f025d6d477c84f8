"""The column of each heading of a file; it can be changed, and the choice is remembered."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.access.people import Person
from core.engine.dataset.fields import heading_key
from core.engine.dataset.specification import Specification
from core.engine.reading import Heading
from core.submissions.commands.heading_review import is_new
from core.submissions.commands.headings import (
    choices_of,
    choose_heading_row,
    choose_headings,
    confirm_headings,
)
from core.submissions.commands.uploads import recheck_file
from core.submissions.months import SubmissionRow
from core.submissions.queries.file_list import FileRow
from core.submissions.versions import specification_for
from core.vocabulary.states.submissions import FileState
from portal import words
from portal.acting import act
from portal.database import engine

LEFT_OUT = "(left out)"
Choices = dict[str, str | None]


def show_headings(person: Person, submission: SubmissionRow, file: FileRow) -> None:
    """The section of the page; nothing where the headings could not be read."""
    _offer_sheets(person, file)
    if file.first_rows:
        _offer_rows(person, file)
    if not any(each["heading"] for each in file.headings or []):
        return
    with engine().connect() as connection:
        specification = specification_for(connection, submission)
        remembered = choices_of(connection, submission.provider_id, specification)
    if not file.transpose and _has_a_code_a_row(file, specification):
        _offer_transposing(person, file)
    columns = _changeable(file, specification)
    if file.state == FileState.UNCONFIRMED:
        with st.container(border=True, key=f"look-{file.id}"):
            _confirm(person, file, specification, columns, remembered)
        return
    left_out = sum(column is None for column in columns.values())
    note = f", {left_out} left out" if left_out else ""
    with st.expander(f"{words.count(len(columns) - left_out, 'column')} matched{note}"):
        _change(person, file, specification, columns)


def _offer_rows(person: Person, file: FileRow) -> None:
    """The first rows of a file whose headings lack a required one, to choose theirs."""
    rows = file.first_rows or []
    st.warning(
        "A heading that every file needs is not in the first row. If the headings stand in another "
        "row, choose it; else say below what each of the headings is."
    )
    with st.form(f"heading-row-{file.id}", border=False):
        number = st.selectbox(
            "Row of the headings",
            range(1, len(rows) + 1),
            index=_likely_row(file),
            format_func=lambda row: (
                f"{row}: {' | '.join(filter(None, rows[row - 1])) or '(blank)'}"
            ),
        )
        if st.form_submit_button("Take the headings from this row"):
            act(lambda c: choose_heading_row(c, file.id, number, user_id=person.id))


def _likely_row(file: FileRow) -> int:
    """The index of the row with the most cells, the first of several."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in file.first_rows or []]
    return filled.index(max(filled))


def _offer_sheets(person: Person, file: FileRow) -> None:
    """Which sheet of a workbook is read, where there are several."""
    if not file.sheets or len(file.sheets) < 2 or file.moving:
        return
    read = file.sheet if file.sheet in file.sheets else file.sheets[0]
    with st.form(f"sheet-{file.id}", border=False):
        chosen = st.selectbox(
            "Sheet that is read",
            file.sheets,
            index=file.sheets.index(read),
            help="Only one sheet of a workbook is read. What stands on the others is left out.",
        )
        if st.form_submit_button("Read this sheet, and check again"):
            act(lambda c: recheck_file(c, file.id, user_id=person.id, sheet=chosen))


def _changeable(file: FileRow, specification: Specification) -> Choices:
    """The column of each heading, without the headings of transposed codes: they have none."""
    return {
        str(each["heading"]): each["column"]
        for each in file.headings or []
        if each["heading"] and (each["column"] is None or each["column"] in specification.columns)
    }


def _has_a_code_a_row(file: FileRow, specification: Specification) -> bool:
    """Whether the file has a heading for codes that are to be transposed."""
    carriers = {heading_key(name) for f in specification.fields for name in f.transpose_from}
    read = {heading_key(str(each["heading"])) for each in file.headings or []}
    slots = {heading_key(column) for f in specification.fields if f.repeat for column in f.columns}
    return bool(carriers & read) and not slots & read


def _offer_transposing(person: Person, file: FileRow) -> None:
    st.warning("This file seems to hold one activity code a row.")
    again = "" if file.state == FileState.UNCONFIRMED else ", and check again"
    if st.button(f"Read it so{again}", key=f"transpose-{file.id}"):
        act(lambda c: recheck_file(c, file.id, user_id=person.id, transpose=True))


def _confirm(
    person: Person,
    file: FileRow,
    specification: Specification,
    columns: Choices,
    remembered: Mapping[str, str | None],
) -> None:
    new = {
        heading: column
        for heading, column in columns.items()
        if is_new(Heading(heading, column), specification, remembered)
    }
    sure = {heading: column for heading, column in columns.items() if heading not in new}
    st.markdown("**Look at the headings before it is checked**")
    if new:
        st.write(
            "What these headings stand for was never said for this provider. Say it now, or keep "
            "what is proposed: it is remembered for the next files."
        )
    with st.form(f"look-{file.id}-form", border=False):
        chosen = _choose(file, specification, new)
        if sure:
            with st.expander(f"{words.count(len(sure), 'heading')} known", expanded=not new):
                chosen |= _choose(file, specification, sure)
        if st.form_submit_button("Check with these headings", type="primary"):
            choices = {
                heading: column
                for heading, column in chosen.items()
                if heading in new or column != columns[heading]
            }
            act(lambda c: confirm_headings(c, file.id, choices, user_id=person.id))


def _change(person: Person, file: FileRow, specification: Specification, columns: Choices) -> None:
    st.write("What is changed here is remembered for all files of this provider.")
    with st.form(f"headings-{file.id}", border=False):
        chosen = _choose(file, specification, _strange_first(columns))
        if st.form_submit_button("Keep, and check again"):
            choices = {
                heading: column for heading, column in chosen.items() if column != columns[heading]
            }
            act(lambda c: choose_headings(c, file.id, choices, user_id=person.id))


def _choose(file: FileRow, specification: Specification, columns: Choices) -> Choices:
    """Offers a column for each heading, in three columns; returns what is chosen."""
    options = [LEFT_OUT, *specification.columns]
    places = st.columns(3)
    chosen: Choices = {}
    for number, (heading, column) in enumerate(columns.items()):
        with places[number % 3]:
            picked = st.selectbox(
                words.plain(heading),
                options,
                index=options.index(column) if column else 0,
                key=f"heading-{file.id}-{heading}",
            )
        chosen[heading] = None if picked == LEFT_OUT else picked
    return chosen


def _strange_first(columns: Choices) -> Choices:
    return dict(sorted(columns.items(), key=lambda item: item[1] is not None))
