"""What providers do with files, on the real database: refusals, corrections, clinics, locks."""

from __future__ import annotations

import datetime as dt
import io
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.database import tables
from core.engine.dataset.corrections import Correction
from core.engine.reading import open_file
from core.submissions.commands.file_checks import check_and_correct, load_file_check, store_chunk
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.commands.uploads import (
    SubmissionLocked,
    correct,
    remove_file,
    undo_correction,
)
from core.submissions.queries.error_list import causes, corrections_made, error_rows
from core.submissions.queries.file_list import files_of
from core.submissions.transitions import TransitionRefused, move
from core.user_errors import UserError
from core.vocabulary.states.submissions import FILE_MACHINE, FILE_TEXTS, FileState, SubmissionState
from tests.service.month import HACKNEY, visit, way

if TYPE_CHECKING:
    from tests.service.month import Service


def put_right(service: Service, file_id: int, *corrections: Correction) -> None:
    with service.engine.begin() as connection:
        correct(connection, file_id, list(corrections), user_id=service.amira)


def undo(service: Service, correction_id: int) -> None:
    with service.engine.begin() as connection:
        undo_correction(connection, correction_id, user_id=service.amira)


def made(service: Service, file_id: int) -> list[int]:
    with service.engine.connect() as connection:
        return [correction.id for correction in corrections_made(connection, EVERYTHING, file_id)]


def wrong(service: Service, file_id: int) -> list[tuple[str | None, str | None, int]]:
    """Field, value and rows of each cause of errors."""
    with service.engine.connect() as connection:
        found = causes(connection, EVERYTHING, file_id)
    return [(each.field, each.value, each.rows) for each in found if each.severity == "error"]


def test_an_uploaded_file_waits_for_its_check(service: Service) -> None:
    month = service.month()
    file_id = service.upload(month, visit(1, "T2"))
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    assert (file.id, file.name, file.state) == (file_id, "april.csv", FileState.RECEIVED)
    assert (file.uploaded_by, file.moving) == ("Amira Okafor", True)
    assert file.text == FILE_TEXTS[FileState.RECEIVED]
    assert service.events() == ["file.received"]
    [key] = service.store.list()
    assert service.store.size(key) == file.size


def test_two_files_of_one_name_are_two_files_in_the_order_of_upload(service: Service) -> None:
    month = service.month()
    first = service.upload(month, visit(1, "T2"))
    second = service.upload(month, visit(2, "T2"))
    with service.engine.connect() as connection:
        assert [file.id for file in files_of(connection, EVERYTHING, month)] == [first, second]
    assert len(set(service.store.list())) == 2


def test_files_that_arrive_at_once_get_places_of_their_own(service: Service) -> None:
    month = service.month()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: service.upload(month, visit(n, "T2"), name=f"{n}"), range(8)))
    positions = [row.position for row in service.rows(sa.select(tables.files.c.position))]
    assert sorted(positions) == list(range(1, 9))


def test_a_good_file_is_ready_with_its_records(service: Service) -> None:
    month = service.month()
    file_id = service.upload(month, visit(1, "T2"), visit(2, "T4"))
    assert service.check(file_id) == FileState.READY
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    assert (file.records, file.errors, file.moving) == (2, 0, False)
    assert service.events() == ["file.received", "file.checked", "file.ready"]


def test_a_file_that_is_no_such_data_set_is_rejected(service: Service) -> None:
    month = service.month()
    stream = io.BytesIO(b"Name,Colour\nA,blue\n")
    arrival = UploadDetails("colours.csv")
    file_id = store_upload(service.engine, service.store, month, arrival, stream, user_id=None)
    assert service.check(file_id) == FileState.REJECTED
    with service.engine.connect() as connection:
        rows = error_rows(connection, EVERYTHING, file_id)
    assert {row.code for row in rows if row.severity == "error"} == {"missing-column"}
    with pytest.raises(UserError, match=r"colours\.csv is rejected; corrections are made once"):
        put_right(service, file_id, Correction("Gender", "x", "1"))


