"""The demonstration's providers, people and tariff in a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import fresh_database

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.database.embedded import EmbeddedPostgres
    from tests.service.month import Service


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own: empty, or with the scene where the test has the service."""
    wanted = "scene_template" if "service" in request.fixturenames else "template"
    with fresh_database(postgres, "test_", template=request.getfixturevalue(wanted)) as url:
        yield url


@pytest.fixture
def service(database: Engine, tmp_path: Path) -> Service:
    from tests.service.month import Service

    return Service(database, tmp_path / "store")


@pytest.fixture
def with_roles(service: Service, database_url: str) -> str:
    """The database's URL; its roles may connect, as when the services start."""
    from core.database.migrate import migrate
    from core.database.roles import open_roles
    from core.settings import settings

    migrate(database_url)
    open_roles(database_url, settings())
    return database_url


@pytest.fixture
def portal_engine(with_roles: str) -> Iterator[Engine]:
    """The same database by the role of the portal, which row-level security binds."""
    from core.database.engine import engine
    from core.database.roles import role_url
    from core.settings import settings

    made = engine(role_url(with_roles, "app", settings()))
    yield made
    made.dispose()
    engine.cache_clear()
