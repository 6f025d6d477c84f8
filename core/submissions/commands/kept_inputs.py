"""What a run keeps of its inputs: files, corrections, headings, hosts, register, revisions.

With them a run can be made again years later (``grouper rerun``).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.areas.kept_registers import keep_register
from core.database import tables
from core.engine.calculation.revision import RULES_REVISION
from core.engine.dataset.corrections import Correction
from core.engine.dataset.fields import heading_key
from core.submissions.commands.run_inputs import RunInputs


@dataclass(frozen=True)
class KeptFile:
    """A file of a run as it was read then."""

    name: str
    storage_key: str
    sha256: str
    transpose: bool
    sheet: str | None
    heading_row: int | None
    headings: dict[str, str | None]  # heading (as ``heading_key``) to column; None: left out
    corrections: tuple[Correction, ...]
    reader: int


def keep_inputs(connection: Connection, run: RunInputs) -> None:
    """Keeps the inputs of a run that begins, in the place of those of an earlier attempt."""
    runs, kept = tables.runs, tables.run_files
    values = {
        "hosts": run.hosts,
        "register": keep_register(connection),
        "rules": RULES_REVISION,
    }
    connection.execute(runs.update().where(runs.c.id == run.run_id).values(values))
    connection.execute(kept.delete().where(kept.c.run_id == run.run_id))
    rows = [_row(connection, run, position) for position in range(len(run.files))]
    if rows:
        connection.execute(kept.insert(), rows)


def _row(connection: Connection, run: RunInputs, position: int) -> dict[str, Any]:
    files, made = tables.files, tables.corrections
    file = connection.execute(sa.select(files).where(files.c.id == run.files[position])).one()
    corrections = connection.execute(
        sa.select(made.c.field, made.c.wrong, made.c.value, made.c.row)
        .where(made.c.file_id == file.id, made.c.undone_at.is_(None))
        .order_by(made.c.id)
    )
    names = ("name", "storage_key", "sha256", "transpose", "sheet", "heading_row", "reader")
    return {
        "run_id": run.run_id,
        "file_id": file.id,
        "position": position,
        "headings": _headings(run, file.headings or []),
        "corrections": [asdict(Correction(*row)) for row in corrections],
        **{name: getattr(file, name) for name in names},
    }


def _headings(run: RunInputs, headings: list[dict[str, str | None]]) -> dict[str, str | None]:
    """What each heading was taken for; codes that were transposed stood in no column."""
    columns = run.specification.columns
    return {
        heading_key(each["heading"]): each["column"]
        for each in headings
        if each["heading"] and (each["column"] is None or each["column"] in columns)
    }


def kept_files(connection: Connection, run_id: int) -> list[KeptFile]:
    """The files of a run in the order of upload."""
    kept = tables.run_files
    query = sa.select(kept).where(kept.c.run_id == run_id).order_by(kept.c.position)
    return [
        KeptFile(
            name=row.name,
            storage_key=row.storage_key,
            sha256=row.sha256,
            transpose=row.transpose,
            sheet=row.sheet,
            heading_row=row.heading_row,
            headings=row.headings,
            corrections=tuple(Correction(**each) for each in row.corrections),
            reader=row.reader,
        )
        for row in connection.execute(query)
    ]
