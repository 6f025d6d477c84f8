"""Each action, tried in core as the portal calls it, and as bare SQL by the role of the portal.

An attempt gives whether it had its effect; the caller rolls it back. Refusals are ``UserError`` in
core, and an error or no row at all in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import NotAllowed, scope_of
from core.access.users import add_user
from core.configurations.importing import import_configuration
from core.engine.areas.register import AreaRegister
from core.engine.dataset.corrections import Correction
from core.events.failures import discard
from core.reports.overview import charged_to
from core.reports.requests import ReportRequest, request_report
from core.submissions.commands.requests import request_run
from core.submissions.commands.resets import ask_for_reset, grant_reset
from core.submissions.commands.uploads import Upload, correct, receive_file
from core.submissions.queries.run_totals import run_summary
from core.user_errors import UserError
from core.vocabulary.permissions import Action
from deployments.demo.run import CONFIGURATION
from tests.service.permissions.permission_scene import FINAL, IN_ERROR, READY

if TYPE_CHECKING:
    from tests.service.permissions.permission_scene import Place

Attempt = Callable[[Connection, "Place", int], object]
LEAD = "E09000030"
NAMES = AreaRegister.shipped().names


def _upload(c: Connection, place: Place, user: int) -> object:
    upload = Upload("more.csv", f"uploads/{user}", 1, "0" * 64)
    return receive_file(c, place.submissions[READY], upload, user_id=user)


def _correct(c: Connection, place: Place, user: int) -> object:
    correct(c, place.file_id, [Correction("Gender", "99", "1")], user_id=user)
    return True


def _run(kind: str) -> Attempt:
    def attempt(c: Connection, place: Place, user: int) -> object:
        submission, why = place.submissions[READY], "It is tried."
        return request_run(c, submission, kind, user_id=user, reason=why)  # type: ignore[arg-type]

    return attempt


def _see_charges(c: Connection, place: Place, user: int) -> object:
    scope = scope_of(c, user)
    try:
        return run_summary(c, scope, place.run_id).charges
    except UserError:
        return charged_to(c, scope, place.commissioner)


def _see_kpis(c: Connection, place: Place, user: int) -> object:
    scope = scope_of(c, user)
    return any(
        scope.may(Action.SEE_KPIS, number) for number in (place.provider_id, place.commissioner_id)
    )


def _backing_data(c: Connection, place: Place, user: int) -> object:
    try:
        return request_report(c, _request("provider", place.provider), user_id=user)
    except NotAllowed:
        return request_report(c, _request("commissioner", place.commissioner), user_id=user)


def _request(side: str, code: str) -> ReportRequest:
    return ReportRequest(
        side="provider" if side == "provider" else "commissioner",
        organisation=code,
        organisation_name=code,
        first_month=FINAL,
        last_month=FINAL,
        asked_by="x",
    )


def _ask_for_reset(c: Connection, place: Place, user: int) -> object:
    final = place.submissions[FINAL]
    return ask_for_reset(c, final, host=place.commissioner, reason="why", user_id=user)


def _grant_reset(c: Connection, place: Place, user: int) -> object:
    return grant_reset(c, place.reset_id, user_id=user)


def _configuration(status: str) -> Attempt:
    body = CONFIGURATION.read_text().replace("illustrative-isht-2017-18", f"{status}-of-the-test")
    for old, new in (("2018-", "2031-"), ("2017-", "2030-"), ("live", status)):
        body = body.replace(f": {old}", f": {new}")
    assert f"owner: {LEAD}" in body

    def attempt(c: Connection, place: Place, user: int) -> object:
        led = body.replace(f"owner: {LEAD}", f"owner: {place.commissioner}")
        return import_configuration(c, led, name="test.yaml", user_id=user)

    return attempt


def _manage_accounts(c: Connection, _place: Place, user: int) -> object:
    return add_user(c, "somebody new", "New", None, user_id=user)


def _operate(c: Connection, place: Place, user: int) -> object:
    return discard(c, place.failure, user_id=user)


IN_CORE: dict[Action, Attempt] = {
    Action.UPLOAD: _upload,
    Action.CORRECT: _correct,
    Action.DRAFT: _run("draft"),
    Action.SUBMIT: _run("final"),
    Action.SEE_CHARGES: _see_charges,
    Action.SEE_KPIS: _see_kpis,
    Action.SEE_BACKING_DATA: _backing_data,
    Action.ASK_FOR_RESET: _ask_for_reset,
    Action.GRANT_RESET: _grant_reset,
    Action.EDIT_CONFIGURATION: _configuration("draft"),
    Action.PUBLISH_CONFIGURATION: _configuration("shadow"),
    Action.MANAGE_ACCOUNTS: _manage_accounts,
    Action.OPERATE: _operate,
}

_CONFIGURATION = (
    "INSERT INTO configurations "
    "(configuration, title, dataset_id, status, starts, ends, holds_from, body, owner) SELECT "
    "'c', 'c', id, '{status}', '2030-01-01', '2030-12-31', '2030-01-01', '', '{commissioner}' "
    "FROM datasets"
)
_REPORT = (
    "INSERT INTO reports (kind, parameters, requested_by) VALUES ('backing-data', "
    "jsonb_build_object('side', '{side}', 'kind', 'backing-data', "
    "'organisation', '{code}'), {user})"
)
_RUN = "INSERT INTO runs (submission_id, number, kind) VALUES ({ready}, 99, '{kind}')"

_IN_SQL: dict[Action, tuple[str, ...]] = {
    Action.UPLOAD: (
        "INSERT INTO files (submission_id, position, name, storage_key, size, sha256) "
        "VALUES ({error_month}, 99, 'x', 'x', 1, 'x')",
    ),
    Action.CORRECT: (
        "INSERT INTO corrections (file_id, field, wrong, value) VALUES ({file}, 'G', '9', '1')",
    ),
    Action.DRAFT: (_RUN.replace("{kind}", "draft"),),
    Action.SUBMIT: (_RUN.replace("{kind}", "final"),),
    Action.SEE_CHARGES: (
        "SELECT * FROM charges WHERE run_id = {run} AND commissioner = '{commissioner}'",
        "SELECT * FROM run_payers WHERE run_id = {run} AND commissioner = '{commissioner}'",
    ),
    Action.SEE_KPIS: (
        "SELECT * FROM my_organisations('see KPIs') AS one "
        "WHERE one IN ({provider_id}, {commissioner_id})",
    ),
    Action.SEE_BACKING_DATA: (
        _REPORT.replace("{side}", "provider").replace("{code}", "{provider}"),
        _REPORT.replace("{side}", "commissioner").replace("{code}", "{commissioner}"),
    ),
    Action.ASK_FOR_RESET: (
        "INSERT INTO resets (submission_id, run_id, host_id, reason) "
        "VALUES ({final_month}, {run}, {commissioner_id}, 'why')",
    ),
    Action.GRANT_RESET: (
        "UPDATE resets SET granted = true, decided_at = now() WHERE id = {reset}",
    ),
    Action.EDIT_CONFIGURATION: (_CONFIGURATION.replace("{status}", "draft"),),
    Action.PUBLISH_CONFIGURATION: (_CONFIGURATION.replace("{status}", "live"),),
    Action.MANAGE_ACCOUNTS: ("INSERT INTO users (subject, name) VALUES ('new', 'New')",),
    Action.OPERATE: ("SELECT * FROM log_posts", "SELECT * FROM events WHERE user_id IS NULL"),
}
"""One of the statements has an effect: for who works for a provider, or for a commissioner."""


def in_sql(connection: Connection, action: Action, place: Place, user: int) -> bool:
    """Whether bare SQL, in a transaction that acts for the user, does it."""
    values = {
        "ready": place.submissions[READY],
        "error_month": place.submissions[IN_ERROR],
        "final_month": place.submissions[FINAL],
        "run": place.run_id,
        "file": place.file_id,
        "reset": place.reset_id,
        "provider": place.provider,
        "provider_id": place.provider_id,
        "commissioner": place.commissioner,
        "commissioner_id": place.commissioner_id,
        "user": user,
    }
    return any(_has_effect(connection, each.format(**values)) for each in _IN_SQL[action])


def _has_effect(connection: Connection, statement: str) -> bool:
    try:
        with connection.begin_nested():
            return connection.exec_driver_sql(statement).rowcount > 0
    except sa.exc.ProgrammingError as refused:
        assert "row-level security" in str(refused) or "permission denied" in str(refused)
        return False


def in_core(connection: Connection, action: Action, place: Place, user: int) -> bool:
    """Whether the verb or query of core does it for the user."""
    try:
        with connection.begin_nested():
            return bool(IN_CORE[action](connection, place, user))
    except NotAllowed:
        return False
    except UserError as other:
        raise AssertionError(f"{action} failed for another reason: {other}") from other
