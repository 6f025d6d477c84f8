"""Fields may be called what people call them: tables, queries and views take any such name."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.configurations.importing import import_configuration
from core.database.records import records_table
from core.operations.dataset_import import import_dataset
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.vocabulary.states.submissions import FileState

if TYPE_CHECKING:
    from tests.service.month import Service

NAMES = [
    "50% of: what?",
    'it\'s \\"quoted\\"',
    "Größe",
    "Name",
    "value",
    "code",
    "field",
    "select",
    "Rows",
    "currency",
    "run",
    "%(x)s",
    "a.b.c {n}",
]


TARIFF = """
configuration: odd-tariff
dataset: odd-names
status: live
start: 2017-04-01
end: 2018-03-31
providers: {ZX1: {}}
currencies:
  - {code: A, primary: "1.00", additional: "1.00", cross_charge: none, triggers: ["Site = S1"]}
"""


def specification(*names: str) -> str:
    fields = [f'  - {{name: "{name}"}}' for name in names]
    keys = [
        "  - {name: Site, role: clinic, required: true}",
        "  - {name: Person, role: patient, required: true}",
        "  - {name: Day, role: date, type: date, required: true}",
    ]
    head = ["dataset: odd-names", 'version: "1"', "title: Odd names", "fields:"]
    return "\n".join([*head, *keys, *fields, ""])


@pytest.mark.parametrize("names", [NAMES, *([name] for name in NAMES)])
def test_a_file_with_such_fields_is_checked(service: Service, names: list[str]) -> None:
    with service.engine.begin() as connection:
        dataset = import_dataset(connection, specification(*names), name="odd.yaml")
        import_configuration(connection, TARIFF, name="odd-tariff.yaml")
    headings = [field.name for field in dataset.fields]
    quoted = ",".join('"' + heading.replace('"', '""') + '"' for heading in headings)
    values = ["S1", "1", "2017-04-03", *(f"v{number}" for number in range(len(names)))]
    content = "\n".join([quoted, ",".join(values), ""]).encode()
    month = service.month(dataset="odd-names")
    file_id = store_upload(
        service.engine,
        service.store,
        month,
        UploadDetails("odd.csv"),
        io.BytesIO(content),
        user_id=service.amira,
    )
    assert service.check(file_id) == FileState.READY
    columns = [sa.column(name) for name in dataset.columns]
    [row] = service.rows(sa.select(*columns).select_from(sa.table(records_table(dataset))))
    assert list(row) == values
