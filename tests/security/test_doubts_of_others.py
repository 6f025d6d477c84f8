"""Why a doubtful month is right: who pays reads the reason, and nothing of other commissioners."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from core.vocabulary.report_kinds import ReportKind
from tests.service.conftest import service
from tests.service.month import HACKNEY, visit
from tests.service.reports.test_report_kinds import made, request_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.month import Service

__all__ = ["service"]

MAY = dt.date(2017, 5, 1)


@pytest.mark.parametrize(
    ("side", "organisation", "whole"),
    [("provider", "ZX1", True), ("commissioner", "E09000012", False)],
)
def test_in_backing_data(
    service: Service, tmp_path: Path, side: str, organisation: str, whole: bool
) -> None:
    april, may = service.month(), service.month(month=MAY)
    service.ready(april, visit(1, "T4"))
    service.run(april, "final")
    service.ready(may, visit(1, "T4"), visit(77, "T4", date="2017-05-02", lsoa=HACKNEY))
    service.run(may, "final", reason="It is right.")
    request = request_for(
        ReportKind.BACKING_DATA, side, organisation, first_month=MAY, last_month=MAY
    )
    with service.engine.connect() as connection:
        notes = dict(made(connection, request, tmp_path)["Notes"].iter_rows(values_only=True))
    [note] = [text for name, text in notes.items() if name and name.endswith("what was in doubt")]
    assert note.endswith("It is right.")
    for figure in ("1 visit was charged in other months", "£", "1 of 2 records", "Amira"):
        assert (figure in note) == whole, figure
