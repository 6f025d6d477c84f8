"""A small old service over real HTTP, and databases it is taken over into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine

from tests.conftest import fresh_database
from tests.legacy_source import OldService, migrate, old_service
from tests.service.migration.rows import prepared

if TYPE_CHECKING:
    from core.database.embedded import EmbeddedPostgres


@pytest.fixture(scope="module")
def small() -> Iterator[OldService]:
    with old_service("--providers", "1", "--months", "2", "--records", "60") as running:
        yield running


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
    """Of the first migration; ``old`` is the module's own."""
    return migrate(engine, old.endpoint())
