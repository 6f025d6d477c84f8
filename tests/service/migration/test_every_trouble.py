"""The old service with all that is wrong with it; each test goes on where the last one ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from sqlalchemy import Engine

from core.access.scope import EVERYTHING
from core.events.failures import discard
from core.files.store import FolderStore
from core.migration.problems import PROBLEMS
from core.migration.progress import progress_of
from core.migration.runs import (
    sign_off,
)
from core.migration.verifying.report import store_report
from core.operations.retrying import retry
from core.user_errors import UserError
from tests.legacy_source import OldService, migrate, old_service
from tests.legacy_world import CHAIN
from tests.service.migration.rows import PERSONAL, faults, one, rows, snapshot

if TYPE_CHECKING:
    from core.database.embedded import EmbeddedPostgres


@pytest.fixture(scope="module")
def old() -> Iterator[OldService]:
    options = ("--providers", "2", "--months", "3", "--records", "620", "--troubles", "0.08")
    with old_service(*options, "--seed", "4") as running:
        yield running


def test_every_good_row_is_here_once_and_every_bad_one_in_the_error_queue_once(
    summary: dict[str, Any], engine: Engine, old: OldService
) -> None:
    report, bad = old.report(), old.bad
    assert sum(report["counts"].values()) > 10_000
    assert len({each["outcome"] for each in report["log"]}) >= 5
    found = faults(engine)
    assert found.keys() == bad.keys()
    for key, code in bad.items():
        assert (
            PROBLEMS[code].partition("{detail}")[0].strip() in found[key]
            or "same key" in (found[key])
        )
    here = rows(
        engine,
        "SELECT legacy_table, count(*) FROM legacy_rows WHERE imported = checksum GROUP BY 1",
    )
    twice = {"records": 2, "charges": 2, "validationOptions": 2}
    for table, count in here:
        wrong = sum(name == table for name, _ in bad)
        assert count == report["counts"][table] - twice.get(table, 0) - wrong, table


def test_the_comparison_says_that_all_agrees(summary: dict[str, Any], engine: Engine) -> None:
    assert summary["disagreeing"] == []
    assert all(table["agrees"] for table in summary["tables"].values())
    assert one(engine, "SELECT bool_and(agrees AND same_content) FROM migration_checks")
    months = rows(
        engine,
        "SELECT provider, month, source_pence, here_pence, failed_pence FROM migration_checks "
        "WHERE legacy_table = 'charges' AND provider IS NOT NULL",
    )
    assert len(months) == 6
    assert all(there == here + lost and here > 0 for _, _, there, here, lost in months)


def test_rows_stand_where_the_mapping_says(summary: dict[str, Any], engine: Engine) -> None:
    count = "SELECT count(*) FROM "
    assert one(engine, count + "submissions WHERE state = 'submitted'") == 6
    assert one(engine, count + "files WHERE state = 'ready'") == 6
    records = summary["tables"]["records"]["new"]
    assert one(engine, count + "records_sexual_health") == records
    assert one(engine, "SELECT sum(records) FROM files") == records
    assert one(engine, "SELECT sum(records) FROM runs WHERE state = 'published'") == records
    assert one(engine, count + "charges") == summary["tables"]["charges"]["new"]
    assert one(engine, count + "organisations WHERE code LIKE 'QC%'") == CHAIN
    depth = (
        "WITH RECURSIVE up AS (SELECT part_of_id, 1 AS depth FROM organisations WHERE code = :code "
        "UNION ALL SELECT o.part_of_id, depth + 1 FROM organisations o JOIN up ON o.id = "
        "up.part_of_id) SELECT max(depth) FROM up"
    )
    assert one(engine, depth, code=f"QC{CHAIN - 1}") == CHAIN
    assert rows(engine, "SELECT DISTINCT state FROM subscriptions") == [("ended",)]
    assert one(engine, "SELECT last FROM invoice_counters WHERE bill = 'invoice'") == 4
    paid = rows(engine, "SELECT paid_on IS NULL, count(*) FROM invoices GROUP BY 1 ORDER BY 1")
    assert paid == [(False, 2), (True, 2)]  # 1900 means: unknown
    assert one(engine, count + "subscriptions WHERE ended_on IS NULL") == 4  # 9999 means: open


def test_charges_are_calculated_again_and_differences_explained(
    summary: dict[str, Any], old: OldService
) -> None:
    causes = {each["cause"]: each for each in summary["charges"]}
    altered = old.report()["altered"]["amount"]
    assert causes["amount"]["charges"] == altered
    assert causes["amount"]["legacy_pence"] - causes["amount"]["here_pence"] == altered
    assert causes["same"]["legacy_pence"] == causes["same"]["here_pence"] > 0
    rest = {name: row["charges"] for name, row in causes.items() if name not in ("same", "amount")}
    # The charge whose id stands there twice, and the record whose id does.
    assert rest.pop("in the error queue", 0) >= 1
    assert sum(rest.values()) <= 12
    assert rest.keys() <= {"missing episode", "trigger", "combination", "primary or additional"}


def test_nobody_is_told_of_what_is_long_past(summary: dict[str, Any], engine: Engine) -> None:
    found = {row[0] for row in rows(engine, "SELECT DISTINCT name FROM events")}
    assert found - {"kpi.published"} == {  # which the data set brings
        "kpis.requested",  # which nobody is told of
        "migration.requested",
        "migration.table-finished",
        "migration.finished",
    }


def test_messages_hold_nothing_personal(
    summary: dict[str, Any], engine: Engine, postgres: EmbeddedPostgres
) -> None:
    texts = " ".join(row[0] for row in rows(engine, "SELECT reason || title FROM failures"))
    for value in PERSONAL:
        assert f" {value}" not in texts
    refused = rows(engine, "SELECT subject FROM failures WHERE reason ILIKE '%database%'")
    assert any("invoices" in row[0] for row in refused), "the database refuses one of them"
    log = postgres.log.read_text()
    assert [value for value in PERSONAL if value in log] == []


def test_a_second_migration_reads_only_what_changed_and_writes_nothing(
    summary: dict[str, Any], engine: Engine, old: OldService
) -> None:
    old.forget()
    before = snapshot(engine)
    again = migrate(engine, old.endpoint())
    assert snapshot(engine) == before
    assert (again["new"], again["changed"], again["gone"]) == (0, 0, 0)
    assert again["failed"] == summary["failed"]
    assert sum(each["rows"] for each in old.report()["log"]) == 0


def test_changes_and_deletions_are_followed(
    summary: dict[str, Any], engine: Engine, old: OldService
) -> None:
    orphan = next(key for key, code in old.bad.items() if key[0] == "clinics" and code == "orphan")
    assert orphan in faults(engine)
    parent = {"kind": "PROVIDER", "code": "NEW1", "name": "New", "address": None, "partOfId": None}
    [(clinic, ours)] = rows(
        engine,
        "SELECT legacy_id, local_id FROM legacy_rows JOIN clinics c ON c.id = local_id "
        "WHERE legacy_table = 'clinics' AND c.commissioner <> 'E09000012' ORDER BY 1 LIMIT 1",
    )
    moved = {"hostCode": "E09000012", "changedAt": "2018-07-15T10:00:00Z"}
    old.set(now="2018-08-01T00:00:00Z")
    old.change(
        ("clinics", clinic, moved),
        ("organisations", 777_777, parent),
        ("users", 1, {"name": "Renamed"}),
        ("users", 4, None),
        ("charges", 20, None),
        ("charges", 21, {"amount": "0.01"}),
        ("records", 30, None),
        ("records", 31, {"lsoa": "E01004198"}),
        ("invoices", 2, {"total": "much"}),
    )
    charges = one(engine, "SELECT count(*) FROM charges c JOIN submissions s USING (run_id)")
    found = migrate(engine, old.endpoint())
    assert found["disagreeing"] == ["invoices"]  # what is here is from before it went wrong
    assert found["tables"]["organisations"]["new"] == found["tables"]["clinics"]["new"] == 1
    assert {name: row["gone"] for name, row in found["tables"].items() if row["gone"]} == {
        "users": 1,
        "charges": 1,
        "records": 1,
    }
    assert orphan not in faults(engine)
    assert ("invoices", 2) in faults(engine)
    assert rows(engine, "SELECT name FROM users WHERE subject = 'LZ00-0@old.example'") == [
        ("Renamed",)
    ]
    assert one(engine, "SELECT active FROM users WHERE subject = 'LZ01-1@old.example'") is False
    host = "SELECT commissioner, placed_at::date FROM clinics WHERE id = :clinic"
    assert rows(engine, host, clinic=ours) == [("E09000012", dt.date(2018, 7, 15))]
    unmoved = "SELECT count(*) FROM clinics WHERE placed_at IS NOT NULL AND id <> :clinic"
    assert one(engine, unmoved, clinic=ours) == 0
    now = one(engine, "SELECT count(*) FROM charges c JOIN submissions s USING (run_id)")
    assert now == charges - 1
    assert rows(engine, "SELECT state, count(*) FROM runs GROUP BY 1 ORDER BY 1") == [
        ("published", 6),
        ("replaced", 1),
    ]
    resolved = "SELECT count(*) FROM failures WHERE state = 'resolved' AND work = :work"
    assert one(engine, resolved, work=f"legacy/clinics/{orphan[1]}") == 1
    old.change(("invoices", 2, {"total": "816.00"}))
    assert migrate(engine, old.endpoint())["disagreeing"] == []


def test_a_row_that_is_set_aside_stays_so_and_one_tried_again_waits_again(
    summary: dict[str, Any], engine: Engine, old: OldService
) -> None:
    references = [
        row[0]
        for row in rows(engine, "SELECT reference FROM failures WHERE state = 'waiting' LIMIT 2")
    ]
    with engine.begin() as connection:
        discard(connection, references[0])
        retry(connection, references[1])
    [(run_id, table)] = rows(
        engine, "SELECT id, only_table FROM migration_runs WHERE state = 'planned'"
    )
    migrate(engine, old.endpoint(), run_id)
    states = rows(
        engine,
        "SELECT reference, state, attempts FROM failures WHERE reference = ANY (:refs)",
        refs=references,
    )
    assert {row[0]: tuple(row[1:]) for row in states} == {
        references[0]: ("discarded", 1),
        references[1]: ("waiting", 2),
    }
    worked = rows(
        engine, "SELECT legacy_table FROM migrated_tables WHERE run_id = :run", run=run_id
    )
    assert [row[0] for row in worked] == [table]


def test_the_report_is_a_workbook(summary: dict[str, Any], engine: Engine, tmp_path: Path) -> None:
    run_id = one(engine, "SELECT min(id) FROM migration_runs")
    with engine.begin() as connection:
        key = store_report(connection, run_id, summary, FolderStore(tmp_path))
    book = openpyxl.load_workbook(tmp_path / key, read_only=True)
    assert book.sheetnames == ["Notes", "Tables", "Rows and money", "Charges", "Rows in error"]
    tables = {row[0]: row for row in book["Tables"].iter_rows(min_row=2, values_only=True)}
    there = summary["tables"]["charges"]["source_rows"]
    assert tables["charges"][2:5] == ("charges", "yes", there)
    assert {row[3] for row in tables.values()} == {"yes"}
    *_, total = book["Charges"].iter_rows(min_row=2, values_only=True)
    assert total[0] == "Total"
    wrong = list(book["Rows in error"].iter_rows(min_row=2, values_only=True))
    assert len(wrong) == len(faults(engine)) + 1  # and the one that was set aside


def test_what_has_ended_is_signed_once(summary: dict[str, Any], engine: Engine) -> None:
    run_id = one(engine, "SELECT min(id) FROM migration_runs")
    with engine.begin() as connection:
        sign_off(connection, run_id, user_id=None, name="Ada", note="looked at every sheet")
        progress = progress_of(connection, EVERYTHING, run_id)
    assert (progress.signed_name, progress.may_be_signed) == ("Ada", False)
    with pytest.raises(UserError, match="signed already"), engine.begin() as connection:
        sign_off(connection, run_id, user_id=None, name="Bob", note="")