@pytest.mark.parametrize(
    "state",
    [state for state in SubmissionState if state not in ("open", "draft", "failed")],
)
def test_nothing_of_a_locked_month_can_be_changed(service: Service, state: SubmissionState) -> None:
    month = service.month()
    file_id = service.ready(month, visit(1, "T2", gender="1"))
    put_right(service, file_id, Correction("Gender", "1", "2"))
    [correction] = made(service, file_id)
    assert service.check(file_id) == FileState.READY
    service.move_to_state(month, state)
    before = service.events()
    for change in (
        lambda: service.upload(month, visit(2, "T2")),
        lambda: put_right(service, file_id, Correction("Gender", "2", "9")),
        lambda: undo(service, correction),
        lambda: remove(service, file_id),
    ):
        with pytest.raises(SubmissionLocked, match="April 2017 cannot be changed now"):
            change()
    assert service.events() == before
    assert service.state(file_id) == FileState.READY
    assert made(service, file_id) == [correction]
    assert len(list(service.store.list())) == 1


def remove(service: Service, file_id: int) -> None:
    with service.engine.begin() as connection:
        remove_file(connection, file_id, user_id=service.amira)


def test_a_correction_in_all_rows_mends_each_of_them(service: Service) -> None:
    month = service.month()
    file_id = service.upload(month, *(visit(n, "T4A") for n in range(3)), visit(9, "T2"))
    assert service.check(file_id) == FileState.IN_ERROR
    assert wrong(service, file_id) == [("SHHAPT 1", "T4A", 3)]
    put_right(service, file_id, Correction("SHHAPT 1", "T4A", "T4"))
    assert service.state(file_id) == FileState.CHECKING
    assert service.check(file_id) == FileState.READY
    assert wrong(service, file_id) == []


def test_a_correction_in_one_row_leaves_the_others(service: Service) -> None:
    month = service.month()
    file_id = service.upload(month, visit(1, "T4A"), visit(2, "T4A"))
    service.check(file_id)
    put_right(service, file_id, Correction("SHHAPT 1", "T4A", "T4", row=3))
    assert service.check(file_id) == FileState.IN_ERROR
    with service.engine.connect() as connection:
        assert [row.row for row in error_rows(connection, EVERYTHING, file_id)] == [2]


def test_a_blank_is_put_right_and_a_value_is_made_blank(service: Service) -> None:
    month = service.month()
    file_id = service.upload(month, visit("", "T2"), visit(2, "XX"))
    service.check(file_id)
    assert wrong(service, file_id) == [("Patient ID", None, 1), ("SHHAPT 1", "XX", 1)]
    put_right(
        service,
        file_id,
        Correction("Patient ID", None, "77", row=2),
        Correction("SHHAPT 1", "XX", None),
    )
    assert service.check(file_id) == FileState.READY
    records = sa.table("records_sexual_health", sa.column("Patient ID"), sa.column("SHHAPT 1"))
    assert sorted(map(tuple, service.rows(sa.select(records)))) == [("2", None), ("77", "T2")]


@pytest.mark.parametrize(
    "everywhere",
    [
        Correction("Patient ID", None, "77"),
        Correction("Patient ID", "=1+1", "77"),
        Correction("Gender", None, "1"),
        Correction("Age", "x", "30"),
    ],
    ids=str,
)
def test_one_value_for_all_rows_is_for_what_means_the_same_in_each(
    service: Service, everywhere: Correction
) -> None:
    """Eight blanks are eight patients: one number for all would make one person of them."""
    file_id = service.upload(service.month(), visit("", "T2"), visit("", "T4", date="2017-04-04"))
    service.check(file_id)
    with pytest.raises(UserError, match="say which row is put right"):
        put_right(service, file_id, everywhere)
    put_right(
        service,
        file_id,
        Correction("Patient ID", None, "77", row=2),
        Correction("Patient ID", None, "78", row=3),
    )
    assert service.check(file_id) == FileState.READY


