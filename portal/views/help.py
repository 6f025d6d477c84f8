"""Help: what a check can find, the words, the data set with templates, the tariffs; searchable."""

from __future__ import annotations

import re
from functools import cache

import pandas as pd
import streamlit as st

from core.accounts.people import Person
from core.datasets.problems import CODES, Code
from core.datasets.published import current_specification
from core.datasets.specification import Specification
from core.datasets.templates import about
from core.settings import PROJECT
from core.user_errors import UserError
from portal import words
from portal.components.tariffs import show_tariffs
from portal.database import engine

_GLOSSARY = PROJECT / "docs/glossary.md"
_ENTRY = re.compile(r"^\| (?!word \||-)(.+?) \| (.+?) \|$", re.MULTILINE)


def show(person: Person) -> None:  # noqa: ARG001 - all may read all of it
    """The page."""
    st.title("Help")
    search = st.text_input("Search", placeholder="a word, a code, a field", key="search-help")
    wanted = search.casefold().split()
    errors, glossary, dataset, tariffs = st.tabs(
        ["What a check can find", "Words", "Data set and templates", "Tariffs"]
    )
    with errors:
        _show_errors(wanted)
    with glossary:
        _show_words(wanted)
    with dataset:
        _show_dataset(wanted)
    with tariffs:
        show_tariffs(wanted)


def fits(wanted: list[str], *texts: str) -> bool:
    """Whether every word stands somewhere in the texts."""
    said = " ".join(texts).casefold()
    return all(word in said for word in wanted)


def _show_errors(wanted: list[str]) -> None:
    found = [
        code
        for code in CODES
        if fits(wanted, code.name, code.title, code.message, code.mend, *code.wordings.values())
    ]
    if not found:
        st.write("No finding has these words.")
    for code in found:
        _show_code(code)


def _show_code(code: Code) -> None:
    colour = "red" if code.severity == "error" else "orange"
    with st.container(border=True):
        st.markdown(f"**{words.plain(code.title)}** :{colour}-badge[{code.severity}] `{code.name}`")
        st.markdown(f"How to mend it: {words.plain(code.mend)}")
        st.caption(f"Example: {words.plain(code.example)}")


def _show_words(wanted: list[str]) -> None:
    found = [entry for entry in glossary() if fits(wanted, *entry)]
    if not found:
        st.write("No entry has these words.")
        return
    st.table(
        {"Word": [word for word, _ in found], "Means": [meaning for _, meaning in found]},
        hide_index=True,
    )


@cache
def glossary() -> tuple[tuple[str, str], ...]:
    """Word and meaning, as docs/glossary.md has them; empty where it was not installed."""
    if not _GLOSSARY.exists():
        return ()
    return tuple(_ENTRY.findall(_GLOSSARY.read_text(encoding="utf-8")))


def _show_dataset(wanted: list[str]) -> None:
    try:
        with engine().connect() as connection:
            specification = current_specification(connection)
    except UserError as wrong:
        st.info(str(wrong))
        return
    st.markdown(f"**{words.plain(specification.title)}**, version {specification.version}")
    with st.container(horizontal=True):
        st.link_button("Template as a workbook with drop-downs", "/template/xlsx", type="primary")
        st.link_button("Template as csv", "/template/csv")
    _show_fields(specification, wanted)


def _show_fields(specification: Specification, wanted: list[str]) -> None:
    fields = [
        field
        for field in specification.fields
        if fits(wanted, field.name, about(field), *field.aliases)
    ]
    if fields:
        st.table(
            {
                "Field": [field.name for field in fields],
                "Holds": [about(field).partition(": ")[2] for field in fields],
                "Also known as": [", ".join(field.aliases) for field in fields],
            },
            hide_index=True,
        )
    st.subheader("Code lists")
    name = st.selectbox("Code list", list(specification.code_lists), key="help-code-list")
    codes = specification.code_lists.get(name, {})
    rows = [(code, label) for code, label in codes.items() if fits(wanted, code, label)]
    frame = pd.DataFrame(rows or list(codes.items()), columns=["Code", "Means"])
    st.dataframe(frame, hide_index=True, width="stretch", alt=f"The codes of {name}")
