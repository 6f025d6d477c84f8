"""A database of before versions and revisions keeps what its months were judged and priced by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.database.engine import with_driver
from core.database.migrate import downgrade, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

BEFORE = """
    INSERT INTO organisations (id, kind, code, name) VALUES (1, 'provider', 'ZX1', 'Z');
    INSERT INTO users (id, subject, name) VALUES (1, 'u', 'U');
    INSERT INTO datasets (id, dataset, version, body, imported_at) VALUES
        (1, 'health', '1', E'dataset: health\\ntitle: "Health"  # so called\\n', '2026-01-01'),
        (2, 'health', '2', E'title: Health\\n', '2026-03-01');
    INSERT INTO configurations (id, configuration, title, dataset_id, status, starts, ends, body)
        VALUES (1, 'c', 'C', 1, 'live', '2017-04-01', '2018-03-31', '');
    INSERT INTO configuration_providers VALUES (1, 'ZX1', '[2017-04-01,2018-03-31]', false);
    ALTER TABLE submissions DISABLE TRIGGER transitions;
    ALTER TABLE files DISABLE TRIGGER transitions;
    ALTER TABLE runs DISABLE TRIGGER transitions;
    INSERT INTO submissions (id, provider_id, month, state) VALUES
        (1, 1, '2017-04-01', 'submitted'), (2, 1, '2017-05-01', 'open'),
        (3, 1, '2017-06-01', 'open');
    INSERT INTO runs (id, submission_id, number, kind, configuration_id, state) VALUES
        (1, 1, 1, 'final', 1, 'published'), (2, 3, 1, 'final', 1, 'replaced'),
        (3, 2, 1, 'draft', 1, 'replaced');
    INSERT INTO files (id, submission_id, position, name, storage_key, size, sha256, state) VALUES
        (1, 1, 1, 'a', 'a', 1, 'a', 'ready'), (2, 2, 1, 'b', 'b', 1, 'b', 'ready'),
        (3, 2, 2, 'c', 'c', 1, 'c', 'received');
    INSERT INTO file_chunks (file_id, chunk, check_number, done_at) VALUES
        (1, 0, 0, '2026-02-01'), (2, 0, 0, '2026-04-01');
    INSERT INTO heading_choices (provider_id, heading, "column", chosen_at) VALUES
        (1, 'a', 'A', '2026-02-01'), (1, 'b', NULL, '2026-04-01');
    INSERT INTO deadline_notices (user_id, provider_id, month, stage) VALUES
        (1, 1, '2017-05-01', '7');
"""


@pytest.fixture
def upgraded(empty_database_url: str) -> Iterator[Engine]:
    migrate(empty_database_url, "0024")
    engine = sa.create_engine(with_driver(empty_database_url))
    with engine.begin() as connection:
        connection.exec_driver_sql(BEFORE)
        for table in ("submissions", "files", "runs"):
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER transitions")
    migrate(empty_database_url)
    yield engine
    engine.dispose()


def rows(engine: Engine, query: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_what_was_is_kept(upgraded: Engine) -> None:
    months = "SELECT id, dataset, dataset_id, configuration_id FROM submissions ORDER BY id"
    # Submitted, never submitted, and submitted once and opened again.
    assert rows(upgraded, months) == [
        (1, "health", 1, 1),
        (2, "health", None, None),
        (3, "health", 1, 1),
    ]
    assert rows(upgraded, "SELECT id, dataset_id FROM runs ORDER BY id") == [
        (1, 1), (2, 1), (3, 1)
    ]  # fmt: skip
    assert rows(upgraded, "SELECT id, dataset_id FROM files ORDER BY id") == [
        (1, 1), (2, 2), (3, None)
    ]  # fmt: skip
    assert rows(upgraded, "SELECT dataset, title FROM datasets ORDER BY id") == [
        ("health", "Health"), ("health", "Health")
    ]  # fmt: skip
    revision = "SELECT revision, holds_from::text, why FROM configurations"
    assert rows(upgraded, revision) == [(1, "2017-04-01", None)]
    assert rows(upgraded, "SELECT dataset FROM configuration_providers") == [("health",)]
    chosen = "SELECT heading, dataset, dataset_id FROM heading_choices ORDER BY heading"
    assert rows(upgraded, chosen) == [("a", "health", 1), ("b", "health", 2)]
    assert rows(upgraded, "SELECT dataset FROM deadline_notices") == [("health",)]


def test_it_can_be_taken_back(upgraded: Engine, empty_database_url: str) -> None:
    downgrade(empty_database_url, "0024")
    assert len(rows(upgraded, "SELECT id FROM submissions")) == 3
    migrate(empty_database_url)
    assert len(rows(upgraded, "SELECT id FROM submissions")) == 3
