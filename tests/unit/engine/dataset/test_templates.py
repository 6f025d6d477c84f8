"""Empty files of the data set can be filled in and uploaded as they are."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

from core.engine.dataset.specification import Specification, load_specification
from core.engine.dataset.templates import LISTS, csv_template, workbook_template
from core.engine.reading import open_file
from core.settings import PROJECT


def sexual_health() -> Specification:
    return load_specification(PROJECT / "core/engine/dataset/library/sexual-health.yaml")


def test_every_heading_of_both_is_known(tmp_path: Path) -> None:
    specification = sexual_health()
    (tmp_path / "a.csv").write_bytes(csv_template(specification) + b"ZX1-A,1,2017-04-03\r\n")
    (tmp_path / "a.xlsx").write_bytes(workbook_template(specification))
    for name in ("a.csv", "a.xlsx"):
        with open_file(tmp_path / name, specification) as reading:
            assert [each.column for each in reading.headings] == list(specification.columns)


def test_codes_are_chosen_from_the_list() -> None:
    specification = sexual_health()
    book = openpyxl.load_workbook(io.BytesIO(workbook_template(specification)))
    rules = {
        str(book["Activity"].cell(1, place.min_col).value): str(rule.formula1)
        for rule in book["Activity"].data_validations.dataValidation
        for place in rule.sqref.ranges
    }
    coded = [name for name, field in specification.columns.items() if field.codes]
    assert set(rules) == set(coded)
    field = specification.columns["Gender"]
    cells = rules["Gender"].partition("!")[2].replace("$", "")
    listed = [row[0].value for row in book[LISTS][cells]]
    assert listed == list(specification.codes_of(field))


@pytest.mark.parametrize("layout", [None, "SRHAD", "GUMCADv3"])
def test_a_template_has_the_columns_of_one_layout(tmp_path: Path, layout: str | None) -> None:
    library = PROJECT / "core/engine/dataset/library"
    specification = load_specification(library / "sexual-health-2019.yaml")
    (tmp_path / "a.csv").write_bytes(csv_template(specification, layout))
    (tmp_path / "a.xlsx").write_bytes(workbook_template(specification, layout))
    for name in ("a.csv", "a.xlsx"):
        with open_file(tmp_path / name, specification) as reading:
            assert reading.layout_name == (layout or "SRHAD")
            assert all(heading.column for heading in reading.headings)
