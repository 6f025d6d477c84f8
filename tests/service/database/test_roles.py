"""A PostgreSQL that somebody else keeps: its user owns a database, and may not make roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from core.database import tables
from core.database.acting import acting_for, mark_transactions
from core.database.embedded import SUPERUSER
from core.database.engine import with_driver
from core.database.migrate import migrate
from core.database.roles import role_url
from core.settings import Settings, use_settings
from core.user_errors import UserError
from deployments.demo.run import import_demo_data

if TYPE_CHECKING:
    from core.database.embedded import EmbeddedPostgres


class PageChanges:
    """A database of a user without CREATEROLE, and its keeper, who may do everything."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.name = f"kept_{uuid4().hex[:8]}"
        self._server = server
        self._made: list[str] = []
        self.add_role(self.name)
        self.keeper("CREATE DATABASE {0} OWNER {0} TEMPLATE template0", self.name)

    def keeper(self, statement: str, *names: str) -> None:
        url = self._server.url("postgres", SUPERUSER)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]

    def add_role(self, name: str) -> None:
        self.keeper("CREATE ROLE {0} LOGIN PASSWORD 'known'", name)
        self._made.insert(0, name)

    def url(self, role: str) -> str:
        _, _, place = self._server.url(self.name).rpartition("@")
        return f"postgresql://{role}:known@{place}"

    def drop(self) -> None:
        self.keeper("DROP DATABASE {0} WITH (FORCE)", self.name)
        for name in self._made:
            self.keeper("DROP ROLE {0}", name)


@pytest.fixture
def page_changes(postgres: EmbeddedPostgres) -> Iterator[PageChanges]:
    page_changes = PageChanges(postgres)
    yield page_changes
    use_settings(None)
    page_changes.drop()


def test_who_may_not_make_roles_is_told_what_to_do(page_changes: PageChanges) -> None:
    with pytest.raises(UserError) as refused:
        migrate(page_changes.url(page_changes.name))
    for word in (f"{page_changes.name}_app", "CREATEROLE", "GROUPER_APP_DATABASE_URL"):
        assert word in str(refused.value)


def test_roles_that_somebody_else_made_are_used(page_changes: PageChanges) -> None:
    app, kpi, owner = (
        f"{page_changes.name}_a",
        f"{page_changes.name}_k",
        page_changes.url(page_changes.name),
    )
    page_changes.add_role(app)
    page_changes.add_role(kpi)
    chosen = Settings(
        database_url=owner,
        app_database_url=page_changes.url(app),
        kpi_database_url=page_changes.url(kpi),
    )
    use_settings(chosen)
    migrate(owner, settings=chosen)
    migrate(owner, settings=chosen)  # as at every start
    owners = sa.create_engine(with_driver(owner))
    users = import_demo_data(owners)
    owners.dispose()
    portal = sa.create_engine(with_driver(role_url(owner, "app", chosen)))
    mark_transactions(portal)
    assert codes(portal, users["ZX1"]) == ["ZX1"]
    assert codes(portal, None) == []
    portal.dispose()


def codes(portal: sa.Engine, user: int | None) -> list[str]:
    """The providers that the user sees."""
    organisations = tables.organisations
    query = sa.select(organisations.c.code).where(organisations.c.kind == "provider")
    with acting_for(portal, user).connect() as connection:
        return list(connection.execute(query).scalars())