def test_a_correction_is_undone_once(service: Service) -> None:
    month = service.month()
    file_id = service.upload(month, visit(1, "T4A"))
    service.check(file_id)
    put_right(service, file_id, Correction("SHHAPT 1", "T4A", "T4"))
    assert service.check(file_id) == FileState.READY
    [correction] = made(service, file_id)
    undo(service, correction)
    assert service.check(file_id) == FileState.IN_ERROR
    assert made(service, file_id) == []
    with pytest.raises(UserError, match="taken back already"):
        undo(service, correction)


def test_of_two_who_undo_at_once_one_does(service: Service) -> None:
    month = service.month()
    file_id = service.ready(month, visit(1, "T4"))
    put_right(service, file_id, Correction("SHHAPT 1", "T4", "T2"))
    service.check(file_id)
    [correction] = made(service, file_id)

    def try_to(_number: int) -> str:
        try:
            undo(service, correction)
        except UserError as refused:
            return str(refused)
        return "undone"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(try_to, range(2)))
    assert answers == ["That correction has been taken back already.", "undone"]
    assert service.events().count("file.corrected") == 2  # made once, undone once


def test_corrections_that_make_no_sense_are_refused(service: Service) -> None:
    month = service.month()
    file_id = service.ready(month, visit(1, "T2"))
    with pytest.raises(UserError, match="no correction"):
        put_right(service, file_id)
    with pytest.raises(UserError, match="no field Colour"):
        put_right(service, file_id, Correction("Colour", "blue", "red"))
    with pytest.raises(UserError, match="There is no file 999"):
        put_right(service, 999, Correction("Gender", "1", "2"))
    waiting = service.upload(month, visit(2, "T2"), name="waiting.csv")
    with pytest.raises(UserError, match=r"waiting\.csv is received"):
        put_right(service, waiting, Correction("Gender", "1", "2"))
    assert service.state(file_id) == FileState.READY


def test_a_removed_file_no_longer_counts_and_stays_removed(service: Service) -> None:
    month = service.month()
    file_id = service.ready(month, visit(1, "T2"))
    remove(service, file_id)
    with service.engine.connect() as connection:
        assert files_of(connection, EVERYTHING, month) == []
    with pytest.raises(TransitionRefused, match="is removed"):
        remove(service, file_id)


def test_a_file_that_is_being_checked_cannot_be_removed(service: Service) -> None:
    file_id = service.upload(service.month(), visit(1, "T2"), visit(2, "T2"))
    assert service.check(file_id, stop_after=0) == "stopped"
    with pytest.raises(TransitionRefused, match="is checking; it cannot become removed"):
        remove(service, file_id)


def test_only_declared_moves_are_made(service: Service) -> None:
    file_id = service.upload(service.month(), visit(1, "T2"))
    for state, target in product(FileState, FileState):
        with service.engine.connect() as connection:  # rolled back each time
            for step in way(FILE_MACHINE.follows, FileState.RECEIVED, state):
                move(connection, tables.files, FILE_MACHINE, file_id, step)
            if target in FILE_MACHINE.follows[state]:
                assert move(connection, tables.files, FILE_MACHINE, file_id, target) == state
            else:
                with pytest.raises(TransitionRefused, match=f"is {state}; it cannot become"):
                    move(connection, tables.files, FILE_MACHINE, file_id, target)


def test_every_move_leaves_an_audit_row_with_its_user(service: Service) -> None:
    file_id = service.ready(service.month(), visit(1, "T2"))
    remove(service, file_id)
    audit = tables.audit
    found = service.rows(
        sa.select(audit.c.from_state, audit.c.to_state, audit.c.user_id)
        .where(audit.c.subject == f"file:{file_id}")
        .order_by(audit.c.id)
    )
    assert list(map(tuple, found)) == [
        ("received", "checking", None),
        ("checking", "ready", None),
        ("ready", "removed", service.amira),
    ]


