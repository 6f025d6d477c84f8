"""The tables of a migrated database are those that the code knows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import Connection, Constraint, Engine, PrimaryKeyConstraint, insert, inspect, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.database.engine import engine
from core.database.migrate import differences, downgrade, migrate
from core.database.tables import (
    audit,
    configuration_providers,
    configurations,
    datasets,
    organisations,
    submissions,
    subscriptions,
    users,
)
from core.database.tables.columns import metadata


def test_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    differences(database_url)


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    differences(database_url)


def test_two_processes_may_migrate_at_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [empty_database_url] * 4))
    differences(empty_database_url)


def test_down_and_up_again(database_url: str) -> None:
    downgrade(database_url)
    assert set(inspect(engine(database_url)).get_table_names()) == {"alembic_version"}
    migrate(database_url)
    assert set(metadata.tables) < set(inspect(engine(database_url)).get_table_names())
    engine(database_url).dispose()


def is_empty_key(constraint: Constraint) -> bool:
    """SQLAlchemy gives tables without a key one without columns."""
    return isinstance(constraint, PrimaryKeyConstraint) and not constraint.columns


def test_every_check_of_the_code_is_in_the_database(database: Engine) -> None:
    wanted = {
        constraint.name
        for table in metadata.tables.values()
        for constraint in table.constraints
        if constraint.name and not is_empty_key(constraint)
    }
    with database.connect() as connection:
        found = connection.execute(text("SELECT conname FROM pg_constraint")).scalars()
        assert wanted <= set(found)


def configured(connection: Connection, name: str, status: str = "live") -> int:
    body = {"dataset": f"d-{name}", "version": "1", "title": name, "body": ""}
    dataset = connection.execute(insert(datasets).values(body)).inserted_primary_key
    made = connection.execute(
        insert(configurations).values(
            configuration=name,
            title=name,
            dataset_id=dataset[0] if dataset else None,
            status=status,
            starts=date(2017, 4, 1),
            holds_from=date(2017, 4, 1),
            ends=date(2018, 3, 31),
            body="",
        )
    )
    assert made.inserted_primary_key
    return int(made.inserted_primary_key[0])


def joins(connection: Connection, configuration: int, *, draft: bool = False) -> None:
    connection.execute(
        insert(configuration_providers).values(
            configuration_id=configuration,
            provider="ZX1",
            dataset="d",
            during=Range(date(2017, 4, 1), date(2018, 3, 31), bounds="[]"),
            draft=draft,
        )
    )


def test_a_provider_is_in_one_configuration_at_a_time(database: Engine) -> None:
    with database.begin() as connection:
        joins(connection, configured(connection, "first"))
    with pytest.raises(IntegrityError, match="one_at_a_time"), database.begin() as connection:
        joins(connection, configured(connection, "second"))


def test_drafts_may_overlap(database: Engine) -> None:
    with database.begin() as connection:
        joins(connection, configured(connection, "first"))
        joins(connection, configured(connection, "second", "draft"), draft=True)


def provider(connection: Connection) -> int:
    values = {"kind": "provider", "code": "ZX1", "name": "Z"}
    made = connection.execute(insert(organisations).values(values))
    assert made.inserted_primary_key
    return int(made.inserted_primary_key[0])


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"month": date(2017, 4, 2)}, "ck_submissions_month"),
        ({"month": date(2017, 4, 1), "state": "lost"}, "must be open, not lost"),
    ],
)
def test_impossible_submissions_are_refused(
    database: Engine, values: dict[str, object], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint), database.begin() as connection:
        connection.execute(insert(submissions).values(provider_id=provider(connection), **values))


@pytest.mark.parametrize(
    ("kind", "of_organisation"), [("operator", True), ("Provider+", False), ("owner", True)]
)
def test_subscriptions_belong_to_an_organisation_or_to_none(
    database: Engine, kind: str, of_organisation: bool
) -> None:
    with database.begin() as connection:
        organisation = provider(connection) if of_organisation else None
        connection.execute(insert(users).values(id=1, subject="pat", name="Pat"))
    day = date(2026, 4, 1)
    values = {"user_id": 1, "kind": kind, "quoted_on": day, "first_day": day, "price": 0}
    refused = pytest.raises(IntegrityError, match=r"organisation_fits_kind|subscriptions_kind")
    with refused, database.begin() as connection:
        connection.execute(insert(subscriptions).values(organisation_id=organisation, **values))


@pytest.mark.parametrize("change", ["UPDATE audit SET reason = ''", "DELETE FROM audit"])
def test_what_was_audited_stays(database: Engine, change: str) -> None:
    with database.begin() as connection:
        connection.execute(insert(audit).values(action="submit", subject="submission/1"))
    with pytest.raises(DBAPIError, match="never changed"), database.begin() as connection:
        connection.execute(text(change))
