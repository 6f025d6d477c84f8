"""The catalogue of codes: closed, explained, and printed in docs/errors.md."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pyarrow as pa

from core.engine.dataset.errors_page import errors_page
from core.engine.dataset.problems import CODES, Code, messages_for, reason

ERRORS = [
    "empty-file",
    "unreadable-file",
    "encrypted-file",
    "bad-encoding",
    "wrong-file-type",
    "missing-column",
    "headings-elsewhere",
    "duplicate-column",
    "data-after-empty-row",
    "ragged-row",
    "missing-value",
    "unknown-code",
    "bad-date",
    "bad-number",
    "out-of-range",
    "bad-pattern",
    "too-long",
    "unknown-lsoa",
    "retired-lsoa",
    "unknown-clinic",
    "wrong-provider",
    "too-many-codes",
    "data-on-another-sheet",
    "formula-without-value",
    "not-text",
]
WARNINGS = ["sheet-not-read", "unknown-column", "joined-file", "outside-month", "code-overwritten"]


def test_the_list_of_codes_is_the_contracts() -> None:
    assert [code.name for code in CODES if code.severity == "error"] == ERRORS
    assert [code.name for code in CODES if code.severity == "warning"] == WARNINGS


def test_every_code_says_what_it_is_and_how_to_mend_it() -> None:
    for code in CODES:
        texts = (code.title, code.mend, code.example, *templates_of(code))
        assert all(text.strip() for text in texts), code.name
        assert all(text.endswith(".") for text in (code.mend, *templates_of(code))), code.name


def templates_of(code: Code) -> list[str]:
    return [code.message, *code.wordings.values()]


def test_every_wording_is_used_and_every_one_used_is_there() -> None:
    source = "\n".join(path.read_text() for path in Path("core/engine").rglob("*.py"))
    for code in CODES:
        for wording in code.wordings:
            name = f"{code.name}/{wording}"
            dynamic = wording in ("cell", "narrow", "twice", "hidden", "low", "high", "transpose")
            dynamic |= code.name == "ragged-row" and f'"{wording}"' in source
            assert dynamic or f'"{name}"' in source, name
    for name in re.findall(r'(?:finding|Flag|reason)\(\s*"([a-z/-]+)"', source):
        reason(name)


def test_messages_are_made_for_whole_columns() -> None:
    values = pa.array(["a", None, "b" * 500])
    made = messages_for(reason("unknown-code"), values, field="Code")
    assert made.to_pylist()[:2] == [
        "“a” is not a code for Code.",
        "“” is not a code for Code.",
    ]
    assert len(made[2].as_py()) < 150
    own = messages_for(reason("retired-lsoa"), values, ended=pa.array(["1", "2", None]))
    assert own.to_pylist()[1].endswith("it ended on 2.")


def test_placeholders_are_words_that_rules_give() -> None:
    known = {"field", "value", "headings", "heading", "letter", "cells", "expected", "empty"}
    known |= {"low", "high", "length", "ended", "provider", "slots", "month", "by", "kind"}
    known |= {"detail", "limit", "cell", "byte", "size", "heading_row", "there", "found"}
    known |= {"sheet", "read", "layout", "layouts", "mending", "of_field"}
    for code in CODES:
        for template in templates_of(code):
            names = {name for _, name, _, _ in string.Formatter().parse(template) if name}
            assert names <= known, (code.name, names - known)


def test_the_page_of_errors_is_the_catalogue_printed() -> None:
    assert Path("docs/errors.md").read_text(encoding="utf-8") == errors_page()
