"""Takes a data set into the service, with all that other rooms need of it."""

from __future__ import annotations

from sqlalchemy import Connection

from core.configurations.importing import import_specification
from core.engine.dataset.specification import Specification
from core.kpis.catalogue import import_shipped
from core.kpis.kpi_schema import make_room


def import_dataset(connection: Connection, body: str, *, name: str) -> Specification:
    """Takes a specification in, makes what its indicators read, and brings those that ship with it.

    The same one again changes nothing. Raises as ``import_specification``.
    """
    specification = import_specification(connection, body, name=name)
    make_room(connection, specification)
    import_shipped(connection, specification.dataset)
    return specification
