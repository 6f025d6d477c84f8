"""The findings of a file by cause: each is corrected, or confirmed, for all its rows at once."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from core.engine.dataset.corrections import is_right_everywhere
from core.engine.dataset.specification import Specification
from core.submissions.commands.uploads import undo_correction
from core.submissions.error_cause import Cause
from core.submissions.queries.error_list import MadeCorrection, causes, corrections_made
from core.submissions.queries.file_list import FileRow
from core.submissions.queries.suggestions import Suggestion, suggestions
from core.submissions.versions import specification_of_file
from portal import words
from portal.acting import act
from portal.components.correction_preview import Choice, preview
from portal.components.error_guidance import guide
from portal.components.error_rows_table import show_rows
from portal.components.warnings_list import show_warnings
from portal.database import engine
from portal.error_downloads import address_of

SHOWN = 40
"""The number of causes that one page offers to correct; the next follow once these are done."""
_ROW_BY_ROW = " Each row has its own right value: put them right under the rows below."
_DOWNLOADS = (
    ("marked", "Your file, wrong cells marked"),
    ("xlsx", "Errors as a workbook"),
    ("csv", "Errors as csv"),
)


def show_errors(person: Person, file: FileRow, *, changeable: bool) -> None:
    """Lists the errors, offers corrections, and lists the corrections made."""
    with engine().connect() as connection:
        specification = specification_of_file(connection, file.id)
        found_causes = causes(connection, person.scope, file.id)
        made = corrections_made(connection, person.scope, file.id)
        errors = [cause for cause in found_causes if cause.severity == "error"]
        offered = suggestions(connection, person.scope, file.id, errors, specification)
    if errors:
        _head(file, errors)
        _list(person, file, specification, errors, offered if changeable else None)
    show_warnings(person, file, [cause for cause in found_causes if cause.severity == "warning"])
    if found_causes:
        show_rows(person, file, specification, found_causes, changeable=changeable)
    if made:
        with st.expander(f"{words.count(len(made), 'correction')} made"):
            for correction in made:
                _show_correction(person, correction, changeable)


def _head(file: FileRow, errors: list[Cause]) -> None:
    st.markdown(
        f"**{words.count(file.errors, 'error')} of {words.count(len(errors), 'cause')}** "
        f"in {words.plain(file.name)}"
    )
    st.write(guide(file.records, file.errors, errors))
    with st.container(horizontal=True):
        for kind, label in _DOWNLOADS:
            st.link_button(label, address_of(file.id, kind))


def _list(
    person: Person,
    file: FileRow,
    specification: Specification,
    errors: list[Cause],
    offered: dict[tuple[str, str], Suggestion] | None,
) -> None:
    in_values = [
        cause for cause in errors if offered is not None and _can_mend(cause, specification)
    ]
    mendable = [cause for cause in in_values if _has_one_value(cause, specification)]
    for cause in errors:
        if cause not in mendable:
            own = _ROW_BY_ROW if cause in in_values else ""
            st.markdown(f"- {words.plain(cause.message)} {_place(cause)}{own}")
    if not mendable or offered is None:
        return
    with st.form(f"corrections-{file.id}", border=False):
        st.caption("Each right value replaces the wrong one in all its rows.")
        right = [
            (cause, _right_value(file, cause, specification, offered)) for cause in mendable[:SHOWN]
        ]
        if len(mendable) > SHOWN:
            st.caption(f"{len(mendable) - SHOWN} more causes follow once these are corrected.")
        if st.form_submit_button("See what will change", type="primary"):
            chosen = [
                Choice(cause, value, _only_row(cause, specification))
                for cause, value in right
                if value
            ]
            preview(person, file, chosen)


def _can_mend(cause: Cause, specification: Specification) -> bool:
    """Whether a value is wrong, which is replaced here; a file's shape is mended at its source."""
    return cause.field in specification.columns and cause.first_row is not None


def _has_one_value(cause: Cause, specification: Specification) -> bool:
    """Whether one right value is right in all rows of the cause."""
    return cause.rows == 1 or _only_row(cause, specification) is None


def _only_row(cause: Cause, specification: Specification) -> int | None:
    """The row of a cause whose right value is that row's own; None where it means all rows."""
    field = specification.columns[str(cause.field)]
    return None if is_right_everywhere(field, cause.value) else cause.first_row


def _place(cause: Cause) -> str:
    if cause.first_row is None:
        return ""
    return f"({words.count(cause.rows, 'row')}, the first is row {cause.first_row})"


def _right_value(
    file: FileRow,
    cause: Cause,
    specification: Specification,
    offered: dict[tuple[str, str], Suggestion],
) -> str | None:
    suggested = offered.get((cause.field or "", cause.value or ""))
    left, right = st.columns(2, vertical_alignment="center")
    with left:
        st.markdown(words.plain(" ".join(filter(None, (cause.message, _hint(suggested))))))
    with right:
        return _field(file, cause, specification, suggested)


def _hint(suggested: Suggestion | None) -> str:
    if suggested is None:
        return ""
    if suggested.sure:
        return f"{suggested.value} is filled in: {suggested.why}."
    return f"Perhaps {suggested.value}: {suggested.why}."


def _field(
    file: FileRow, cause: Cause, specification: Specification, suggested: Suggestion | None
) -> str | None:
    label = f"{cause.field}: {cause.value or '(blank)'} in {words.count(cause.rows, 'row')}"
    key = f"right-{file.id}-{cause.code}-{cause.field}-{cause.value}"
    labels = specification.codes_of(specification.columns[str(cause.field)])
    sure = suggested.value if suggested is not None and suggested.sure else None
    if labels:
        codes = list(labels)
        return st.selectbox(
            words.plain(label),
            codes,
            index=codes.index(sure) if sure in codes else None,
            format_func=lambda code: f"{code}: {labels[code]}",
            placeholder="Choose the right code",
            key=key,
        )
    typed = st.text_input(
        words.plain(label), value=sure or "", key=key, placeholder="The right value"
    )
    return typed.strip() or None


def _show_correction(person: Person, correction: MadeCorrection, changeable: bool) -> None:
    left, right = st.columns([5, 1], vertical_alignment="center")
    where = "all its rows" if correction.row is None else f"row {correction.row}"
    left.text(
        f"{correction.field}: {correction.wrong or '(blank)'} → "
        f"{correction.value or '(blank)'} in {where}, by {correction.made_by}, "
        f"{words.moment(correction.made_at)} UTC"
    )
    if changeable and right.button("Undo", key=f"undo-{correction.id}"):
        act(
            lambda c: undo_correction(c, correction.id, user_id=person.id),
            "Taken back. The file is checked again.",
        )
