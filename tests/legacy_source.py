"""The old service in a process of its own, and the door that leads to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from sqlalchemy import Engine

from core.migration.migrate_table import MigrationContext, carry_out, finish, read_page, rehearse
from core.migration.reading.legacy import LegacyClient, LegacyEndpoint
from core.migration.runs import (
    TableRun,
    begin_migration,
    load_migration,
    request_migration,
)
from tests.legacy_server import HEADER, PASSWORD, USER
from tests.server_process import serving


@dataclass(frozen=True)
class OldService:
    """The address of the server, and calls that inspect and change it."""

    url: str

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx2.get(f"{self.url}/told", timeout=30).raise_for_status().json()
        return found

    @property
    def bad(self) -> dict[tuple[str, int], str]:
        return {(table, number): code for table, number, code in self.report()["bad"]}

    def change(self, *changes: tuple[str, int, dict[str, Any] | None]) -> None:
        httpx2.post(f"{self.url}/change", json=changes, timeout=30).raise_for_status()

    def forget(self) -> None:
        httpx2.post(f"{self.url}/forget", json=None).raise_for_status()

    def set(self, **values: Any) -> None:
        httpx2.post(f"{self.url}/set", json=values).raise_for_status()

    def endpoint(self, **changes: Any) -> LegacyEndpoint:
        given: dict[str, Any] = {
            "url": self.url,
            "user": USER,
            "password": PASSWORD,
            "header": HEADER,
            "seconds": 0.7,
            "attempts": 6,
            "pause": 0.01,
            "page": 500,
            "max_requests": 4,
        }
        return LegacyEndpoint(**{**given, **changes})


@contextmanager
def old_service(*options: str) -> Iterator[OldService]:
    with serving("tests.legacy_server", *options) as url:
        yield OldService(url)


def in_threads(context: MigrationContext, table: TableRun, pages: Sequence[int]) -> None:
    with ThreadPoolExecutor(context.legacy.endpoint.max_requests) as pool:
        list(pool.map(lambda page: read_page(context, table, page), pages))


def migrate(
    engine: Engine, endpoint: LegacyEndpoint, run_id: int | None = None, **asked: Any
) -> dict[str, Any]:
    """A whole migration, or the rest of one, as the flow carries it out; gives its summary."""
    with engine.begin() as connection:
        run_id = run_id or request_migration(connection, user_id=None, **asked)
        begin_migration(connection, run_id, flow_run=None)
        migration = load_migration(connection, run_id)
    with LegacyClient(endpoint) as legacy:
        context = MigrationContext(engine, migration, legacy)
        summary = carry_out(context, in_threads, lambda _: None)
        with engine.begin() as connection:
            finish(connection, context, summary)
    return summary


def rehearsed(engine: Engine, endpoint: LegacyEndpoint) -> dict[str, Any]:
    """A dry run; gives its summary."""
    with engine.begin() as connection:
        run_id = request_migration(connection, user_id=None, dry_run=True)
        begin_migration(connection, run_id, flow_run=None)
        migration = load_migration(connection, run_id)
    with LegacyClient(endpoint) as legacy:
        context = MigrationContext(engine, migration, legacy)
        summary = rehearse(context, one_by_one, lambda _: None)
        with engine.begin() as connection:
            finish(connection, context, summary)
    return summary


def one_by_one(context: MigrationContext, table: TableRun, pages: Sequence[int]) -> None:
    for page in pages:
        read_page(context, table, page)
