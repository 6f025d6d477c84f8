"""Real parts for the tests: one PostgreSQL a session, a database of its own for each test."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Engine

    from core.database.embedded import EmbeddedPostgres
    from deployments.supervisor import Services

# Imports stand in the fixtures: tests of plain values must not wait for drivers and servers.


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the user ``nobody`` can reach; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="grouper-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A running server with the empty databases ``grouper`` and ``prefect``."""
    from core.database.embedded import EmbeddedPostgres

    with EmbeddedPostgres(open_folder / "shared") as server:
        yield server


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database, from which others are copied."""
    from core.database.migrate import migrate

    with fresh_database(postgres, "template_", drop=False) as url:
        migrate(url)
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def scene_template(postgres: EmbeddedPostgres, template: str) -> str:
    """The name of a database with the demonstration's providers, people, clinics and tariff."""
    from sqlalchemy import create_engine

    from core.database.engine import with_driver
    from deployments.demo.run import import_demo_data

    with fresh_database(postgres, "scene_", template=template, drop=False) as url:
        engine = create_engine(with_driver(url))
        import_demo_data(engine)
        engine.dispose()
    return url.rpartition("/")[2]


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """The URL of a migrated, empty database of the test's own."""
    with fresh_database(postgres, "test_", template=template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database without tables."""
    with fresh_database(postgres, "test_") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An engine on ``database_url``."""
    from sqlalchemy import create_engine

    from core.database.engine import with_driver

    engine = create_engine(with_driver(database_url))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def services(open_folder: Path) -> Iterator[Services]:
    """Everything that ``grouper up`` runs, on a home and ports of its own, with a local sign-in."""
    from pydantic import SecretStr

    from core.areas.sources import SHIPPED_SOURCES
    from core.settings import Settings
    from core.support.processes import free_port
    from deployments.demo.cast import EVERYBODY
    from deployments.demo.openid_provider import openid_provider
    from deployments.supervisor import Services

    sources = open_folder / "area-sources.yaml"
    sources.write_bytes(SHIPPED_SOURCES.read_bytes())
    with openid_provider(EVERYBODY) as metadata_url:
        settings = Settings(
            home=open_folder / "services",
            prefect_port=free_port(),
            portal_port=free_port(),
            oidc_metadata_url=metadata_url,
            oidc_client_id="portal",
            oidc_client_secret=SecretStr("a secret of the tests"),
            area_sources=sources,  # tests of the spider write their own
            spider_per_second=500,
            webhook_networks="127.0.0.0/8",  # where the tests' receivers listen
        )
        with Services(settings) as running:
            yield running


@pytest.fixture(scope="session")
def populated(services: Services) -> Iterator[Engine]:
    """The services with the demonstration's providers, people, clinics and tariff; its engine."""
    from core.database.engine import engine
    from core.settings import use_settings
    from deployments.demo.cast import EVERYBODY
    from deployments.demo.run import import_demo_data

    use_settings(services.settings)
    database = engine(services.database_url)
    import_demo_data(database, EVERYBODY)
    yield database
    database.dispose()
    use_settings(None)


@contextmanager
def fresh_database(
    postgres: EmbeddedPostgres, prefix: str, *, template: str = "template1", drop: bool = True
) -> Iterator[str]:
    """A new database for as long as the context lasts, or for good; its URL."""
    import psycopg
    from psycopg import sql

    from core.database.engine import with_database

    name = prefix + uuid4().hex[:12]
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(made.format(sql.Identifier(name), sql.Identifier(template)))
        yield with_database(postgres.url(), name)
        if drop:
            _drop(connection, name)


def _drop(connection: psycopg.Connection, database: str) -> None:
    """Drops a database once it is left by those whom the owner may not end: sessions of its roles
    that were just closed, and the server's own that cleans up."""
    import time

    import psycopg
    from psycopg import sql

    others = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = %s AND usename IS DISTINCT FROM current_user"
    )
    gone = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
    deadline = time.monotonic() + 20
    while True:
        assert time.monotonic() < deadline, "somebody else is still connected to the database"
        if connection.execute(others, [database]).fetchone() == (0,):
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):  # came meanwhile
                connection.execute(gone)
                return
        time.sleep(0.02)
