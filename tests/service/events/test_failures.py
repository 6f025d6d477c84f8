"""The error queue: what lands there, what an operator can do, and what ends it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.access.scope import EVERYTHING
from core.database import tables
from core.events.failures import Failure, discard, list_failures, show_failure
from core.operations.retrying import retry
from core.reports.making import (
    Made,
    MadeFile,
    begin_report,
    fail_report,
    finish_report,
    load_report,
    plan_report,
)
from core.reports.requests import ReportRequest, event_names, request_report
from core.submissions.commands.failing import fail_check, fail_run
from core.submissions.commands.file_checks import event_names_of_check, load_file_check
from core.submissions.commands.requests import request_run
from core.submissions.commands.run_inputs import load_run
from core.submissions.commands.runs import names_of_inputs
from core.submissions.commands.uploads import remove_file
from core.support.faults import Fault
from core.user_errors import UserError
from core.vocabulary.states.events import FailureState
from core.vocabulary.states.submissions import FileState, SubmissionState
from tests.service.month import APRIL, visit

if TYPE_CHECKING:
    from tests.service.month import Service

CAUSE = Fault("The program stopped where it should not (KeyError)", "core/x.py:1 in y", 1, uuid4())


@pytest.fixture
def month(service: Service) -> int:
    """A month with a file that is ready."""
    month = service.month()
    service.ready(month, visit(1, "T4"), visit(2, "P1A"))
    return month


def failed_run(service: Service, month: int) -> int:
    run_id = service.request(month, "final")
    service.move_to_state(month, SubmissionState.PRICING)
    fail(service, run_id)
    return run_id


def fail(service: Service, run_id: int) -> str:
    with service.engine.begin() as connection:
        return fail_run(connection, names_of_inputs(load_run(connection, run_id)), CAUSE)


def failures(service: Service, *states: str) -> list[Failure]:
    with service.engine.connect() as connection:
        return list_failures(connection, EVERYTHING, states or tuple(FailureState))


def only(service: Service) -> Failure:
    [failure] = failures(service)
    return failure


def try_again(service: Service, reference: str) -> None:
    with service.engine.begin() as connection:
        retry(connection, reference, user_id=service.dev)


def audit(service: Service, subject: str) -> list[tuple[Any, ...]]:
    query = sa.select(
        tables.audit.c.user_id, tables.audit.c.from_state, tables.audit.c.to_state
    ).where(tables.audit.c.subject == subject)
    return [tuple(row) for row in service.rows(query.order_by(tables.audit.c.id))]


def run_row(service: Service, run_id: int) -> Any:
    [row] = service.rows(sa.select(tables.runs).where(tables.runs.c.id == run_id))
    return row


def test_a_failed_run_waits_with_the_reference_that_its_user_reads(
    service: Service, month: int
) -> None:
    run_id = failed_run(service, month)
    failure = only(service)
    assert (failure.kind, failure.subject, failure.state) == (
        "run", f"submission/{month}", FailureState.WAITING,
    )  # fmt: skip
    assert (failure.title, failure.attempts) == ("ZX1 2017-04", 1)
    assert (failure.reason, failure.detail, failure.flow_run) == (
        CAUSE.reason, CAUSE.detail, CAUSE.flow_run,
    )  # fmt: skip
    assert failure.payload["run_id"] == run_id
    submission = service.submission(month)
    assert submission.state == SubmissionState.FAILED
    assert failure.reference in str(submission.failure)
    assert run_row(service, run_id).state == "failed"
    assert "run.failed" in service.events()


def test_what_failed_is_written_with_its_failure_or_not_at_all(
    service: Service, month: int
) -> None:
    run_id = service.request(month, "final")
    with pytest.raises(ZeroDivisionError), service.engine.begin() as connection:
        fail_run(connection, names_of_inputs(load_run(connection, run_id)), CAUSE)
        raise ZeroDivisionError
    assert failures(service) == []
    assert service.submission(month).state == SubmissionState.QUEUED


def test_a_run_is_tried_again_as_the_same_run_and_ends_its_failure(
    service: Service, month: int
) -> None:
    run_id = failed_run(service, month)
    asked = service.events().count("submission.requested")
    reference = only(service).reference
    try_again(service, reference)
    assert only(service).state == FailureState.RETRIED
    assert service.submission(month).state == SubmissionState.QUEUED
    assert service.submission(month).failure is None
    row = run_row(service, run_id)
    assert (row.state, row.failure, row.finished_at) == ("running", None, None)
    assert service.events().count("submission.requested") == asked + 1
    with service.measured(run_id) as (connection, run):
        from core.submissions.commands.runs import publish

        publish(connection, run)
    failure = only(service)
    assert (failure.state, failure.reference) == (FailureState.RESOLVED, reference)
    assert failure.resolved_at is not None
    assert service.submission(month).run_id == run_id


def test_a_run_that_fails_anew_waits_under_the_same_reference(service: Service, month: int) -> None:
    run_id = failed_run(service, month)
    before = only(service)
    try_again(service, before.reference)
    service.move_to_state(month, SubmissionState.MERGING)
    assert fail(service, run_id) == before.reference
    after = only(service)
    assert (after.state, after.attempts) == (FailureState.WAITING, 2)
    assert after.first_at == before.first_at
    assert after.last_at > before.last_at


def test_every_step_of_a_failure_is_audited_with_its_user(service: Service, month: int) -> None:
    failed_run(service, month)
    failure = only(service)
    try_again(service, failure.reference)
    dev = service.dev
    assert audit(service, f"failure:{failure.id}") == [(dev, "waiting", "retried")]
    assert audit(service, f"submission:{month}")[-1] == (dev, "failed", "queued")
    assert audit(service, f"run:{failure.payload['run_id']}") == [
        (None, "running", "failed"),
        (dev, "failed", "running"),
    ]


def test_of_two_who_try_again_at_once_one_does(service: Service, month: int) -> None:
    failed_run(service, month)
    reference = only(service).reference

    def attempt(_: int) -> str:
        try:
            try_again(service, reference)
        except UserError as refused:
            return str(refused)
        return "done"

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(attempt, range(4)))
    assert said.count("done") == 1
    assert all("does not wait any more" in text for text in said if text != "done")
    assert service.events().count("submission.requested") == 2


def test_a_user_who_starts_again_needs_no_operator(service: Service, month: int) -> None:
    failed_run(service, month)
    run_id = service.run(month, "draft")
    assert only(service).state == FailureState.RESOLVED
    assert service.submission(month).run_id == run_id
    with pytest.raises(UserError, match="does not wait any more"):
        try_again(service, only(service).reference)


def test_files_that_change_after_a_failure_end_it(service: Service, month: int) -> None:
    failed_run(service, month)
    service.upload(month, visit(3, "T4"), name="more.csv")
    assert only(service).state == FailureState.RESOLVED


def test_what_is_set_aside_leaves_its_subject_as_it_is(service: Service, month: int) -> None:
    failed_run(service, month)
    reference = only(service).reference
    with service.engine.begin() as connection:
        discard(connection, reference.lower(), user_id=service.dev, reason="known")
    failure = only(service)
    assert (failure.state, failure.resolved_by) == (FailureState.DISCARDED, service.dev)
    assert failures(service, "waiting", "retried") == []
    assert service.submission(month).state == SubmissionState.FAILED
    for verb in (retry, discard):
        with (
            pytest.raises(UserError, match="does not wait any more"),
            service.engine.begin() as connection,
        ):
            verb(connection, reference)


def test_a_reference_that_nobody_gave_is_said_to_be_none(service: Service) -> None:
    with pytest.raises(UserError, match="no failure AB12"), service.engine.connect() as connection:
        show_failure(connection, EVERYTHING, "AB12")


def rejected(service: Service, month: int) -> int:
    """A file whose check a fault stopped after its first chunk."""
    lines = [visit(number, "T4") for number in range(2_800)]
    file_id = service.upload(month, *lines, name="faulty.csv")
    assert service.check(file_id, stop_after=1) == "stopped"
    with service.engine.begin() as connection:
        fail_check(connection, event_names_of_check(load_file_check(connection, file_id)), CAUSE)
    return file_id


def test_a_check_is_tried_again_and_keeps_the_chunks_it_has(service: Service, month: int) -> None:
    file_id = rejected(service, month)
    failure = only(service)
    assert (failure.kind, failure.subject) == ("file check", f"file/{file_id}")
    assert service.state(file_id) == FileState.REJECTED
    stored = sa.select(tables.file_chunks).where(tables.file_chunks.c.file_id == file_id)
    before = service.rows(stored)
    try_again(service, failure.reference)
    assert service.state(file_id) == FileState.CHECKING
    assert service.events()[-1] == "file.retried"
    assert service.check(file_id) == FileState.READY
    assert only(service).state == FailureState.RESOLVED
    after = service.rows(stored.order_by("chunk"))
    assert after[0] == before[0]
    assert sum(row.records for row in after) == 2_800


def test_a_file_that_proves_to_be_no_such_data_set_ends_its_failure(
    service: Service, month: int
) -> None:
    file_id = service.upload(month, name="empty.csv")
    path = service.store.root / service.one(
        sa.select(tables.files.c.storage_key).where(tables.files.c.id == file_id)
    )
    path.write_text("a,b\n1,2\n")
    with service.engine.begin() as connection:
        fail_check(connection, event_names_of_check(load_file_check(connection, file_id)), CAUSE)
    try_again(service, only(service).reference)
    assert service.check(file_id) == FileState.REJECTED
    assert only(service).state == FailureState.RESOLVED


def test_a_file_that_is_taken_out_ends_its_failure(service: Service, month: int) -> None:
    file_id = rejected(service, month)
    with service.engine.begin() as connection:
        remove_file(connection, file_id, user_id=service.amira)
    assert only(service).state == FailureState.RESOLVED


def test_a_report_is_made_again(service: Service, month: int) -> None:
    service.run(month, "final")
    request = ReportRequest(
        side="provider",
        organisation="ZX1",
        organisation_name="Lea Valley",
        first_month=APRIL,
        last_month=APRIL,
        asked_by="Amira",
    )
    with service.engine.begin() as connection:
        report_id = request_report(connection, request, user_id=service.amira)
        begin_report(connection, load_report(connection, report_id))
        fail_report(connection, event_names(report_id, request), CAUSE)
    failure = only(service)
    assert (failure.kind, failure.subject) == ("report", f"report/{report_id}")
    try_again(service, failure.reference)
    assert service.events()[-1] == "report.requested"
    with service.engine.begin() as connection:
        report = load_report(connection, report_id)
        begin_report(connection, report)
        made = Made(1, [MadeFile("report.xlsx", f"reports/{report_id}/report.xlsx", 1)])
        finish_report(connection, report, plan_report(connection, report), made)
    assert only(service).state == FailureState.RESOLVED


def test_only_one_failure_of_the_same_work_is_open(service: Service) -> None:
    row = {"kind": "run", "work": "w", "subject": "s", "title": "t", "reason": "r"}
    with pytest.raises(IntegrityError, match="open_work"), service.engine.begin() as connection:
        for reference in ("A", "B"):
            connection.execute(tables.failures.insert().values(reference=reference, **row))


def test_nobody_waits_for_each_other(service: Service, month: int) -> None:
    """An operator tries again while the user starts again: one of them wins, neither hangs."""
    failed_run(service, month)
    reference = only(service).reference

    def start() -> str:
        with service.engine.begin() as connection:
            request_run(connection, month, "final", user_id=service.amira)
        return "done"

    def again() -> str:
        try_again(service, reference)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(start), pool.submit(again)]
    ended = [future.exception() for future in futures]
    assert ended.count(None) == 1
    assert [type(error) for error in ended if error] != []
    assert all(isinstance(error, UserError) for error in ended if error)
    assert service.submission(month).state == SubmissionState.QUEUED
