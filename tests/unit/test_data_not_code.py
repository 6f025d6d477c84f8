"""No field, heading or code of sexual health stands in core outside its libraries and samples.

A data set is data: whoever brings another finds nothing of the first in the code, its comments or
its messages.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.engine.areas.kinds import PREFIXES
from core.engine.dataset.fields import Field, query_name
from core.engine.dataset.specification import Specification, load_specification

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core"
LIBRARY = CORE / "engine/dataset/library"
SHIPPED = [load_specification(path) for path in sorted(LIBRARY.glob("sexual-health*.yaml"))]
DATA_ITSELF = {"library", "samples"}
"""Folders of data, and of the synthetic activity made for it."""
ELSEWHERE_TOO = {"LSOA": "a kind of area, and a type of field"}
"""Names that are words of more than one service."""
ALLOWED = {
    ("core/reports/kinds/backing_data.py", "Patient ID"): "a heading of our own report",
    ("core/configurations/role_labels.py", "Patient ID"): "our own word, for several data sets",
    ("core/migration/reading/mapping.yaml", "Ethnicity"): "the name of an indicator of old",
    ("core/migration/reading/mapping.yaml", "Sexual orientation"): "the same",
}
SHORT = 4
"""Up to so many letters a name is looked for as it is written: age and site are words."""


def fields_of(specification: Specification) -> Iterator[Field]:
    """The fields, with the headings that each layout gives them."""
    for shape in (specification, *specification.by_layout.values()):
        yield from shape.fields


def names_of(field: Field) -> Iterator[str]:
    yield field.name
    yield from field.transpose_from
    for headings in field.headings.values():
        yield from headings


def as_written() -> set[str]:
    """Names of the fields that every data set has one of, such as the clinic, and short names.

    Our own files call them ``clinic_id`` and so on.
    """
    names = {name for field in FIELDS if field.role for name in names_of(field)}
    names |= {name for field in FIELDS for name in names_of(field) if len(name) <= SHORT}
    names |= {layout.name for specification in SHIPPED for layout in specification.layouts}
    return {name for name in names if not name.islower()} - ELSEWHERE_TOO.keys()


def in_any_case() -> set[str]:
    """Names of the other fields, and how queries write them."""
    fields = [field for field in FIELDS if not field.role]
    names = {name for field in fields for name in (*names_of(field), query_name(field.name))}
    return {name for name in names if len(name) > SHORT}


def codes_of(specification: Specification) -> set[str]:
    """Codes that are no mere numbers or letters, which anything may be."""
    codes = {code for codes in specification.code_lists.values() for code in codes}
    maps = {code for codes in specification.maps.values() for code in codes}
    return {code for code in codes if len(code) > 1 and not code.isdigit()} | maps


FIELDS = [field for specification in SHIPPED for field in fields_of(specification)]
CODES = {code for specification in SHIPPED for code in codes_of(specification)}


def files(*endings: str) -> list[Path]:
    return [
        path
        for ending in endings
        for path in sorted(CORE.rglob(f"*.{ending}"))
        if not DATA_ITSELF & set(path.parts)
    ]


def pattern() -> re.Pattern[str]:
    forms = [re.escape(name) for name in sorted(as_written(), key=len, reverse=True)]
    forms += [f"(?i:{re.escape(name)})" for name in sorted(in_any_case(), key=len, reverse=True)]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(forms)})(?![\w-])")


def test_no_name_of_a_field_and_no_heading_stands_in_core() -> None:
    names = pattern()
    found = []
    for path in files("py", "sql", "yaml", "md"):
        place = path.relative_to(ROOT).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for match in names.findall(line):
                if (place, match) not in ALLOWED:
                    found.append(f"{place}:{number}: {match}")
    assert not found, "\n".join(found)


def test_no_code_is_a_text_in_core() -> None:
    found = []
    for path in files("py"):
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in CODES - PREFIXES.keys():
                found.append(f"{place}:{node.lineno}: {node.value}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["SHHAPT 1", "shhapt", "episode_activity", "GUMCADv3", "Sex_Ori"])
def test_the_pattern_finds_what_it_looks_for(text: str) -> None:
    assert pattern().search(f'column = "{text}"')


def test_there_are_names_and_codes_to_look_for() -> None:
    assert {"Clinic ID", "GUMCADv3", "Age"} <= as_written()
    assert {"SHHAPT", "Episode_Activity", "contr_main_method_status"} <= in_any_case()
    assert {"T4", "C4NR", "E01"} <= CODES
