"""Help: the findings of a check, the glossary, the data set with its templates; searchable."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from core.access.people import Person
from core.configurations.datasets import Version, all_versions
from core.engine.dataset.fields import Field
from core.engine.dataset.problems import CODES, Code
from core.engine.dataset.specification import Specification
from core.engine.dataset.templates import about
from core.settings import PROJECT
from portal import words
from portal.database import engine
from portal.links import link_to_page
from portal.searching import fits, words_of

_GLOSSARY = PROJECT / "docs/glossary.md"
_ENTRY = re.compile(r"^\| (?!word \||-)(.+?) \| (.+?) \|$", re.MULTILINE)


def show(person: Person) -> None:  # noqa: ARG001 - all may read all of it
    """The page."""
    st.title("Help")
    search = st.text_input("Search", placeholder="a word, a code, a field", key="search-help")
    search_words = words_of(search)
    version = _choose_version()
    specification = version.specification if version else None
    findings = [code for code in CODES if _speaks_of(code, search_words)]
    entries = [entry for entry in glossary() if fits(search_words, *entry)]
    if search_words:
        _count(findings, entries, specification, search_words)
    errors, meanings, dataset = st.tabs(
        ["What a check can find", "Words", "Data set and templates"]
    )
    with errors:
        _show_findings(findings)
    with meanings:
        _show_words(entries)
    with dataset:
        _show_dataset(version, search_words)
    st.caption("What is charged, when and at which rate stands on another page.")
    link_to_page("configurations", "Read the configurations")


def _choose_version() -> Version | None:
    """The version of the data set that is shown; where there are several, a person chooses."""
    with engine().connect() as connection:
        versions = all_versions(connection)
    if len(versions) < 2:
        return versions[0] if versions else None
    return st.selectbox(
        "Data set", versions, format_func=lambda version: version.title, key="help-version"
    )


def _count(
    findings: list[Code],
    entries: list[tuple[str, str]],
    specification: Specification | None,
    search_words: list[str],
) -> None:
    """Shows how many entries of each tab have the words."""
    counts = {"finding": len(findings), "word": len(entries)}
    if specification is not None:
        counts["field"] = len(_fields(specification, search_words))
        counts["code"] = len(_codes(specification, search_words))
    text = ", ".join(words.count(number, noun) for noun, number in counts.items() if number)
    st.markdown(f"Found: {text}." if text else "Nothing has these words. Try fewer, or a part.")


def _speaks_of(code: Code, search_words: list[str]) -> bool:
    return fits(
        search_words, code.name, code.title, code.message, code.mend, *code.wordings.values()
    )


def _show_findings(codes: list[Code]) -> None:
    if not codes:
        st.write("No finding has these words.")
    for code in codes:
        colour = "red" if code.severity == "error" else "orange"
        with st.container(border=True):
            st.markdown(
                f"**{words.plain(code.title)}** :{colour}-badge[{code.severity}] `{code.name}`"
            )
            st.markdown(f"How to mend it: {words.plain(code.mend)}")
            st.caption(f"Example: {words.plain(code.example)}")


def _show_words(entries: list[tuple[str, str]]) -> None:
    if not entries:
        st.write("No entry has these words.")
        return
    st.table(
        {"Word": [word for word, _ in entries], "Means": [meaning for _, meaning in entries]},
        hide_index=True,
    )


@cache
def glossary() -> tuple[tuple[str, str], ...]:
    """Word and meaning, as docs/glossary.md has them; empty where the file is not installed."""
    if not _GLOSSARY.exists():
        return ()
    return tuple(_ENTRY.findall(_GLOSSARY.read_text(encoding="utf-8")))


def _show_dataset(version: Version | None, search_words: list[str]) -> None:
    if version is None:
        st.info("No data set has been imported yet. An operator does it with `grouper import`.")
        return
    specification = version.specification
    st.markdown(
        f"**{words.plain(specification.title)}**, version {words.plain(str(specification.version))}"
    )
    for layout in specification.by_layout or [None]:
        _offer_templates(f"/template/{version.id}", layout)
    _show_fields(_fields(specification, search_words), specification)
    st.subheader("Code lists")
    _show_codes(specification, search_words)


def _offer_templates(address: str, layout: str | None) -> None:
    """Links to the empty files, which are those of a layout where the data set has several."""
    which, query = "", ""
    if layout is not None:
        which, query = f" of {words.plain(layout)}", f"?{urlencode({'layout': layout})}"
    with st.container(horizontal=True):
        workbook = f"Template{which} as a workbook with drop-downs"
        st.link_button(workbook, f"{address}/xlsx{query}", type="primary")
        st.link_button(f"Template{which} as csv", f"{address}/csv{query}")


def _fields(specification: Specification, search_words: list[str]) -> list[Field]:
    return [
        field
        for field in specification.fields
        if fits(search_words, field.name, about(field), *_aliases(field, specification))
    ]


def _aliases(field: Field, specification: Specification) -> list[str]:
    """Its other headings, in any layout; of numbered headings the first."""
    shapes = (specification, *specification.by_layout.values())
    fields = [shape.by_name[field.name] for shape in shapes if field.name in shape.by_name]
    aliases = dict.fromkeys(alias for each in fields for alias in each.aliases)
    return [alias.replace("{n}", "1") for alias in aliases]


def _codes(specification: Specification, search_words: list[str]) -> list[tuple[str, str, str]]:
    """List, code and meaning of the codes that have the words, of all lists."""
    return [
        (name, code, label)
        for name, codes in specification.code_lists.items()
        for code, label in codes.items()
        if fits(search_words, code, label)
    ]


def _show_fields(fields: list[Field], specification: Specification) -> None:
    if not fields:
        st.write("No field has these words.")
        return
    st.table(
        {
            "Field": [words.plain(field.in_full) for field in fields],
            "Holds": [words.plain(about(field).partition(": ")[2]) for field in fields],
            "Also known as": [
                words.plain(", ".join(_aliases(field, specification))) for field in fields
            ],
        }
        | _layouts_of(fields, specification),
        hide_index=True,
    )


def _layouts_of(fields: list[Field], specification: Specification) -> dict[str, list[str]]:
    """A column of the layouts that have each field, where there are several."""
    shapes = specification.by_layout
    if len(shapes) < 2:
        return {}
    having = [
        [name for name, shape in shapes.items() if field.name in shape.by_name] for field in fields
    ]
    texts = ["all" if len(names) == len(shapes) else ", ".join(names) for names in having]
    return {"In layouts": [words.plain(text) for text in texts]}


def _list_names(specification: Specification) -> dict[str, str]:
    """The name of each code list: the fields that hold its codes."""
    named = {
        name: [field.name for field in specification.fields if field.codes == name]
        for name in specification.code_lists
    }
    return {name: ", ".join(fields) or name for name, fields in named.items()}


def _show_codes(specification: Specification, search_words: list[str]) -> None:
    """Shows one code list; in a search the codes of all lists that fit."""
    rows = _codes(specification, search_words)
    names = _list_names(specification)
    if not search_words:
        chosen = st.selectbox(
            "Codes of", list(names), format_func=lambda name: names[name], key="help-code-list"
        )
        rows = [row for row in rows if row[0] == chosen]
    if not rows:
        st.write("No code has these words.")
        return
    frame = pd.DataFrame(
        [(names[name], code, label) for name, code, label in rows],
        columns=["Codes of", "Code", "Means"],
    )
    if not search_words:
        frame = frame.drop(columns="Codes of")
    st.dataframe(frame, hide_index=True, width="stretch", alt="Codes, and what each means")
