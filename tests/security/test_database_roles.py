"""What the portal's role and the indicators' role may do, connected directly: nothing unnamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa

from core.access.sessions import begin_session
from core.database import tables
from core.database.access import ACCESS, FUNCTIONS
from core.database.acting import acting_for, mark_transactions
from core.database.embedded import SUPERUSER
from core.database.engine import with_database, with_driver
from core.database.migrate import migrate
from core.database.roles import open_roles, role_name, role_url
from core.settings import settings
from tests.conftest import fresh_database
from tests.service.month import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from core.database.embedded import EmbeddedPostgres

ROLES = ("app", "kpi")


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres, scene_template: str) -> Iterator[str]:
    with fresh_database(postgres, "test_", template=scene_template) as made:
        migrate(made)
        open_roles(made, settings())
        yield made


@pytest.fixture(scope="module")
def service(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    engine = sa.create_engine(with_driver(url))
    mark_transactions(engine)
    yield Service(engine, tmp_path_factory.mktemp("store"))
    engine.dispose()


@pytest.fixture(scope="module")
def portal(url: str) -> Iterator[Engine]:
    engine = sa.create_engine(with_driver(role_url(url, "app", settings())))
    mark_transactions(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def connected(url: str, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(role_url(url, request.param, settings()), autocommit=True) as session:
        yield session


def names(url: str) -> dict[str, str]:
    """Of the roles, and how the table below calls them."""
    database = url.rpartition("/")[2]
    roles = {role_name(database, role, settings()): role for role in ROLES}  # type: ignore[arg-type]
    return {**roles, "": "everybody"}


def rows(url: str, query: str) -> set[tuple[Any, ...]]:
    """What the owner finds, with roles called as the tables below call them."""
    with psycopg.connect(url) as session:
        session.execute("SELECT set_config('search_path', 'public', false)")
        found = session.execute(query).fetchall()
    known = names(url)
    return {tuple(known.get(value, value) for value in row) for row in found if row[0] in known}


GRANTEE = "CASE grantee WHEN 0 THEN '' ELSE pg_get_userbyid(grantee) END"


def test_functions_are_granted_by_name(url: str) -> None:
    query = f"""
        SELECT {GRANTEE}, made.oid::regprocedure::text
        FROM pg_proc made,
            LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner))) AS acl
        WHERE pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = made.oid AND deptype = 'e')"""
    declared = {(role, function) for role in ROLES for function in FUNCTIONS[role]}
    assert rows(url, query) == {(role, _plain(function)) for role, function in declared}


def _plain(function: str) -> str:
    return function.replace(", ", ",")


CLOSED_TO_EVERYBODY = (
    *("set_config", "pg_show_all_settings", "pg_notify", "pg_export_snapshot"),
    *("pg_advisory_lock", "pg_advisory_xact_lock", "pg_try_advisory_lock"),
    *("pg_advisory_unlock_all", "pg_lock_status", "pg_stat_get_activity"),
    *("pg_cancel_backend", "pg_terminate_backend"),
    *("query_to_xml", "table_to_xml", "database_to_xml"),
    *("lo_create", "lo_import", "lo_export", "lo_get", "lo_put", "lo_open", "lo_unlink"),
)


def test_functions_of_the_server_that_set_lock_or_show_are_closed(url: str) -> None:
    query = f"""
        SELECT {GRANTEE}, proname FROM pg_proc,
            LATERAL aclexplode(coalesce(proacl, acldefault('f', proowner))) AS acl
        WHERE pronamespace = 'pg_catalog'::regnamespace
            AND proname IN ({", ".join(f"'{name}'" for name in CLOSED_TO_EVERYBODY)})"""
    assert rows(url, query) == set()


def test_schemas_and_databases_are_granted_by_name(url: str) -> None:
    schemas = f"""
        SELECT {GRANTEE}, nspname, privilege_type FROM pg_namespace,
            LATERAL aclexplode(coalesce(nspacl, acldefault('n', nspowner))) AS acl
        WHERE nspname NOT IN ('pg_catalog', 'information_schema')"""
    assert rows(url, schemas) == {("app", "public", "USAGE")}
    databases = f"""
        SELECT {GRANTEE}, datname, privilege_type FROM pg_database,
            LATERAL aclexplode(coalesce(datacl, acldefault('d', datdba))) AS acl
        WHERE datname IN (current_database(), 'prefect', 'postgres', 'template1', 'grouper')"""
    own = url.rpartition("/")[2]
    assert rows(url, databases) == {(role, own, "CONNECT") for role in ROLES}


def test_a_function_that_is_made_later_is_closed_too(url: str) -> None:
    with psycopg.connect(url) as session:
        session.execute("CREATE FUNCTION later() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
        query = "SELECT has_function_privilege('public', 'later()', 'EXECUTE')"
        assert session.execute(query).fetchone() == (False,)
        session.rollback()


def test_tables_are_granted_as_declared(url: str) -> None:
    query = f"""
        SELECT {GRANTEE}, relname, privilege_type FROM pg_class,
            LATERAL aclexplode(coalesce(relacl, acldefault('r', relowner))) AS acl
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'p')
            AND relname NOT LIKE 'records_%' AND relname NOT LIKE 'pg_%'"""
    expected = {("app", "memberships", "SELECT")}
    for table, access in ACCESS.items():
        rights = {
            "SELECT": access.see,
            "INSERT": access.add,
            "DELETE": access.remove,
            "UPDATE": access.change and not access.fixed,
        }
        expected |= {("app", table, right) for right, given in rights.items() if given}
    assert rows(url, query) == expected


def test_fixed_columns_are_fixed(url: str) -> None:
    query = f"""
        SELECT {GRANTEE}, relname, attname FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid,
            LATERAL aclexplode(attacl) AS acl
        WHERE relnamespace = 'public'::regnamespace AND privilege_type = 'UPDATE'"""
    found = rows(url, query)
    for table, access in ACCESS.items():
        if access.fixed:
            changeable = {column for _, name, column in found if name == table}
            every = {column.name for column in tables.files.metadata.tables[table].columns}
            assert changeable == every - set(access.fixed)
    assert not [row for row in found if row[0] != "app"]


ATTEMPTS = {
    "becomes the owner": "SET ROLE grouper",
    "becomes the superuser": f"SET SESSION AUTHORIZATION {SUPERUSER}",
    "makes itself more": "ALTER ROLE CURRENT_USER SUPERUSER",
    "makes a role": "CREATE ROLE mine",
    "makes a database": "CREATE DATABASE mine",
    "makes a table": "CREATE TABLE mine (a integer)",
    "makes a temporary table": "CREATE TEMPORARY TABLE mine (a integer)",
    "makes a schema": "CREATE SCHEMA mine",
    "makes a function": "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "makes an extension": "CREATE EXTENSION dblink",
    "runs a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "writes a file": "COPY (SELECT 1) TO '/tmp/mine'",
    "reads a file": "SELECT pg_read_file('/etc/passwd')",
    "lists the disk": "SELECT pg_ls_dir('/')",
    "imports a file": "SELECT lo_import('/etc/passwd')",
    "makes a large object": "SELECT lo_create(0)",
    "reads passwords": "SELECT * FROM pg_authid",
    "reads the secret of locks": "SELECT * FROM public.lock_space",
    "computes a lock": "SELECT public.lock_key('file/1')",
    "takes a lock": "SELECT pg_advisory_lock(1)",
    "ends others": "SELECT pg_terminate_backend(1)",
    "looks at others": "SELECT query FROM pg_stat_activity",
    "looks at locks": "SELECT * FROM pg_locks",
    "sets by a query": "SELECT set_config('grouper.user_id', '1', false)",
    "tells": "SELECT pg_notify('events', '')",
    "takes security off": "ALTER TABLE public.charges DISABLE ROW LEVEL SECURITY",
    "drops a policy": "DROP POLICY see ON public.charges",
    "drops a trigger": "ALTER TABLE public.audit DISABLE TRIGGER ALL",
    "empties the audit": "TRUNCATE public.audit",
    "deletes the audit": "DELETE FROM public.audit",
    "changes the audit": "UPDATE public.audit SET action = ''",
    "reads records of the old service": "SELECT * FROM public.legacy_rows",
    "says whose run it sees": "UPDATE public.kpi_sessions SET run_id = 1",
    "gives itself rights": "INSERT INTO public.permissions VALUES ('operator', 'upload')",
    "changes a migration": "UPDATE public.alembic_version SET version_num = '0'",
    "moves a sequence": "SELECT setval('public.runs_id_seq', 1)",
    "writes charges": "UPDATE public.charges SET amount_pence = 0",
    "rewrites a key": "UPDATE public.files SET storage_key = 'uploads/1/x'",
    "rewrites a report's key": "UPDATE public.reports SET storage_key = 'uploads/1/x'",
    "gives a report away": "UPDATE public.reports SET requested_by = 1",
    "prolongs a sign-in": "UPDATE public.sessions SET expires_at = now() + interval '1 year'",
    "takes a sign-in over": "UPDATE public.sessions SET key_hash = ''",
    "makes a sign-in": "INSERT INTO public.sessions (user_id, key_hash) VALUES (1, '')",
    "rewrites an event": "UPDATE public.events SET payload = '{}'",
}


@pytest.mark.parametrize("connected", ROLES, indirect=True)
@pytest.mark.parametrize("statement", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_role_by_itself(connected: psycopg.Connection[Any], statement: str) -> None:
    refused = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
    with pytest.raises(refused):
        connected.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize("database", ["prefect", "postgres", "template1", "grouper"])
@pytest.mark.parametrize("role", ROLES)
def test_no_role_comes_into_another_database(url: str, role: Any, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(with_database(role_url(url, role, settings()), database))


OF_OTHERS = ("session_of('amira@zx1.example', '')", "my_colleagues()", "my_runs()", "i_may()",
             "run_hosts(1)", "kpi_peers(1, date '2017-04-01', 1)", "report_is_outdated(1)",
             "grouper_user()", "my_memberships()", "hold_lock('file/1')")  # fmt: skip


@pytest.mark.parametrize("call", OF_OTHERS)
def test_the_role_of_indicators_asks_nothing_of_people(url: str, call: str) -> None:
    with (
        psycopg.connect(role_url(url, "kpi", settings())) as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute(f"SELECT public.{call}")


def test_a_sign_in_that_ended_stays_so(service: Service, portal: Engine) -> None:
    amira = service.amira
    with service.engine.begin() as connection:
        begin_session(connection, "amira@zx1.example", address=None, agent=None)
        ended = tables.sessions.update().where(tables.sessions.c.user_id == amira)
        connection.execute(ended.values(ended_at=sa.func.now(), end_reason="signed out"))
    sessions = tables.sessions
    with acting_for(portal, amira).begin() as connection:
        back = sessions.update().values(ended_at=None, end_reason=None)
        assert connection.execute(back).rowcount == 0


def test_a_sign_in_is_not_seen_in_the_future(service: Service, portal: Engine) -> None:
    with service.engine.begin() as connection:
        begin_session(connection, "amira@zx1.example", address=None, agent=None)
    later = sa.func.now() + sa.text("interval '1 day'")
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        acting_for(portal, service.amira).begin() as connection,
    ):
        connection.execute(tables.sessions.update().values(seen_at=later))
