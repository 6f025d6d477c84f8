"""Queries of indicators: what they may name, what they may use up, what their authors may see."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from core.access.scope import NotAllowed, scope_of
from core.database import tables
from core.database.engine import with_driver
from core.database.locks import BusyError, subject_lock
from core.database.migrate import migrate
from core.database.roles import open_roles, role_url
from core.kpis.definitions import Kpi, shipped_library
from core.kpis.episodes import chunks_to_write, write_episodes
from core.kpis.kpi_schema import create_kpi_schema
from core.kpis.measuring import KpiRefused, Measurement, measure
from core.kpis.trial_rights import trial_rights
from core.kpis.trying import try_out
from core.settings import settings
from core.submissions.commands.run_inputs import load_run
from deployments.demo.cast import ONLOOKERS, add_people
from tests.conftest import fresh_database
from tests.service.month import APRIL, HACKNEY, TOWER_HAMLETS, Service, visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.database.embedded import EmbeddedPostgres

DATASET = "sexual-health"
NOBODY = Measurement(Decimal(0), Decimal(0))


MAY, JUNE = dt.date(2017, 5, 1), dt.date(2017, 6, 1)


def kpi(query: str) -> Kpi:
    return Kpi(kpi="tried", title="Tried", description="A draft.", sql=query, unit="ratio")


def ready(service: Service, month: dt.date, *lines: str) -> int:
    submission = service.month(month=month)
    service.ready(submission, *lines)
    run_id = service.run(submission, "final")
    with service.engine.begin() as connection:
        run = load_run(connection, run_id)
        create_kpi_schema(connection, run.specification)
        for chunk in chunks_to_write(connection, run):
            write_episodes(connection, run, chunk)
    return run_id


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres, scene_template: str) -> Iterator[str]:
    """One scene for all: whatever a query does is rolled back."""
    with fresh_database(postgres, "test_", template=scene_template) as made:
        migrate(made)
        open_roles(made, settings())
        yield made


@pytest.fixture(scope="module")
def service(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    engine = sa.create_engine(with_driver(url))
    with engine.begin() as connection:
        add_people(connection, {}, ONLOOKERS)
    yield Service(engine, tmp_path_factory.mktemp("store"))
    engine.dispose()


@pytest.fixture(scope="module")
def few(service: Service) -> int:
    """Three patients of Tower Hamlets, two of Hackney."""
    of_both = [visit(n, "T4", lsoa=TOWER_HAMLETS) for n in range(1, 4)]
    of_both += [visit(n, "C4", lsoa=HACKNEY, gender="2") for n in range(4, 6)]
    return ready(service, APRIL, *of_both)


@pytest.fixture(scope="module")
def named(service: Service) -> int:
    """Three patients whose numbers are easily found in a text."""
    lines = [visit(f"8765432{n}", "T4", date="2017-06-03") for n in range(3)]
    return ready(service, JUNE, *lines)


@pytest.fixture(scope="module")
def many(service: Service) -> int:
    """Sixteen patients of Tower Hamlets, thirty of Hackney, of whom one is a woman."""
    day = "2017-05-03"
    here = [visit(n, "T4", date=day, lsoa=TOWER_HAMLETS) for n in range(100, 116)]
    women = {200: "2"}
    there = [
        visit(n, "T2", date=day, lsoa=HACKNEY, gender=women.get(n, "1")) for n in range(200, 230)
    ]
    return ready(service, MAY, *here, *there)


def tried(service: Service, subject: str, run_id: int, query: str) -> Measurement:
    """What the trial of that person comes to."""
    with service.engine.connect() as connection:
        scope = scope_of(connection, service.person(subject))
        rights = trial_rights(connection, scope, run_id)
    return try_out(service.engine, kpi(query), DATASET, run_id, rights)


CARYS, HUGO, AMIRA = "carys@towerhamlets.example", "hugo@london.example", "amira@zx1.example"
GWEN, IRIS = "gwen@zx1.example", "iris@newham.example"
"""Commissioners of Tower Hamlets and of Hackney, an analyst of the provider, and two who see
figures and no patients: of the provider, and of an area that is charged nothing."""
COUNT = "SELECT count(*) AS numerator, count(DISTINCT patient_id) AS denominator FROM {}"


@pytest.mark.parametrize("view", ["episodes", "records", "charges"])
def test_a_commissioners_trial_runs_over_its_own(service: Service, few: int, view: str) -> None:
    if view != "charges":
        service_query = COUNT.format(view)
        assert tried(service, CARYS, few, service_query) == Measurement(Decimal(3), Decimal(3))
        assert tried(service, HUGO, few, service_query) == Measurement(Decimal(2), Decimal(2))
        assert tried(service, AMIRA, few, service_query) == Measurement(Decimal(5), Decimal(5))
    others = f"SELECT count(*) AS numerator, 1 AS denominator FROM {view} WHERE patient_id IN {{}}"
    assert tried(service, CARYS, few, others.format("('4', '5')")).numerator == 0
    assert tried(service, HUGO, few, others.format("('1', '2', '3')")).numerator == 0
    assert tried(service, AMIRA, few, others.format("('1', '4')")).numerator >= 2


def test_no_trial_on_what_the_author_does_not_see(service: Service, few: int) -> None:
    for subject in ("ben@zx2.example", IRIS, "erin@grouper.example", "dev@grouper.example"):
        with pytest.raises(NotAllowed):
            tried(service, subject, few, COUNT.format("episodes"))


def test_nor_on_charges_that_were_withdrawn(service: Service, few: int) -> None:
    submissions = tables.submissions
    with service.engine.connect() as connection:
        scope = scope_of(connection, service.person(CARYS))
        assert trial_rights(connection, scope, few).commissioners == ("E09000030",)
        withdrawn = submissions.update().where(submissions.c.run_id == few).values(run_id=None)
        connection.execute(withdrawn)
        with pytest.raises(NotAllowed):
            trial_rights(connection, scope, few)
        connection.rollback()


SINGLED_OUT = {
    "a value of one": "SELECT max(patient_id::int) AS numerator, 1 AS denominator FROM episodes "
    "WHERE patient_id = '200'",
    "whether one is": "SELECT count(*) AS numerator, 46 AS denominator FROM episodes "
    "WHERE gender = '2'",
    "the number of one, as a number": "SELECT sum(patient_id::int) FILTER (WHERE gender = '2') "
    "AS numerator, count(*) AS denominator FROM episodes",
    "hidden in front": "SELECT 1000000000 * min(patient_id::int) + count(*) AS numerator, "
    "count(*) AS denominator FROM episodes",
    "hidden behind, in the denominator": "SELECT count(*) AS numerator, "
    "min(patient_id::int) AS denominator FROM episodes",
    "a date": "SELECT extract(day FROM min(attendance_date)) AS numerator, 1 AS denominator "
    "FROM episodes WHERE patient_id = '101'",
}


@pytest.mark.parametrize("query", SINGLED_OUT.values(), ids=SINGLED_OUT)
def test_who_may_not_see_patients_gets_no_figure_of_a_few(
    service: Service, many: int, query: str
) -> None:
    with pytest.raises(KpiRefused, match="at least 10 patients"):
        tried(service, GWEN, many, query)


def test_nor_of_a_month_with_few(service: Service, few: int) -> None:
    with pytest.raises(KpiRefused, match="at least 10 patients"):
        tried(service, GWEN, few, COUNT.format("episodes"))


def test_but_gets_figures_over_many(service: Service, many: int) -> None:
    assert tried(service, GWEN, many, COUNT.format("episodes")) == Measurement(
        Decimal(46), Decimal(46)
    )
    tested = (
        "SELECT count(*) FILTER (WHERE shhapt && '{T4}') AS numerator, count(*) AS denominator "
        "FROM episodes"
    )
    assert tried(service, GWEN, many, tested) == Measurement(Decimal(16), Decimal(46))
    none = COUNT.format("episodes WHERE shhapt && '{A1}'")
    assert tried(service, GWEN, many, none) == NOBODY


def test_low_digits_are_not_told(service: Service, many: int) -> None:
    query = (
        "SELECT count(*) * 100000 + max(patient_id::int) AS numerator, count(*) AS denominator "
        "FROM episodes"
    )
    found = tried(service, GWEN, many, query)
    assert found.numerator == 4600000


def test_published_figures_are_of_the_whole_run(service: Service, few: int) -> None:
    for each in shipped_library().kpis:
        measured = measure(service.engine, each, DATASET, few)
        assert measured.numerator >= 0
    assert measure(service.engine, kpi(COUNT.format("episodes")), DATASET, few).numerator == 5


TELLING = {
    "a cast": "SELECT ('patient ' || patient_id)::int AS numerator, 1 AS denominator FROM episodes",
    "a date": "SELECT count(*) AS numerator, 1 AS denominator FROM episodes "
    "WHERE ('on ' || patient_id)::date IS NULL",
    "an array": "SELECT cardinality(('{' || patient_id || ',')::text[]) AS numerator, "
    "1 AS denominator FROM episodes",
    "a pattern": "SELECT count(*) AS numerator, 1 AS denominator FROM episodes "
    "WHERE 'x' ~ ('[' || patient_id)",
    "a share": "SELECT 7654321 AS numerator, 1 AS denominator FROM episodes LIMIT 1",
    "a negative": "SELECT -7654321 AS numerator, 1 AS denominator",
}


@pytest.mark.parametrize("query", TELLING.values(), ids=TELLING)
def test_no_value_stands_in_the_text_of_an_error(service: Service, named: int, query: str) -> None:
    run_id = named
    share = kpi(query).model_copy(update={"unit": "percent"})
    with pytest.raises(KpiRefused) as refused:
        measure(service.engine, share, DATASET, run_id)
    assert "8765432" not in str(refused.value)
    assert "7654321" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_an_error_says_its_kind_and_its_place(service: Service, few: int) -> None:
    with pytest.raises(KpiRefused) as refused:
        measure(
            service.engine, kpi("SELECT 1 AS numerator,\n  nobody AS denominator"), DATASET, few
        )
    assert str(refused.value) == (
        "PostgreSQL refuses the query: undefined column, line 2, character 3."
    )


FORBIDDEN = {
    "sets": "set_config('work_mem', '10GB', false)",
    "sets its user": "set_config('grouper.user_id', '1', true)",
    "locks": "pg_advisory_lock(1)",
    "locks for the transaction": "pg_advisory_xact_lock(1)",
    "tries a lock": "pg_try_advisory_lock(1)",
    "shares a lock": "pg_try_advisory_xact_lock_shared(1, 2)",
    "unlocks all": "pg_advisory_unlock_all()",
    "sleeps until": "pg_sleep_until(now())",
    "tells": "pg_notify('a', 'b')",
    "queries in a text": "query_to_xml('SELECT 1', true, true, '')",
    "queries a table": "table_to_xml('charges', true, true, '')",
    "reads a setting": "current_setting('data_directory')",
    "ends a session": "pg_terminate_backend(1)",
    "cancels a session": "pg_cancel_backend(1)",
    "makes a large object": "lo_create(0)",
    "reads a large object": "lo_get(1)",
    "imports": "lo_import('/etc/passwd')",
    "reads a file": "pg_read_file('/etc/passwd')",
    "lists the disk": "pg_ls_dir('.')",
    "fills memory": "repeat('x', 1000000000)",
    "pads": "lpad('x', 1000000000)",
    "fills an array": "array_fill(1, ARRAY[100000000])",
    "exports a snapshot": "pg_export_snapshot()",
    "asks for the transaction": "txid_current()",
    "asks for sessions": "pg_stat_get_activity(NULL)",
    "asks for rights": "has_table_privilege('public.users', 'SELECT')",
    "asks for sizes": "pg_database_size('prefect')",
    "asks for definitions": "pg_get_viewdef('charges'::regclass)",
    "rolls dice": "random()",
    "of ours: who is signed in": "public.session_of('a', 'b')",
    "of ours: colleagues": "public.my_colleagues()",
    "of ours: rights": "public.i_may('upload')",
    "of ours: hosts": "public.run_hosts(1)",
    "of ours: locks": "public.lock_key('file/1')",
    "of ours: waiting": "public.hold_lock('file/1')",
    "of ours: the run": "public.kpi_run()",
    "of an extension": "public.set_limit(0.5)",
}
PLACES = ("SELECT count({}) AS numerator, 1 AS denominator", "SELECT 1 AS numerator, 1 AS "
          "denominator FROM (SELECT {} AS x OFFSET 0) AS y WHERE y IS NOT NULL")  # fmt: skip


@pytest.mark.parametrize("call", FORBIDDEN.values(), ids=FORBIDDEN)
def test_functions_that_are_not_for_queries(
    service: Service, few: int, call: str, subtests: pytest.Subtests
) -> None:
    for place in PLACES:
        with subtests.test(place), pytest.raises(KpiRefused, match=r"uses|may read the views"):
            measure(service.engine, kpi(place.format(call)), DATASET, few, seconds=2)


OTHERS = (
    "public.charges", "public.users", "public.kpi_sessions", "public.sessions", "pg_stat_activity",
    "pg_locks", "pg_settings", "pg_roles", "pg_stats", "pg_proc", "information_schema.tables",
    "public.lock_space",
)  # fmt: skip


@pytest.mark.parametrize("table", OTHERS)
def test_tables_that_are_not_for_queries(service: Service, few: int, table: str) -> None:
    query = f"SELECT count(*) AS numerator, 1 AS denominator FROM {table}"
    with pytest.raises(KpiRefused, match=r"views of one submission only|uses"):
        measure(service.engine, kpi(query), DATASET, few)


GROWING = {
    "a text": "WITH RECURSIVE g(t) AS (SELECT 'xxxxxxxxxxxxxxxx' || max(patient_id) FROM episodes "
    "UNION ALL SELECT t || t FROM g WHERE length(t) < 900000000) "
    "SELECT max(length(t)) AS numerator, 1 AS denominator FROM g",
    "an array": "SELECT cardinality(array_agg(a || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')) "
    "AS numerator, 1 AS denominator FROM generate_series(1, 100000000) AS a",
    "sorting": "SELECT max(n) AS numerator, 1 AS denominator FROM (SELECT row_number() OVER "
    "(ORDER BY -a, 'x' || a) AS n FROM generate_series(1, 500000000) AS a) AS sorted",
    "joining": "SELECT count(*) AS numerator, 1 AS denominator FROM generate_series(1, 100000) a, "
    "generate_series(1, 100000) b, generate_series(1, 100000) c",
    "looping": "WITH RECURSIVE f(n) AS (SELECT 1 UNION ALL SELECT n % 7 FROM f) "
    "SELECT count(*) AS numerator, 1 AS denominator FROM f",
}


@pytest.mark.parametrize("query", GROWING.values(), ids=GROWING)
def test_what_a_query_uses_up_is_bounded(service: Service, few: int, query: str) -> None:
    began = time.monotonic()
    with pytest.raises(KpiRefused, match=r"longer than|out of memory|limit exceeded"):
        measure(service.engine, kpi(query), DATASET, few, seconds=3)
    assert time.monotonic() - began < 30
    assert measure(service.engine, kpi(COUNT.format("episodes")), DATASET, few).numerator == 5


def test_the_role_itself_is_bounded(service: Service, url: str) -> None:
    limits = {
        "work_mem": "16MB",
        "temp_file_limit": "1GB",
        "default_transaction_read_only": "on",
        "statement_timeout": "5min",
    }
    with psycopg.connect(role_url(url, "kpi", settings())) as session:
        for name, value in limits.items():
            assert session.execute(f"SHOW {name}").fetchone() == (value,)
        [connections] = session.execute(
            "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user"
        ).fetchone() or (None,)
    assert connections == 20


def test_no_query_stands_in_the_way_of_work(service: Service, url: str, few: int) -> None:
    """The role, connected directly, takes no lock: neither of ours nor any other."""
    with psycopg.connect(role_url(url, "kpi", settings()), autocommit=True) as session:
        for call in ("pg_advisory_lock(1)", "pg_try_advisory_lock_shared(1, 1)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(f"SELECT {call}")
        for call in ("lock_key('file/1')", "hold_lock('file/1')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(f"SELECT public.{call}")
    with (
        subject_lock(url, "file", 1),
        pytest.raises(BusyError),
        subject_lock(url, "file", 1),
    ):
        pytest.fail("two hold it")
