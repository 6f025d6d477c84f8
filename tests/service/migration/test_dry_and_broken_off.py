"""A rehearsal, and migrations that something stops half-way."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.migration.migrate_table import MigrationContext, StepRefused
from core.migration.reading.legacy import CredentialsRefused, LegacyClient, LegacyUnavailable
from core.migration.runs import (
    fail_migration,
    load_migration,
    request_migration,
    resume,
    sign_off,
)
from core.support.faults import Fault
from core.user_errors import UserError
from tests.legacy_server import HEADER, PASSWORD
from tests.legacy_source import OldService, migrate, old_service, rehearsed
from tests.service.migration.rows import PERSONAL, faults, one, snapshot

if TYPE_CHECKING:
    pass


def test_a_dry_run_writes_nothing_and_says_what_it_would_do(
    empty: Engine, small: OldService
) -> None:
    before = snapshot(empty)
    dry = rehearsed(empty, small.endpoint())
    assert snapshot(empty) == before
    real = migrate(empty, small.endpoint())
    for name in ("new", "changed", "failed", "problems", "disagreeing"):
        assert dry[name] == real[name]
    with empty.begin() as connection, pytest.raises(UserError, match="dry run"):
        sign_off(connection, 1, user_id=None, name="Ada", note="")


def test_a_password_that_expires_half_way_stops_it_and_it_goes_on(
    empty: Engine, small: OldService
) -> None:
    with empty.begin() as connection:
        run_id = request_migration(connection, user_id=None)
    small.set(shut_after=30)
    with pytest.raises(CredentialsRefused) as refused:
        migrate(empty, small.endpoint(), run_id)
    assert PASSWORD not in str(refused.value)
    assert HEADER[1] not in str(refused.value).split()
    with empty.begin() as connection:
        fail_migration(connection, run_id, Fault(str(refused.value)))
    assert "renew them" in one(empty, "SELECT failure FROM migration_runs")
    done = one(empty, "SELECT count(*) FROM migrated_tables WHERE state LIKE 'complete%'")
    assert 3 < done < 27
    small.set(shut_after=None)
    small.forget()
    with empty.begin() as connection:
        resume(connection, run_id, user_id=None, reason="renewed")
    found = migrate(empty, small.endpoint(), run_id)
    assert found["disagreeing"] == []
    assert faults(empty).keys() == small.bad.keys()
    asked_again = {each["path"].split("?")[0] for each in small.report()["log"]}
    assert "/api/validationGroups" not in asked_again


def test_what_the_database_refuses_in_a_step_is_told_without_values(
    empty: Engine, small: OldService
) -> None:
    with empty.begin() as connection:
        migration = load_migration(connection, request_migration(connection, user_id=None))
    add = sa.text("INSERT INTO users (subject, name) VALUES (:subject, :name)")
    ada = {"subject": "ada@old.example", "name": "Analyst Ada"}
    with (
        LegacyClient(small.endpoint()) as legacy,
        pytest.raises(StepRefused) as refused,
        MigrationContext(empty, migration, legacy).transaction() as connection,
    ):
        connection.execute(add, ada)
        connection.execute(add, ada)
    assert "uq_users_subject" in str(refused.value)
    report = "".join(traceback.format_exception(refused.value))
    assert [value for value in PERSONAL if value in report] == []


def test_pages_that_shift_under_the_reader_lose_no_row(empty: Engine) -> None:
    options = ("--providers", "1", "--months", "2", "--records", "60", "--flawless")
    with old_service(*options) as shifting:
        shifting.set(shifts=[["records", 1], ["records", 2], ["charges", 1], ["kpiResults", 1]])
        found = migrate(empty, shifting.endpoint(page=20))
        counts = shifting.report()["counts"]
    assert found["tables"]["records"]["source_rows"] == counts["records"] == 118
    assert found["disagreeing"] == [], found
    assert one(empty, "SELECT count(*) FROM records_sexual_health") == 118


def test_a_service_that_is_away_stops_it(empty: Engine, small: OldService) -> None:
    with pytest.raises(LegacyUnavailable, match="did not answer"):
        migrate(empty, small.endpoint(url="http://127.0.0.1:9", attempts=2))


def test_two_at_once_are_refused(empty: Engine) -> None:
    with empty.begin() as connection:
        request_migration(connection, user_id=None)
        with pytest.raises(UserError, match="is under way"):
            request_migration(connection, user_id=None)
        with pytest.raises(UserError, match="no table 'nothing'"):
            request_migration(connection, user_id=None, only_table="nothing")
