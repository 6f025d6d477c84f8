"""The old service over real HTTP, with all that is wrong with it, into a real database."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.accounts.scope import EVERYTHING
from core.database.engine import with_driver
from core.database.roles import open_roles
from core.events.failures import Cause, discard
from core.events.retrying import retry
from core.files.store import FolderStore
from core.kpis.catalogue import published_kpis
from core.kpis.episodes import chunks_to_write, write_episodes
from core.kpis.measuring import measure
from core.kpis.results import results_of, store_result
from core.migration.legacy import CredentialsRefused, Legacy, LegacyAway
from core.migration.problems import PROBLEMS
from core.migration.progress import progress_of
from core.migration.report import keep_report
from core.migration.runs import (
    fail_migration,
    go_on,
    load_migration,
    request_migration,
    sign_off,
)
from core.migration.working import Bench, StepRefused
from core.pathways import find_pathway, price_versions, read_pathways
from core.samples.activity import SPECIFICATION
from core.settings import settings
from core.submissions.runs import load_run
from core.tariffs.importing import import_dataset
from core.user_errors import UserError
from tests.conftest import fresh_database
from tests.legacy_server import HEADER, PASSWORD
from tests.legacy_source import OldService, migrate, old_service, rehearsed
from tests.legacy_world import CHAIN

if TYPE_CHECKING:
    from core.database.embedded import EmbeddedPostgres

KEPT = (
    "legacy_rows", "organisations", "clinics", "users", "subscriptions", "subscription_periods",
    "invoices", "invoice_lines", "payments", "configurations", "configuration_providers",
    "submissions", "files", "records_sexual_health", "runs", "charges", "run_payers",
    "migration_differences", "failures", "invoice_counters", "organisation_names", "kpis",
    "kpi_results", "pathways", "pathway_steps", "consumables", "step_consumables",
    "consumable_prices",
)  # fmt: skip
"""What a migration that has nothing to do leaves as it is, row for row."""


@pytest.fixture(scope="module")
def old() -> Iterator[OldService]:
    options = ("--providers", "2", "--months", "3", "--records", "620", "--troubles", "0.08")
    with old_service(*options, "--seed", "4") as running:
        yield running


@pytest.fixture(scope="module")
def small() -> Iterator[OldService]:
    with old_service("--providers", "1", "--months", "2", "--records", "60") as running:
        yield running


def prepared(url: str) -> Engine:
    engine = sa.create_engine(with_driver(url))
    with engine.begin() as connection:
        import_dataset(connection, SPECIFICATION.read_text(), name="data set")
    return engine


@pytest.fixture(scope="module")
def engine(postgres: EmbeddedPostgres, template: str) -> Iterator[Engine]:
    """The database of the tests that follow each other, from the first migration on."""
    with fresh_database(postgres, "migrated_", template=template) as url:
        made = prepared(url)
        yield made
        made.dispose()


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    made = prepared(database_url)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def summary(engine: Engine, old: OldService) -> dict[str, Any]:
    return migrate(engine, old.door())


def rows(engine: Engine, query: str, **given: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query), given).all())


def one(engine: Engine, query: str, **given: Any) -> Any:
    with engine.connect() as connection:
        return connection.execute(sa.text(query), given).scalar_one()


def faults(engine: Engine) -> dict[tuple[str, int], str]:
    """Table and row of all that waits in the error queue, with the reason."""
    found = rows(
        engine,
        "SELECT payload ->> 'table', CAST(payload ->> 'row' AS bigint), reason FROM failures "
        "WHERE kind = 'legacy row' AND state = 'waiting'",
    )
    assert len({row[:2] for row in found}) == len(found), "a row stands in the queue twice"
    return {(row[0], row[1]): row[2] for row in found}


def snapshot(engine: Engine) -> dict[str, list[Any]]:
    """Every row by the transaction that wrote it."""
    return {
        name: sorted(map(tuple, rows(engine, f"SELECT xmin::text, ctid::text FROM {name}")))
        for name in KEPT
    }


def test_every_good_row_is_here_once_and_every_bad_one_in_the_error_queue_once(
    summary: dict[str, Any], engine: Engine, old: OldService
) -> None:
    told, bad = old.told(), old.bad
    assert sum(told["counts"].values()) > 10_000
    assert len({each["outcome"] for each in told["log"]}) >= 5
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
        assert count == told["counts"][table] - twice.get(table, 0) - wrong, table


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
    altered = old.told()["altered"]["amount"]
    assert causes["amount"]["charges"] == altered
    assert causes["amount"]["legacy_pence"] - causes["amount"]["here_pence"] == altered
    assert causes["same"]["legacy_pence"] == causes["same"]["here_pence"] > 0
    rest = {name: row["charges"] for name, row in causes.items() if name not in ("same", "amount")}
    # The charge whose id stands there twice, and the record whose id does.
    assert rest.pop("in the error queue", 0) >= 1
    assert sum(rest.values()) <= 12
    assert rest.keys() <= {"missing episode", "trigger", "combination", "primary or additional"}


def test_indicators_are_ours_or_their_own_and_have_the_old_figures(
    summary: dict[str, Any], engine: Engine
) -> None:
    known = rows(
        engine,
        "SELECT r.legacy_id, k.kpi, k.state, k.body ->> 'unit' FROM legacy_rows r "
        "JOIN kpis k ON k.id = r.local_id WHERE r.legacy_table = 'kpis' "
        "AND r.local_table = 'kpis' ORDER BY 1",
    )
    assert list(map(tuple, known)) == [
        (1, "hiv-test-uptake", "published", "percent"),
        (2, "old-2-waits", "taken over", "percent"),
        (5, "old-5-costs", "taken over", "pounds"),
    ]
    with engine.connect() as connection:
        found = results_of(connection, EVERYTHING, ["LZ00", "LZ01"])
    assert {each.kpi.kpi for each in found} == {"hiv-test-uptake", "old-2-waits"}
    assert len(found) == summary["tables"]["kpiResults"]["new"] == 12
    assert all(each.taken_over and each.denominator == 100 for each in found)


def test_months_are_measured_as_others_are_but_not_where_the_old_service_told(
    summary: dict[str, Any], engine: Engine
) -> None:
    asked = rows(
        engine,
        "SELECT s.run_id FROM submissions s JOIN events e ON e.name = 'kpis.requested' "
        "AND CAST(e.payload ->> 'run_id' AS integer) = s.run_id",
    )
    assert len(asked) == 6
    run_id = asked[0][0]
    open_roles(engine.url.set(drivername="postgresql").render_as_string(False), settings())
    with engine.begin() as connection:
        run = load_run(connection, run_id)
        for chunk in chunks_to_write(connection, run):
            write_episodes(connection, run, chunk)
        kpis = {each.definition.kpi: each for each in published_kpis(connection, "sexual-health")}
        assert len(kpis) == 15  # and none of the old service's own
    for name in ("charge-per-episode", "hiv-test-uptake"):
        measured = measure(engine, kpis[name].definition, "sexual-health", run_id)
        with engine.begin() as connection:
            store_result(connection, run_id, kpis[name].id, measured)
    with engine.connect() as connection:
        found = {
            each.kpi.kpi: each
            for each in results_of(connection, EVERYTHING, [run.submission.provider])
            if each.month == run.submission.month
        }
        charged = connection.execute(
            sa.text("SELECT amount_pence FROM runs WHERE id = :run"), {"run": run_id}
        ).scalar_one()
    assert found["charge-per-episode"].numerator == Decimal(charged) / 100
    assert not found["charge-per-episode"].taken_over
    assert found["hiv-test-uptake"].taken_over
    assert found["hiv-test-uptake"].denominator == 100


def test_pathways_can_be_read_with_the_prices_of_a_day(
    summary: dict[str, Any], engine: Engine
) -> None:
    with engine.connect() as connection:
        now, before, never = (
            read_pathways(connection, dt.date(year, 5, 1)) for year in (2018, 2016, 2015)
        )
        prices = price_versions(connection)
    assert [each.name for each in now] == [f"Pathway {number}" for number in range(10)]
    seventh = now[7]
    assert [step.name for step in seventh.steps] == [f"Step {turn}" for turn in range(5)]
    assert [step.after for step in seventh.steps] == [None, *(f"Step {n}" for n in range(4))]
    assert (seventh.minutes, seventh.cost) == (50, 5 * Decimal("1.5") * Decimal("7.20"))
    assert before[7].cost == 5 * Decimal("1.5") * Decimal("7.10")
    assert (never[7].cost, never[7].unpriced) == (0, ["Kit 7"])
    assert find_pathway(now, "pathway 3") == now[3]
    with pytest.raises(UserError, match="known: Pathway 0, Pathway 1"):
        find_pathway(now, "Pathway 99")
    assert len(prices) == 20
    assert {each.ends_on for each in prices if each.version == 2} == {None}  # 9999 means: open


def test_nobody_is_told_of_what_is_long_past(summary: dict[str, Any], engine: Engine) -> None:
    found = {row[0] for row in rows(engine, "SELECT DISTINCT name FROM events")}
    assert found - {"kpi.published"} == {  # which the data set brings
        "kpis.requested",  # which nobody is told of
        "migration.requested",
        "migration.table-finished",
        "migration.finished",
    }


PERSONAL = ("77777777", "old.example", "Analyst", "Accounts", "twelve", "CHARITY")


def test_messages_hold_nothing_personal(
    summary: dict[str, Any], engine: Engine, postgres: EmbeddedPostgres
) -> None:
    texts = " ".join(row[0] for row in rows(engine, "SELECT reason || title FROM failures"))
    for value in PERSONAL:
        assert f" {value}" not in texts
    log = postgres.log.read_text()
    refused = [line for line in log.splitlines() if "violates check constraint" in line]
    assert any("invoices" in line for line in refused), "the database refuses one of them"
    assert [value for value in PERSONAL if value in log] == []


def test_what_the_database_refuses_in_a_step_is_told_without_values(
    empty: Engine, small: OldService
) -> None:
    with empty.begin() as connection:
        migration = load_migration(connection, request_migration(connection, user_id=None))
    add = sa.text("INSERT INTO users (subject, name) VALUES ('ada@old.example', 'Analyst Ada')")
    with (
        Legacy(small.door()) as legacy,
        pytest.raises(StepRefused) as refused,
        Bench(empty, migration, legacy).transaction() as connection,
    ):
        connection.execute(add)
        connection.execute(add)
    assert "uq_users_subject" in str(refused.value)
    told = "".join(traceback.format_exception(refused.value))
    assert [value for value in PERSONAL if value in told] == []


def test_a_second_migration_reads_only_what_changed_and_writes_nothing(
    summary: dict[str, Any], engine: Engine, old: OldService
) -> None:
    old.forget()
    before = snapshot(engine)
    again = migrate(engine, old.door())
    assert snapshot(engine) == before
    assert (again["new"], again["changed"], again["gone"]) == (0, 0, 0)
    assert again["failed"] == summary["failed"]
    assert sum(each["rows"] for each in old.told()["log"]) == 0


def test_changes_and_deletions_are_followed(
    summary: dict[str, Any], engine: Engine, old: OldService
) -> None:
    orphan = next(key for key, code in old.bad.items() if key[0] == "clinics" and code == "orphan")
    assert orphan in faults(engine)
    parent = {"kind": "PROVIDER", "code": "NEW1", "name": "New", "address": None, "partOfId": None}
    old.set(now="2018-08-01T00:00:00Z")
    old.change(
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
    found = migrate(engine, old.door())
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
    now = one(engine, "SELECT count(*) FROM charges c JOIN submissions s USING (run_id)")
    assert now == charges - 1
    assert rows(engine, "SELECT state, count(*) FROM runs GROUP BY 1 ORDER BY 1") == [
        ("published", 6),
        ("replaced", 1),
    ]
    resolved = "SELECT count(*) FROM failures WHERE state = 'resolved' AND work = :work"
    assert one(engine, resolved, work=f"legacy/clinics/{orphan[1]}") == 1
    old.change(("invoices", 2, {"total": "816.00"}))
    assert migrate(engine, old.door())["disagreeing"] == []


def test_indicators_and_pathways_are_followed_and_what_hangs_on_what_is_gone_waits(
    summary: dict[str, Any], engine: Engine, old: OldService
) -> None:
    before = faults(engine)
    steps = "SELECT id, name FROM pathway_steps WHERE pathway_id = :first ORDER BY id"
    first = one(engine, "SELECT min(id) FROM pathways")
    [trust] = rows(
        engine,
        "SELECT legacy_id, local_id FROM legacy_rows WHERE legacy_table = 'organisations' "
        "AND problems IS NULL AND body ->> 'code' = 'LZ00'",
    )
    stood = rows(engine, steps, first=first)
    old.set(now="2018-09-01T00:00:00Z")
    old.change(
        ("organisations", trust[0], {"name": "New Trust", "changedAt": "2018-08-15T10:00:00Z"}),
        ("kpis", 2, {"name": "Waiting times"}),
        ("kpiResults", 2, {"numerator": "7"}),
        ("kpiResults", 4, None),
        ("prices", 7, {"price": "9.99"}),
        ("pathways", 1, None),  # of steps 1 to 5
        ("pathwaySteps", 8, None),  # which 9 and 10 follow
        ("consumables", 3, None),  # with prices 5 and 6
    )
    found = migrate(engine, old.door())
    assert found["disagreeing"] == []
    assert {name: row["gone"] for name, row in found["tables"].items() if row["gone"]} == {
        "consumables": 1,
        "kpiResults": 1,
        "pathwaySteps": 1,
        "pathways": 1,
    }
    waiting = {key: reason for key, reason in faults(engine).items() if key not in before}
    assert sorted(key for key in waiting if key[0] != "stepConsumables") == [
        *(("pathwaySteps", number) for number in (1, 2, 3, 4, 5, 9, 10)),
        ("prices", 5),
        ("prices", 6),
    ]
    assert "afterId: it refers to pathwaySteps 8, which is not here" in waiting["pathwaySteps", 9]
    assert "pathwayId: it refers to pathways 1, which is" in waiting["pathwaySteps", 1]
    assert {number for table, number in waiting if table == "stepConsumables"} == {
        *range(1, 6), *range(8, 16)
    }  # fmt: skip
    count = "SELECT count(*) FROM "
    assert one(engine, count + "pathways") == 9
    assert one(engine, count + "pathway_steps") == 50 - 5 - 3
    assert one(engine, count + "consumable_prices") == 18
    assert one(engine, count + "consumable_prices WHERE price = 9.99") == 1
    with engine.connect() as connection:
        figures = results_of(connection, EVERYTHING, ["LZ00", "LZ01"])
    waits = [each for each in figures if each.kpi.kpi == "old-2-waits"]
    assert {each.kpi.title for each in waits} == {"Waiting times"}
    assert len(waits) == 5
    assert 7 in {each.numerator for each in waits}
    assert rows(engine, "SELECT version, state FROM kpis WHERE kpi = 'old-2-waits' ORDER BY 1") == [
        (1, "retired"),
        (2, "taken over"),
    ]
    [name] = rows(engine, "SELECT organisation_id, name, until::date FROM organisation_names")
    assert tuple(name) == (trust[1], "Old Trust 0", dt.date(2018, 8, 15))
    kept = snapshot(engine)
    assert migrate(engine, old.door())["disagreeing"] == []
    assert snapshot(engine) == kept
    old.change(("pathways", 1, {"name": "Pathway 0"}))
    assert migrate(engine, old.door())["disagreeing"] == []
    assert rows(engine, steps, first=first) == stood
    assert not any(key[0] == "pathwaySteps" and key[1] < 6 for key in faults(engine))


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
    migrate(engine, old.door(), run_id)
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
        key = keep_report(connection, run_id, summary, FolderStore(tmp_path))
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


def test_a_dry_run_writes_nothing_and_says_what_it_would_do(
    empty: Engine, small: OldService
) -> None:
    before = snapshot(empty)
    dry = rehearsed(empty, small.door())
    assert snapshot(empty) == before
    real = migrate(empty, small.door())
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
        migrate(empty, small.door(), run_id)
    assert PASSWORD not in str(refused.value)
    assert HEADER[1] not in str(refused.value).split()
    with empty.begin() as connection:
        fail_migration(connection, run_id, Cause(str(refused.value)))
    assert "renew them" in one(empty, "SELECT failure FROM migration_runs")
    done = one(empty, "SELECT count(*) FROM migrated_tables WHERE state LIKE 'complete%'")
    assert 3 < done < 27
    small.set(shut_after=None)
    small.forget()
    with empty.begin() as connection:
        go_on(connection, run_id, user_id=None, reason="renewed")
    found = migrate(empty, small.door(), run_id)
    assert found["disagreeing"] == []
    assert faults(empty).keys() == small.bad.keys()
    asked_again = {each["path"].split("?")[0] for each in small.told()["log"]}
    assert "/api/validationGroups" not in asked_again


def test_pages_that_shift_under_the_reader_lose_no_row(empty: Engine) -> None:
    options = ("--providers", "1", "--months", "2", "--records", "60", "--flawless")
    with old_service(*options) as shifting:
        shifting.set(shifts=[["records", 1], ["records", 2], ["charges", 1], ["kpiResults", 1]])
        found = migrate(empty, shifting.door(page=20))
        counts = shifting.told()["counts"]
    assert found["tables"]["records"]["source_rows"] == counts["records"] == 118
    assert found["disagreeing"] == [], found
    assert one(empty, "SELECT count(*) FROM records_sexual_health") == 118


def test_a_service_that_is_away_stops_it(empty: Engine, small: OldService) -> None:
    with pytest.raises(LegacyAway, match="did not answer"):
        migrate(empty, small.door(url="http://127.0.0.1:9", attempts=2))


def test_two_at_once_are_refused(empty: Engine) -> None:
    with empty.begin() as connection:
        request_migration(connection, user_id=None)
        with pytest.raises(UserError, match="is under way"):
            request_migration(connection, user_id=None)
        with pytest.raises(UserError, match="no table 'nothing'"):
            request_migration(connection, user_id=None, only_table="nothing")
