"""What each heading of a file was taken for; one can be changed, and is remembered."""

from __future__ import annotations

import streamlit as st

from core.accounts.people import Person
from core.datasets.published import current_specification
from core.datasets.specification import Specification, heading_key
from core.submissions.file_list import FileRow
from core.submissions.headings import choose_headings
from core.submissions.uploads import check_anew
from portal import words
from portal.acting import act
from portal.database import engine

LEFT_OUT = "(left out)"


def show_headings(person: Person, file: FileRow) -> None:
    """The section of the page; nothing where the headings could not be read."""
    if not file.headings:
        return
    with engine().connect() as connection:
        specification = current_specification(connection)
    if not file.transpose and _has_a_code_a_row(file, specification):
        _offer_transposing(person, file)
    found = {str(each["heading"]): each["column"] for each in file.headings}
    strange = [heading for heading, column in found.items() if column is None and heading]
    told = f", {len(strange)} left out" if strange else ""
    with st.expander(f"{words.count(len(found) - len(strange), 'column')} matched{told}"):
        _change(person, file, specification, found)


def _has_a_code_a_row(file: FileRow, specification: Specification) -> bool:
    """Whether a heading is one that holds the codes of files to be transposed."""
    carriers = {heading_key(name) for f in specification.fields for name in f.transpose_from}
    read = {heading_key(str(each["heading"])) for each in file.headings or []}
    slots = {heading_key(column) for f in specification.fields if f.repeat for column in f.columns}
    return bool(carriers & read) and not slots & read


def _offer_transposing(person: Person, file: FileRow) -> None:
    st.warning("This file seems to hold one activity code a row.")
    if st.button("Read it so, and check again", key=f"transpose-{file.id}"):
        act(lambda c: check_anew(c, file.id, user_id=person.id, transpose=True))


def _change(
    person: Person,
    file: FileRow,
    specification: Specification,
    found: dict[str, str | None],
) -> None:
    st.write("What is changed here is remembered for all files of this provider.")
    options = [LEFT_OUT, *specification.columns]
    with st.form(f"headings-{file.id}", border=False):
        columns = st.columns(3)
        chosen = {}
        for number, (heading, column) in enumerate(_strange_first(found)):
            with columns[number % 3]:
                chosen[heading] = st.selectbox(
                    heading or "(no heading)",
                    options,
                    index=options.index(column) if column in options else 0,
                    key=f"heading-{file.id}-{heading}",
                )
        if st.form_submit_button("Keep, and check again"):
            changed = {
                heading: None if column == LEFT_OUT else column
                for heading, column in chosen.items()
                if column != (found[heading] or LEFT_OUT)
            }
            act(lambda c: choose_headings(c, file.id, changed, user_id=person.id))


def _strange_first(found: dict[str, str | None]) -> list[tuple[str, str | None]]:
    return sorted(found.items(), key=lambda each: each[1] is not None)
