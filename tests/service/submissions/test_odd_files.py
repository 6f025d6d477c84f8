"""Every odd file through the service: what the offline command says, and no failure of its own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.database import tables
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.commands.uploads import recheck_file
from core.user_errors import UserError
from core.vocabulary.states.submissions import FileState
from tests.odd_files import ODD_FILES, OddFile

if TYPE_CHECKING:
    from tests.service.month import Service


def uploaded(service: Service, file: OddFile) -> tuple[int, int]:
    """The month and the file, received."""
    month = service.month(file.provider, file.month)
    user = service.whose(month)
    content = io.BytesIO(file.path.read_bytes())
    arrival = UploadDetails(file.name)
    return month, store_upload(service.engine, service.store, month, arrival, content, user_id=user)


def found_in(service: Service, file_id: int) -> list[tuple[int | None, str]]:
    """Row and code of every finding, those of the file as a whole first."""
    errors = tables.errors
    query = sa.select(errors.c.row, errors.c.code).where(errors.c.file_id == file_id)
    pairs = [(row.row, row.code) for row in service.rows(query)]
    return sorted(pairs, key=lambda pair: (pair[0] or 0, pair[1]))


def charged(service: Service, run_id: int) -> dict[str, tuple[str, ...]]:
    """For each patient the currencies charged, with their rate types."""
    charges = tables.charges
    columns = (charges.c.patient_id, charges.c.currency, charges.c.rate_type)
    found: dict[str, list[str]] = {}
    for row in service.rows(sa.select(*columns).where(charges.c.run_id == run_id)):
        found.setdefault(row.patient_id, []).append(f"{row.currency} {row.rate_type}")
    return {patient: tuple(sorted(each)) for patient, each in found.items()}


@pytest.mark.parametrize("file", ODD_FILES, ids=[file.name for file in ODD_FILES])
def test_the_service_reads_an_odd_file_as_the_command_does(service: Service, file: OddFile) -> None:
    month, file_id = uploaded(service, file)
    state = service.check(file_id)
    assert found_in(service, file_id) == sorted(
        file.found, key=lambda pair: (pair[0] or 0, pair[1])
    )
    if file.charges is None:
        assert state == FileState.REJECTED
    elif state == FileState.READY:
        assert charged(service, service.run(month, "draft")) == file.charges
    else:
        assert state == FileState.IN_ERROR


def test_the_sheet_that_counts_is_chosen(service: Service) -> None:
    [file] = [each for each in ODD_FILES if each.name == "50-second-sheet.xlsx"]
    month, file_id = uploaded(service, file)
    assert service.check(file_id) == FileState.REJECTED
    user = service.whose(month)
    with service.engine.begin() as connection, pytest.raises(UserError, match="no visible sheet"):
        recheck_file(connection, file_id, user_id=user, sheet="Sheet3")
    with service.engine.begin() as connection:
        recheck_file(connection, file_id, user_id=user, sheet="Sheet2")
    assert service.check(file_id) == FileState.READY
    [row] = service.rows(sa.select(tables.files).where(tables.files.c.id == file_id))
    assert (row.sheet, row.sheets) == ("Sheet2", ["Sheet1", "Sheet2"])
    assert found_in(service, file_id) == [(None, "sheet-not-read")]
