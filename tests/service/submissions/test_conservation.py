"""From rows to records to episodes to charges: every one is accounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.database import tables
from core.submissions.queries.file_list import files_of
from core.submissions.queries.run_totals import run_summary
from tests.service.month import HEADINGS, visit

if TYPE_CHECKING:
    from tests.service.month import Service


def test_the_rows_of_a_file_are_read_in_error_or_left_out(service: Service) -> None:
    month = service.month()
    lines = [visit(1, "T2"), visit(2, "XX", "YY"), "ragged", HEADINGS, visit(3, "T2")]
    service.check(service.upload(month, *lines))
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    rows = (file.rows_there, file.rows_read, file.rows_in_error, file.rows_left_out)
    assert rows == (5, 2, 2, 1)


def test_of_a_rejected_file_nobody_counts_them(service: Service) -> None:
    month = service.month()
    service.check(service.upload(month, visit(1, "T2").replace("T2", "\0")))
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    assert (file.state, file.rows_there, file.rows_read) == ("rejected", None, None)


def test_of_a_file_without_a_column_all_rows_are_left_out(service: Service) -> None:
    month = service.month()
    file_id = service.upload(month, "1,2", "3,4", headings="Clinic ID,x")
    assert service.check(file_id) == "rejected"
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    assert (file.rows_there, file.rows_read, file.rows_left_out) == (2, 0, 2)


def test_a_file_with_far_too_many_findings_is_refused(service: Service) -> None:
    month = service.month()
    lines = [visit(number, "XX") for number in range(5_000)]
    state = service.check(service.upload(month, *lines), chunk_rows=1000, most_findings=1_500)
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
        query = sa.select(tables.errors).where(tables.errors.c.file_id == file.id)
        found = connection.execute(query).all()
    assert state == file.state == "rejected"
    assert [error.code for error in found if error.row is None] == ["unreadable-file"]
    assert 1_500 < len(found) < 5_000
    assert (file.rows_there, file.rows_read) == (None, None)


def test_a_check_that_is_taken_up_again_counts_every_row_once(service: Service) -> None:
    month = service.month()
    lines = [visit(number, "T2" if number % 3 else "XX") for number in range(2_500)]
    file_id = service.upload(month, *lines)
    assert service.check(file_id, stop_after=1) == "stopped"
    service.check(file_id)
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    assert (file.rows_there, file.rows_in_error, file.rows_read) == (2_500, 834, 1_666)


def test_records_are_episodes_and_episodes_have_charges_or_none(service: Service) -> None:
    """21 records are 20 episodes, of which 10 have charges."""
    month = service.month()
    charged = [visit(number, "T2") for number in range(10)]
    without = [visit(number) for number in range(10, 20)]
    service.ready(month, *charged, *without, visit(0, "T2"))
    run_id = service.run(month, "draft")
    with service.engine.connect() as connection:
        outcome = run_summary(connection, EVERYTHING, run_id)
    assert (outcome.records, outcome.episodes, outcome.episodes_charged) == (21, 20, 10)
    assert outcome.accounts == [
        "21 records: 20 episodes, 1 merged into the episode of an earlier one",
        f"20 episodes: 10 with {outcome.charges} charges, 10 that no currency of the tariff fits",
    ]
