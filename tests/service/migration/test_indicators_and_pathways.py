"""Indicators and pathways of the old service; each test goes on where the last one ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from core.access.scope import EVERYTHING
from core.database.roles import open_roles
from core.kpis.catalogue import published_kpis
from core.kpis.episodes import chunks_to_write, write_episodes
from core.kpis.measuring import measure
from core.kpis.results import results_of, store_result
from core.migration.pathways import find_pathway, price_versions, read_pathways
from core.settings import settings
from core.submissions.commands.run_inputs import load_run
from core.user_errors import UserError
from tests.legacy_source import OldService, migrate, old_service
from tests.service.migration.rows import faults, one, rows, snapshot

if TYPE_CHECKING:
    pass


@pytest.fixture(scope="module")
def old() -> Iterator[OldService]:
    options = ("--providers", "2", "--months", "3", "--records", "60")
    with old_service(*options, "--seed", "4") as running:
        yield running


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
    found = migrate(engine, old.endpoint())
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
    assert migrate(engine, old.endpoint())["disagreeing"] == []
    assert snapshot(engine) == kept
    old.change(("pathways", 1, {"name": "Pathway 0"}))
    assert migrate(engine, old.endpoint())["disagreeing"] == []
    assert rows(engine, steps, first=first) == stood
    assert not any(key[0] == "pathwaySteps" and key[1] < 6 for key in faults(engine))
