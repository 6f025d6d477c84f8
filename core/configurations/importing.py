"""Imports data sets and tariff configurations into the service."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import Range, insert

from core.access.scope import NotAllowed, Scope, scope_of
from core.database import tables
from core.database.locks import hold_until_end
from core.database.records import create_records_table
from core.documents import parse_document
from core.engine.dataset.specification import Specification, specification_of
from core.engine.tariff.configuration import Configuration, Status, configuration_from
from core.user_errors import UserError
from core.vocabulary.permissions import Action

LOCK = "import of configurations"


def import_specification(connection: Connection, body: str, *, name: str) -> Specification:
    """Imports a specification and creates the table of its records; idempotent.

    Raises ``DocumentError`` for an invalid specification, ``UserError`` for a version that exists
    with another content.
    """
    specification = specification_of(body, name=name)
    _one_at_a_time(connection)
    datasets = tables.datasets
    current_body = connection.execute(
        sa.select(datasets.c.body).where(
            datasets.c.dataset == specification.dataset,
            datasets.c.version == specification.version,
        )
    ).scalar()
    if current_body is None:
        connection.execute(
            datasets.insert().values(
                dataset=specification.dataset, version=specification.version, body=body
            )
        )
    elif current_body != body:
        raise UserError(
            f"{name}: version {specification.version} of {specification.dataset} is there with "
            "another content; give the changed specification a new version"
        )
    create_records_table(connection, specification)
    return specification


def import_configuration(
    connection: Connection, body: str, *, name: str, user_id: int | None = None
) -> Configuration:
    """Imports a configuration, or replaces the one with the same name.

    A commissioner may write drafts of the configurations that it leads. Raises ``DocumentError``
    with the lines of problems, ``NotAllowed``, and ``UserError`` where one of its providers has
    another configuration at the same time.
    """
    document = parse_document(body, name=name)
    _one_at_a_time(connection)
    dataset_id, specification = _dataset_of(connection, str(document.data.get("dataset")), name)
    configuration = configuration_from(document, specification)
    _require_right(connection, scope_of(connection, user_id), configuration)
    configurations = tables.configurations
    values = {
        "title": configuration.title,
        "dataset_id": dataset_id,
        "status": configuration.status,
        "starts": configuration.start,
        "ends": configuration.end,
        "body": body,
        "owner": configuration.owner,
        "imported_by": user_id,
    }
    configuration_id = connection.execute(
        insert(configurations)
        .values(configuration=configuration.configuration, **values)
        .on_conflict_do_update(index_elements=["configuration"], set_=values)
        .returning(configurations.c.id)
    ).scalar_one()
    _write_providers(connection, configuration_id, configuration)
    return configuration


def _require_right(connection: Connection, scope: Scope, configuration: Configuration) -> None:
    """Raises ``NotAllowed`` unless the person may write it and replace the one of that name."""
    if scope.may(Action.PUBLISH_CONFIGURATION):
        return
    configurations = tables.configurations
    query = sa.select(configurations.c.status, configurations.c.owner).where(
        configurations.c.configuration == configuration.configuration
    )
    versions = [(configuration.status, configuration.owner), *connection.execute(query).all()]
    if any(status != Status.DRAFT for status, _ in versions):
        raise NotAllowed(Action.PUBLISH_CONFIGURATION)
    led = scope.codes(Action.EDIT_CONFIGURATION, "commissioner")
    if any(owner not in led for _, owner in versions):
        raise NotAllowed(Action.EDIT_CONFIGURATION)


def _one_at_a_time(connection: Connection) -> None:
    """Serialises imports: of two at once, the second sees what the first imported."""
    hold_until_end(connection, LOCK)


def _dataset_of(connection: Connection, dataset: str, name: str) -> tuple[int, Specification]:
    datasets = tables.datasets
    row = connection.execute(
        sa.select(datasets.c.id, datasets.c.body)
        .where(datasets.c.dataset == dataset)
        .order_by(datasets.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        raise UserError(f"{name}: the data set {dataset!r} has not been imported; import it first")
    return row.id, specification_of(row.body, name=dataset)


def _write_providers(
    connection: Connection, configuration_id: int, configuration: Configuration
) -> None:
    members = tables.configuration_providers
    connection.execute(members.delete().where(members.c.configuration_id == configuration_id))
    during = Range(configuration.start, configuration.end, bounds="[]")
    rows = [
        {
            "configuration_id": configuration_id,
            "provider": provider,
            "during": during,
            "draft": configuration.status == Status.DRAFT,
        }
        for provider in configuration.providers
    ]
    if configuration.status != Status.DRAFT:
        for provider in configuration.providers:
            _refuse_second(connection, configuration_id, provider, during)
    connection.execute(members.insert(), rows)


def _refuse_second(
    connection: Connection, configuration_id: int, provider: str, during: Range[dt.date]
) -> None:
    members, configurations = tables.configuration_providers, tables.configurations
    overlapping = connection.execute(
        sa.select(configurations.c.configuration, configurations.c.starts, configurations.c.ends)
        .join(members, members.c.configuration_id == configurations.c.id)
        .where(
            members.c.provider == provider,
            members.c.configuration_id != configuration_id,
            members.c.during.overlaps(during),
            sa.not_(members.c.draft),
        )
    ).first()
    if overlapping is not None:
        raise UserError(
            f"{provider} is in {overlapping.configuration!r} "
            f"from {overlapping.starts} to {overlapping.ends}; "
            "a provider has one configuration on any date, so end that one first"
        )
