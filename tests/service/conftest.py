"""The demonstration's providers, people and tariff in a database of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.service.month import Service


@pytest.fixture
def service(database: Engine, tmp_path: Path) -> Service:
    from tests.service.month import Service

    return Service(database, tmp_path / "store")


@pytest.fixture
def portal_engine(service: Service, database_url: str) -> Iterator[Engine]:
    """The same database by the role of the portal, which row-level security binds."""
    from core.database.engine import engine
    from core.database.migrate import migrate
    from core.database.roles import open_roles, role_url
    from core.settings import settings

    migrate(database_url)
    open_roles(database_url, settings())
    made = engine(role_url(database_url, "app", settings()))
    yield made
    made.dispose()
    engine.cache_clear()
