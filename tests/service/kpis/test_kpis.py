"""Indicators on a real database: what they come to, and what a bad query cannot do."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.database import tables
from core.kpis.catalogue import (
    get_kpi,
    import_library,
    import_shipped,
    measure_again,
    publish_kpi,
    published_kpis,
    request_missing,
    retire_kpi,
    take_over_kpi,
    write_kpi,
)
from core.kpis.definitions import Kpi, shipped_library
from core.kpis.episodes import chunks_to_write, write_episodes
from core.kpis.kpi_schema import create_kpi_schema, delete_old_episodes
from core.kpis.measuring import KpiRefused, Measurement, measure
from core.kpis.results import Peers, results_of, store_result
from core.submissions.commands.run_inputs import load_run
from core.user_errors import UserError
from core.vocabulary.event_catalogue import KpiPublished
from deployments.reactions import REACTIONS
from tests.service.month import APRIL, HACKNEY, visit

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.service.month import Service

DATASET = "sexual-health"


pytestmark = pytest.mark.usefixtures("with_roles")


def kpi(query: str, **values: Any) -> Kpi:
    return Kpi(kpi="tried", title="Tried", description="On a draft.", sql=query, **values)


def ready_to_measure(service: Service, run_id: int) -> int:
    with service.engine.begin() as connection:
        run = load_run(connection, run_id)
        create_kpi_schema(connection, run.specification)
        for chunk in chunks_to_write(connection, run):
            write_episodes(connection, run, chunk)
    return run_id


@pytest.fixture
def own(service: Service) -> int:
    """Three episodes of two patients; one has two records."""
    month = service.month()
    service.ready(
        month,
        visit(1, "T4"),
        visit(1, "", "C4"),
        visit(1, "T2", date="2017-04-20", gender="2"),
        visit(2, "P1B", lsoa="X99999999"),
    )
    return ready_to_measure(service, service.run(month, "draft"))


@pytest.fixture
def other_provider(service: Service) -> int:
    """A month of another provider."""
    month = service.month("ZX2")
    lines = [visit(n, "T7", clinic="ZX2-A", lsoa=HACKNEY) for n in range(10, 15)]
    service.ready(month, *lines)
    return ready_to_measure(service, service.run(month, "final"))


def figures(service: Service, run_id: int, query: str, **values: Any) -> tuple[Decimal, Decimal]:
    found = measure(service.engine, kpi(query, **values), DATASET, run_id)
    return found.numerator, found.denominator


def test_the_shipped_indicators_measure_what_they_say(service: Service, own: int) -> None:
    expected = {
        "unknown-residence": (1, 3),
        "repeat-attendance": (1, 2),
        "chlamydia-tested": (2, 3),
        "chlamydia-positivity": (1, 2),
        "hiv-test-uptake": (1, 2),
        "activity-coded": (3, 3),
        "larc-share": (0, 0),
        "ethnicity-known": (0, 3),
    }
    found = {}
    for each in shipped_library().kpis:
        measured = measure(service.engine, each, DATASET, own)
        found[each.kpi] = (measured.numerator, measured.denominator)
    assert {name: found[name] for name in expected} == expected
    charged = sa.select(sa.func.sum(tables.charges.c.amount_pence)).where(
        tables.charges.c.run_id == own
    )
    pounds = Decimal(service.one(charged)) / 100
    assert found["charge-per-episode"] == (pounds, 3)
    assert found["cross-boundary"][1] == pounds


def test_views_show_fields_as_people_write_them(service: Service, own: int) -> None:
    count = "SELECT count(*) AS numerator, 9 AS denominator FROM "
    assert figures(service, own, count + "records")[0] == 4
    assert figures(service, own, count + "episodes WHERE records = 2")[0] == 1
    assert figures(service, own, count + "episodes WHERE shhapt = '{T4,C4}'")[0] == 1
    date = count + "episodes WHERE attendance_date > date '2017-04-10' AND gender = '2';"
    assert figures(service, own, date)[0] == 1
    assert figures(service, own, count + "charges WHERE host IS NOT NULL AND rate > 1")[0] >= 3


def test_each_session_sees_its_own_submission(
    service: Service, own: int, other_provider: int
) -> None:
    count = "SELECT count(*) AS numerator, count(*) AS denominator FROM "
    for name, here, there in (("episodes", 3, 5), ("records", 4, 5)):
        assert figures(service, own, count + name)[1] == here
        assert figures(service, other_provider, count + name)[1] == there
    clinics = "(SELECT DISTINCT clinic_id FROM charges) x WHERE clinic_id LIKE 'ZX2%'"
    assert figures(service, own, count + clinics)[1] == 0


LOOP = """
WITH RECURSIVE forever(n) AS (SELECT 1 UNION ALL SELECT n % 7 FROM forever)
SELECT count(*) AS numerator, 1 AS denominator FROM forever
"""
GOOD = "SELECT 1 AS numerator, 2 AS denominator"
BAD = {
    "loops": (LOOP, "longer than 1 seconds"),
    "sleeps": ("SELECT 1 AS numerator, 2 AS denominator FROM pg_sleep(60)", "longer than 1"),
    "lifts its limit": (
        "SELECT 1 AS numerator, 2 AS denominator FROM set_config('statement_timeout', '0', false)"
        ", LATERAL pg_sleep(60)",
        "uses set_config",
    ),
    "is another statement": (f"{GOOD}) AS a; DROP TABLE charges; SELECT (1", "refuses the query"),
    "writes": (
        "WITH gone AS (DELETE FROM episodes RETURNING 1) SELECT 1 AS numerator, 2 AS denominator",
        "refuses the query",
    ),
    "is no query": ("DELETE FROM charges", "refuses the query"),
    "makes a sequence move": (
        "SELECT nextval('public.runs_id_seq') AS numerator, 2 AS denominator",
        "views of one submission only",
    ),
    "reads other tables": (
        "SELECT count(*) AS numerator, 1 AS denominator FROM public.charges",
        "views of one submission only",
    ),
    "reads users": (
        "SELECT count(*) AS numerator, 1 AS denominator FROM public.users",
        "views of one submission only",
    ),
    "turns to another submission": (
        "WITH other AS (UPDATE public.kpi_sessions SET run_id = 1 RETURNING 1) " + GOOD,
        "refuses the query",
    ),
    "reads the disk": (
        "SELECT length(pg_read_file('postgresql.conf')) AS numerator, 1 AS denominator",
        "views of one submission only",
    ),
    "lists the disk": (
        "SELECT count(*) AS numerator, 1 AS denominator FROM pg_ls_dir('.')",
        "views of one submission only",
    ),
    "imports a file": (
        "SELECT lo_import('/etc/passwd')::int AS numerator, 1 AS denominator",
        "views of one submission only",
    ),
    "ends other sessions": (
        "SELECT count(pg_terminate_backend(pid)) AS numerator, 1 AS denominator "
        "FROM pg_stat_activity WHERE usename <> current_user",
        "views of one submission only",
    ),
    "gives two rows": (f"{GOOD} UNION ALL {GOOD}", "one row; it gives more than one"),
    "gives no row": (f"{GOOD} WHERE false", "one row; it gives none"),
    "gives a text": ("SELECT 'many' AS numerator, 2 AS denominator", "must be a number"),
    "gives a truth": ("SELECT true AS numerator, 2 AS denominator", "must be a number"),
    "gives no number": (
        "SELECT 'NaN'::float AS numerator, 2 AS denominator",
        "no finite number",
    ),
    "gives infinity": ("SELECT 1 AS numerator, 'inf'::numeric AS denominator", "no finite"),
    "gives less than nothing": ("SELECT -1 AS numerator, 2 AS denominator", "below zero"),
    "gives more than all": ("SELECT 3 AS numerator, 2 AS denominator", "cannot be a share"),
    "gives other columns": ("SELECT 1 AS share", "two columns, numerator and denominator"),
    "gives a column twice": ("SELECT 1 AS numerator, 2 AS numerator", "two columns"),
    "divides by zero": ("SELECT 1/0 AS numerator, 1 AS denominator", "division by zero"),
    "asks for what is not there": (
        "SELECT 1 AS numerator, 2 AS denominator FROM patients",
        "views are episodes, records, charges",
    ),
    "is half a sentence": ("SELECT 1 AS numerator, FROM", "refuses the query"),
    "takes all memory": (
        "SELECT length(repeat('x', 2000000000)) AS numerator, 1 AS denominator",
        "refuses the query|cannot be a share",
    ),
}


def test_a_bad_query_is_stopped_and_says_why(
    service: Service, own: int, subtests: pytest.Subtests
) -> None:
    sessions = sa.select(sa.func.count()).select_from(tables.kpi_sessions)
    charges = sa.select(sa.func.count()).select_from(tables.charges)
    before = service.one(charges)
    for name, (query, why) in BAD.items():
        with subtests.test(name):
            started = time.monotonic()
            with pytest.raises(KpiRefused, match=why):
                measure(service.engine, kpi(query), DATASET, own, seconds=1)
            assert time.monotonic() - started < 30
            assert service.one(charges) == before
            assert figures(service, own, GOOD) == (1, 2)  # the next is not held up
            assert service.one(sessions) == 0


def test_publishing_measures_past_months_and_retires_the_version_before(
    service: Service, own: int, other_provider: int
) -> None:
    with service.engine.begin() as connection:
        library = shipped_library()
        assert len(published_kpis(connection, DATASET)) == 15  # the data set brought them
        assert import_library(connection, library) == []
        changed = library.kpis[0].model_copy(update={"title": "Cost"})
        assert import_library(connection, library.model_copy(update={"kpis": (changed,)})) == [
            changed.kpi
        ]
        assert import_shipped(connection, DATASET) == []  # what was changed here stays
        erin = service.person("erin@grouper.example")
        first = write_kpi(connection, DATASET, kpi(GOOD), user_id=erin)
        assert get_kpi(connection, first).state == "draft"
        assert first not in [each.id for each in published_kpis(connection, DATASET)]
        publish_kpi(connection, first)
        second = write_kpi(connection, DATASET, kpi(GOOD, unit="ratio"))
        publish_kpi(connection, second)
        assert (get_kpi(connection, first).state, get_kpi(connection, second).version) == (
            "retired",
            2,
        )
        retire_kpi(connection, second)
        assert measure_again(connection, DATASET, dt.datetime.now(dt.UTC)) == 2
    names = service.rows_of_one(sa.select(tables.events.c.name).order_by(tables.events.c.id))
    assert names[-3:] == ["kpi.published", "kpis.requested", "kpis.requested"]


def test_figures_by_month_with_others_unnamed(
    service: Service, own: int, other_provider: int
) -> None:
    with service.engine.begin() as connection:
        [first, *_] = published_kpis(connection, DATASET)
        store_result(connection, own, first.id, Measurement(Decimal(10), Decimal(4)))
        store_result(connection, other_provider, first.id, None, "It took too long.")
        store_result(connection, other_provider, first.id, Measurement(Decimal(20), Decimal(4)))
        [mine] = results_of(connection, EVERYTHING, ["ZX1"])
        [theirs] = results_of(connection, EVERYTHING, ["ZX2"], final_only=True)
        assert results_of(connection, EVERYTHING, ["ZX1"], final_only=True) == []
    assert (mine.value, mine.month, mine.peers) == (Decimal("2.5"), APRIL, None)
    assert (theirs.value, theirs.failure) == (5, None)
    assert mine.is_small(5)
    assert not theirs.is_small(4)


def test_others_are_shown_only_where_none_can_be_told_from_the_rest(
    service: Service, own: int
) -> None:
    with service.engine.begin() as connection:
        [first, *_] = published_kpis(connection, DATASET)
        store_result(connection, own, first.id, Measurement(Decimal(10), Decimal(4)))
        for number, numerator in enumerate((1, 2, 6)):
            [mine] = results_of(connection, EVERYTHING, ["ZX1"])
            assert mine.peers is None
            another = another_month(connection, number)
            store_result(connection, another, first.id, Measurement(Decimal(numerator), Decimal(1)))
        [mine] = results_of(connection, EVERYTHING, ["ZX1"])
    assert mine.peers == Peers(3, Decimal("1.5"), Decimal(2), Decimal(4))


def another_month(connection: Connection, number: int) -> int:
    """A submitted April of one more provider, by the shortest of the declared ways."""
    values = {"kind": "provider", "code": f"ZY{number}", "name": f"Provider {number}"}
    organisations, submissions, runs = tables.organisations, tables.submissions, tables.runs
    provider = connection.execute(
        organisations.insert().values(**values).returning(organisations.c.id)
    ).scalar_one()
    submission = connection.execute(
        submissions.insert().values(provider_id=provider, month=APRIL).returning(submissions.c.id)
    ).scalar_one()
    run = connection.execute(
        runs.insert().values(submission_id=submission, number=1, kind="final").returning(runs.c.id)
    ).scalar_one()
    connection.execute(runs.update().where(runs.c.id == run).values(state="published"))
    connection.execute(
        submissions.update().where(submissions.c.id == submission).values(run_id=run)
    )
    return int(run)


def test_figures_of_the_old_service_stay_whatever_measures_them_later(
    service: Service, own: int
) -> None:
    old = Kpi(kpi="old-1-waits", title="Waits", description="There.", taken_over=True)
    with service.engine.begin() as connection:
        first = take_over_kpi(connection, DATASET, old)
        values = {"numerator": 1, "denominator": 4, "taken_over": True}
        connection.execute(tables.kpi_results.insert().values(run_id=own, kpi_id=first, **values))
        with pytest.raises(UserError, match="no query"):
            publish_kpi(connection, first)
        second = write_kpi(connection, DATASET, kpi(GOOD).model_copy(update={"kpi": old.kpi}))
        publish_kpi(connection, second)
        store_result(connection, own, second, Measurement(Decimal(2), Decimal(2)))
        assert get_kpi(connection, first).state == "retired"
        event = KpiPublished(kpi_id=second, kpi=old.kpi, dataset=DATASET)
        REACTIONS["measure-again"](connection, uuid4(), event)
        store_result(connection, own, second, Measurement(Decimal(3), Decimal(3)))
        [figure] = results_of(connection, EVERYTHING, ["ZX1"])
    assert (figure.kpi.sql, figure.numerator, figure.taken_over) == (GOOD, 1, True)


def test_what_is_not_measured_yet_is_asked_for(
    service: Service, own: int, other_provider: int
) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    with service.engine.begin() as connection:
        assert request_missing(connection, later) == 2
        for each in published_kpis(connection, DATASET):
            store_result(connection, own, each.id, Measurement(Decimal(0), Decimal(0)))
        assert request_missing(connection, later) == 1


def test_episodes_are_kept_while_they_may_be_asked_for(service: Service, own: int) -> None:
    now = dt.datetime.now(dt.UTC)
    with service.engine.begin() as connection:
        assert delete_old_episodes(connection, now) == 0
        assert delete_old_episodes(connection, now + dt.timedelta(days=50)) == 1
        run = load_run(connection, own)
        assert chunks_to_write(connection, run) == list(range(run.chunks))
