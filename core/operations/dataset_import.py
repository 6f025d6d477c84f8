"""Imports a data set, with everything that other rooms derive from it."""

from __future__ import annotations

from sqlalchemy import Connection

from core.configurations.importing import import_specification
from core.engine.dataset.specification import Specification
from core.kpis.catalogue import import_shipped
from core.kpis.kpi_schema import create_kpi_schema


def import_dataset(connection: Connection, body: str, *, name: str) -> Specification:
    """Imports a specification, creates the views of its indicators and publishes shipped ones.

    Importing the same one again changes nothing. Raises as ``import_specification`` does.
    """
    specification = import_specification(connection, body, name=name)
    create_kpi_schema(connection, specification)
    import_shipped(connection, specification.dataset)
    return specification
