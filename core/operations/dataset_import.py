"""Imports data sets and tariffs, with everything that other rooms derive from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.configurations.catalogue import all_revisions
from core.configurations.consequences import Consequences, weighed
from core.configurations.dataset_differences import compare_specifications
from core.configurations.datasets import versions_of
from core.configurations.importing import (
    UNCHANGED,
    Change,
    store_configuration,
    store_specification,
)
from core.configurations.tariff_differences import compare_configurations
from core.database import tables
from core.documents import parse_document
from core.engine.dataset.fields import query_name
from core.engine.dataset.specification import Specification
from core.engine.tariff.configuration import Configuration
from core.kpis.catalogue import import_shipped, published_kpis
from core.kpis.kpi_schema import create_kpi_schema
from core.operations.reprocessing import reprocess
from core.user_errors import UserError


@dataclass(frozen=True)
class NamedText:
    """A YAML document as people wrote it."""

    name: str
    body: str


def import_dataset(connection: Connection, body: str, *, name: str) -> Specification:
    """Imports a specification, creates the views of its indicators and publishes shipped ones.

    Importing the same one again changes nothing. Raises as ``import_specification`` does.
    """
    with weighed(connection):
        return _import_dataset(connection, body, name=name)


def import_together(
    connection: Connection,
    documents: Sequence[NamedText],
    *,
    user_id: int | None = None,
    change: Change = UNCHANGED,
) -> tuple[list[Specification | Configuration], Consequences]:
    """Imports data sets and tariffs as one: their consequences are weighed when all are in.

    Data sets come first, then tariffs that are there already, so that one may end before another
    begins. Raises as ``import_specification`` and ``import_configuration`` do.
    """
    imported: list[Specification | Configuration] = []
    allowed = change.leave_submitted or change.reprocess
    with weighed(connection, leave_submitted=allowed) as consequences:
        present = set(
            connection.execute(sa.select(tables.configurations.c.configuration)).scalars()
        )
        for document in sorted(documents, key=lambda each: _order(each, present)):
            if "configuration" not in parse_document(document.body, name=document.name).data:
                _refuse_people(document, user_id)
                dataset = _import_dataset(connection, document.body, name=document.name)
                consequences.notes += _changes_of_version(connection, dataset)
                imported.append(dataset)
                continue
            before = _latest_revision(connection, document)
            tariff = store_configuration(
                connection, document.body, name=document.name, user_id=user_id, change=change
            )
            consequences.notes += _changes_of_tariff(before, tariff)
            imported.append(tariff)
    if change.reprocess:
        reprocess(connection, consequences.reached, user_id=user_id, why=change.why)
        consequences.reprocessed, consequences.left = consequences.left, []
    return imported, consequences


def _import_dataset(connection: Connection, body: str, *, name: str) -> Specification:
    specification = store_specification(connection, body, name=name)
    create_kpi_schema(connection, specification)
    import_shipped(connection, specification.dataset)
    return specification


def _refuse_people(document: NamedText, user_id: int | None) -> None:
    """A data set makes tables, which only the service itself may."""
    if user_id is not None:
        raise UserError(
            f"{document.name} is a data set. An operator brings it in with `grouper import`."
        )


def _changes_of_version(connection: Connection, dataset: Specification) -> list[str]:
    """What the version changes in the one before it."""
    specifications = [each.specification for each in versions_of(connection, dataset.dataset)]
    before = specifications[specifications.index(dataset) + 1 :]
    if not before:
        return []
    sentences = compare_specifications(before[0], dataset)
    sentences += _indicators_that_read(connection, before[0], dataset)
    return [f"{dataset.dataset} {dataset.version}: {each}" for each in sentences]


def _indicators_that_read(
    connection: Connection, before: Specification, dataset: Specification
) -> list[str]:
    """A sentence for each published indicator that reads a field which the version lacks."""
    gone = {query_name(field.name): field.name for field in before.fields}
    for field in dataset.fields:
        gone.pop(query_name(field.name), None)
    return [
        f"The indicator {kpi.definition.kpi} reads {gone[word]}, which is gone; it is "
        "blank in months of this version."
        for kpi in published_kpis(connection, dataset.dataset)
        for word in gone
        if re.search(rf"\b{re.escape(word)}\b", kpi.definition.sql or "")
    ]


def _latest_revision(connection: Connection, document: NamedText) -> Configuration | None:
    name = str(parse_document(document.body, name=document.name).data.get("configuration"))
    revisions = [each for each in all_revisions(connection) if each.name == name]
    return revisions[-1].configuration if revisions else None


def _changes_of_tariff(before: Configuration | None, tariff: Configuration) -> list[str]:
    if before is None:
        return []
    sentences = compare_configurations(before, tariff)
    return [f"{tariff.configuration}: {sentence}" for sentence in sentences]


def _order(document: NamedText, present: set[str]) -> int:
    data = parse_document(document.body, name=document.name).data
    if "configuration" not in data:
        return 0
    return 1 if data["configuration"] in present else 2
