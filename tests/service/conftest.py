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
    from tests.service.permissions.permission_scene import Stage


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


@pytest.fixture(scope="session")
def stage(
    postgres: EmbeddedPostgres, scene_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """One scene for all that look at it: whatever is tried there is rolled back."""
    from sqlalchemy import create_engine

    from core.database.acting import mark_transactions
    from core.database.engine import with_driver
    from core.database.migrate import migrate
    from core.database.roles import open_roles, role_url
    from core.settings import settings
    from tests.service.month import Service
    from tests.service.permissions.permission_scene import Stage, make_scene

    with fresh_database(postgres, "test_", template=scene_template) as url:
        owner = create_engine(with_driver(url))
        scene = make_scene(Service(owner, tmp_path_factory.mktemp("store")))
        migrate(url)
        open_roles(url, settings())
        portal = create_engine(with_driver(role_url(url, "app", settings())))
        mark_transactions(owner)
        mark_transactions(portal)
        yield Stage(owner, portal, scene)
        owner.dispose()
        portal.dispose()