def test_a_new_file_takes_a_draft_back_and_drops_its_run(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    run_id = service.run(month, "draft")
    assert service.submission(month).run_id == run_id
    service.upload(month, visit(2, "T2"), name="late.csv")
    submission = service.submission(month)
    assert (submission.state, submission.run_id) == (SubmissionState.OPEN, None)
    assert service.one(sa.select(tables.runs.c.state)) == "replaced"


def test_a_month_that_is_open_again_no_longer_tells_of_its_failure(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    service.move_to_state(month, SubmissionState.FAILED, failure="It stopped.")
    service.upload(month, visit(2, "T2"), name="late.csv")
    submission = service.submission(month)
    assert (submission.state, submission.failure) == (SubmissionState.OPEN, None)


def test_a_check_that_is_taken_up_again_gives_what_one_would_have_given(
    service: Service,
) -> None:
    month = service.month()
    lines = [visit(n, "T2", clinic=f"NEW-{n // 700}") for n in range(2_800)]
    lines[2_500] = visit(2_500, "T4A")
    whole = service.upload(service.month("ZX2"), *lines)
    service.check(whole)
    assert len(chunks_of(service, whole)) > 1
    broken = service.upload(month, *lines)
    assert service.check(broken, stop_after=1) == "stopped"
    with service.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, month)
    assert file.state == FileState.CHECKING
    assert 0 < file.checked_records < len(lines)
    service.check(broken)
    assert chunks_of(service, broken) == chunks_of(service, whole)
    assert wrong(service, broken) == wrong(service, whole)
    assert facts(service, broken) == facts(service, whole)
    assert clinics(service, "ZX1") == clinics(service, "ZX2")


def facts(service: Service, file_id: int) -> tuple[object, ...]:
    files = tables.files
    query = sa.select(files.c.state, files.c.records, files.c.errors, files.c.warnings)
    [row] = service.rows(query.where(files.c.id == file_id))
    return tuple(row)


def chunks_of(service: Service, file_id: int) -> list[tuple[int, int]]:
    """Number and records of each chunk."""
    chunks = tables.file_chunks
    query = sa.select(chunks.c.chunk, chunks.c.records).where(chunks.c.file_id == file_id)
    return [(row.chunk, row.records) for row in service.rows(query.order_by(chunks.c.chunk))]


def clinics(service: Service, provider: str) -> set[str]:
    """The clinics of a provider that were met in files."""
    clinics, organisations = tables.clinics, tables.organisations
    query = sa.select(clinics.c.clinic_id).join(organisations)
    found = service.rows(query.where(organisations.c.code == provider))
    return {row.clinic_id for row in found if row.clinic_id.startswith("NEW")}


def test_chunks_that_meet_the_same_clinics_at_once_do_not_wait_for_ever(
    service: Service,
) -> None:
    lines = [visit(n, "T2", clinic=f"NEW-{n % 5}") for n in range(8_000)]
    file_id = service.upload(service.month(), *lines)
    with service.engine.begin() as connection:
        check = load_file_check(connection, file_id)
    path = service.store.root / check.storage_key
    with open_file(path, check.specification, name=check.name, chunk_rows=1000) as reading:
        chunks = list(enumerate(reading.chunks()))
    assert len(chunks) > 4

    def store(numbered: tuple[int, object]) -> None:
        number, chunk = numbered
        with service.engine.begin() as connection:
            store_chunk(connection, check, number, check_and_correct(check, chunk))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store, chunks))
    assert clinics(service, "ZX1") == {f"NEW-{n}" for n in range(5)}


def test_the_next_check_forgets_what_the_one_before_found(service: Service) -> None:
    month = service.month()
    file_id = service.upload(month, visit(1, "T4A", lsoa=HACKNEY), visit(2, "T2"))
    service.check(file_id)
    put_right(service, file_id, Correction("SHHAPT 1", "T4A", "T4"))
    service.check(file_id)
    assert service.one(sa.text("SELECT count(*) FROM records_sexual_health")) == 2
    assert service.one(sa.select(sa.func.count()).select_from(tables.errors)) == 0
    assert service.one(sa.select(sa.func.count()).select_from(tables.file_chunks)) == 1


def test_a_month_is_opened_once(service: Service) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: service.month(month=dt.date(2017, 5, 1)), range(8)))
    assert len(found) == 1
