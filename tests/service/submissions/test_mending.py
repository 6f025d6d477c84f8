"""Errors on their way to being mended: suggestions, rows, confirmations, downloads."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

from core.access.people import person_of
from core.database.acting import acting_for
from core.engine.dataset.corrections import Correction
from core.submissions.commands.confirming import confirm, confirmed_in, reopen_warning
from core.submissions.commands.uploads import correct
from core.submissions.error_cause import Cause
from core.submissions.queries.error_files import error_file
from core.submissions.queries.error_list import causes
from core.submissions.queries.error_rows import rows_of
from core.submissions.queries.suggestions import suggestion_from_codes, suggestions
from core.submissions.versions import specification_of_file
from core.user_errors import UserError
from tests.service.month import HEADINGS, Service, visit

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def bad_file(service: Service, *codes: str, name: str = "april.csv") -> int:
    lines = [visit(number, code) for number, code in enumerate(codes, start=1)]
    file_id = service.upload(service.month(), *lines, name=name)
    service.check(file_id)
    return file_id


def found_in(engine: Engine, user: int, file_id: int) -> list[Cause]:
    with acting_for(engine, user, None).connect() as connection:
        return causes(connection, person_of(connection, user).scope, file_id)


def test_a_correction_is_remembered_for_the_next_file(
    service: Service, portal_engine: Engine
) -> None:
    first = bad_file(service, "T4A", "T4A", "T4")
    with service.engine.begin() as connection:
        right = [Correction("SHHAPT 1", "T4A", "T4")]
        correct(connection, first, right, user_id=service.amira)
    second = bad_file(service, "T4A", "T77", name="may.csv")
    found = found_in(portal_engine, service.amira, second)
    with acting_for(portal_engine, service.amira, None).connect() as connection:
        scope = person_of(connection, service.amira).scope
        specification = specification_of_file(connection, second)
        offered = suggestions(connection, scope, second, found, specification)
    remembered = offered["SHHAPT 1", "T4A"]
    assert (remembered.value, remembered.sure) == ("T4", True)
    assert remembered.why == "as you corrected it in april.csv"
    assert not offered["SHHAPT 1", "T77"].sure


def test_a_label_in_place_of_its_code_is_known() -> None:
    codes = {"1": "Male", "2": "Female", "C4": "Chlamydia"}
    assert suggestion_from_codes(codes, "female") is not None
    assert suggestion_from_codes(codes, "female ").value == "2"  # type: ignore[union-attr]
    assert suggestion_from_codes(codes, "C44").reason == "near"  # type: ignore[union-attr]
    assert suggestion_from_codes(codes, "quite another") is None
    assert suggestion_from_codes(codes, "") is None


def test_rows_are_shown_as_they_were_uploaded(service: Service, portal_engine: Engine) -> None:
    file_id = bad_file(service, "T4", "T4A", "T4A")
    cause = found_in(portal_engine, service.amira, file_id)[0]
    with acting_for(portal_engine, service.amira, None).connect() as connection:
        scope = person_of(connection, service.amira).scope
        rows = rows_of(
            connection, scope, file_id, cause, specification_of_file(connection, file_id)
        )
    assert [row.row for row in rows] == [3, 4]
    assert rows[0].cells["SHHAPT 1"] == "T4A"
    assert rows[0].cells["Patient ID"] == "2"


def test_a_warning_is_confirmed_and_an_error_is_not(service: Service) -> None:
    file_id = bad_file(service, "T4A")
    warning = Cause("LSOA", "E01004198", "some-warning", "warning", "Look at it.", 3, 2)
    with service.engine.begin() as connection:
        scope = person_of(connection, service.amira).scope
        confirm(connection, file_id, [warning], user_id=service.amira)
        confirm(connection, file_id, [warning], user_id=service.amira)
        assert confirmed_in(connection, scope, file_id) == {("some-warning", "LSOA", "E01004198")}
        reopen_warning(connection, file_id, warning, user_id=service.amira)
        assert confirmed_in(connection, scope, file_id) == set()
        error = causes(connection, scope, file_id)[0]
        with pytest.raises(UserError, match="Put them right"):
            confirm(connection, file_id, [error], user_id=service.amira)


def test_downloads_have_every_error(
    service: Service, portal_engine: Engine, tmp_path: Path
) -> None:
    file_id = bad_file(service, "T4", "T4A", "T4A")
    with acting_for(portal_engine, service.amira, None).connect() as connection:
        scope = person_of(connection, service.amira).scope
        made = {
            kind: error_file(connection, scope, service.store, file_id, kind=kind, scratch=tmp_path)
            for kind in ("csv", "xlsx")
        }
    rows = list(csv.DictReader(io.StringIO(made["csv"].content.decode())))
    assert [(row["row"], row["value"]) for row in rows] == [("3", "T4A"), ("4", "T4A")]
    book = openpyxl.load_workbook(io.BytesIO(made["xlsx"].content))
    assert book["Causes"]["A2"].value == 2
    assert [cell.value for cell in book["Rows"]["B"]] == ["row", 3, 4]


def test_strangers_get_no_errors(service: Service, portal_engine: Engine, tmp_path: Path) -> None:
    file_id, ben = bad_file(service, "T4A"), service.users["ZX2"]
    with acting_for(portal_engine, ben, None).connect() as connection:
        scope = person_of(connection, ben).scope
        with pytest.raises(UserError, match="no file"):
            error_file(connection, scope, service.store, file_id, kind="csv", scratch=tmp_path)


def test_the_file_itself_is_marked(tmp_path: Path) -> None:
    from core.engine.dataset.specification import load_specification
    from core.engine.offline.marked_copy import marks_of, write_marked_copy
    from core.settings import PROJECT

    specification = load_specification(PROJECT / "core/engine/dataset/library/sexual-health.yaml")
    columns = HEADINGS.split(",")
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(columns)
    book.active.append(visit(1, "T4A").split(","))
    book.active["A9"] = "=1+1"
    book.save(tmp_path / "own.xlsx")
    (tmp_path / "own.csv").write_text(f"{HEADINGS}\n{visit(1, 'T4A')}\n")
    findings = [(2, "SHHAPT 1", "error", "“T4A” is no code."), (None, None, "warning", "Look.")]
    (tmp_path / "own xlsx as stored").write_bytes((tmp_path / "own.xlsx").read_bytes())
    for name in ("own.xlsx", "own.csv", "own xlsx as stored"):
        out = tmp_path / f"{name} marked.xlsx"
        marks = marks_of(findings, columns)
        write_marked_copy(tmp_path / name, out, marks, specification)
        sheet = openpyxl.load_workbook(out).worksheets[0]
        assert sheet["F2"].value == "T4A"
        assert "is no code" in str(sheet["F2"].comment)
        assert sheet["F2"].fill.fgColor.rgb == ("00F8C9C4" if "xlsx" in name else "FFF8C9C4")
        assert sheet["A1"].comment is not None
        assert sheet["G2"].comment is None
    kept = openpyxl.load_workbook(tmp_path / "own.xlsx marked.xlsx").worksheets[0]
    assert kept["A9"].value == "=1+1"
