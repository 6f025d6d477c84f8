"""Makes a run again from what it kept, and compares the charges byte for byte."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from core.areas.kept_registers import kept_register
from core.database import tables
from core.engine.areas.register import AreaRegister
from core.engine.calculation.revision import rules_since
from core.engine.calculation.stages import Terms, calculate
from core.engine.columns.csv_injection import inert_texts
from core.engine.dataset.corrections import apply_corrections
from core.engine.offline.checking import References, check_chunk
from core.engine.reading import open_file
from core.engine.reading.revision import READER_REVISION
from core.files.contract import FileMissingError
from core.files.store import FileStore
from core.reports.collating.charge_lines import read_lines
from core.submissions.commands.kept_inputs import KeptFile, kept_files
from core.submissions.commands.run_inputs import RunInputs, load_run
from core.user_errors import UserError

COLUMNS = (
    *("clinic_id", "patient_id", "attendance_date", "currency", "rate_type", "rate", "factor"),
    *("amount", "commissioner", "basis", "reason"),
)
SHOWN = 5
"""So many differing charges are shown of each side."""


@dataclass(frozen=True)
class Rerun:
    """A run made again: the charges as they were stored and as they come now, as csv."""

    run_id: int
    stored: bytes
    again: bytes
    changed_rules: tuple[str, ...]
    """What changed in rules and reader since the run; where the charges differ, the reason."""

    @property
    def same(self) -> bool:
        return self.stored == self.again

    @property
    def digests(self) -> tuple[str, str]:
        """SHA-256 of both."""
        return hashlib.sha256(self.stored).hexdigest(), hashlib.sha256(self.again).hexdigest()

    @property
    def gone(self) -> list[str]:
        """The lines that are stored and do not come again."""
        return _without(self.stored, self.again)

    @property
    def new(self) -> list[str]:
        """The lines that come now and are not stored."""
        return _without(self.again, self.stored)


def rerun(engine: Engine, store: FileStore, run_id: int) -> Rerun:
    """Makes a run again from its files; nothing is stored.

    Raises ``UserError`` where the run kept no inputs, or one of them was removed since.
    """
    with engine.connect() as connection:
        row = _run(connection, run_id)
        run = load_run(connection, run_id)
        files = kept_files(connection, run_id)
        register = kept_register(connection, row.register)
        stored = _as_csv(read_lines(connection, run_id, ()))
    _refuse_removed(store, files)
    parts = [_records(store, number, file, run, register) for number, file in enumerate(files)]
    terms = Terms(
        run.specification,
        run.configuration,
        provider=run.submission.provider,
        hosts=row.hosts,
        register=register.as_of(run.submission.month),
    )
    charges = calculate(pa.concat_tables(parts), terms).charges if parts else None
    again = _as_csv(charges) if charges is not None else b""
    return Rerun(run_id, stored, again, _changes(row.rules, files))


def _run(connection: Connection, run_id: int) -> sa.Row[Any]:
    runs = tables.runs
    row = connection.execute(sa.select(runs).where(runs.c.id == run_id)).first()
    if row is None:
        raise UserError(f"There is no run {run_id}.")
    if row.rules is None:
        raise UserError(
            f"Run {run_id} cannot be made again: it was calculated before runs kept their inputs, "
            "or taken over from the old service."
        )
    return row


def _refuse_removed(store: FileStore, files: list[KeptFile]) -> None:
    removed, changed = [], []
    for file in files:
        try:
            with store.open(file.storage_key) as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        except FileMissingError:
            removed.append(file.name)
            continue
        if digest != file.sha256:
            changed.append(file.name)
    if removed:
        raise UserError(f"These files of the run were removed since: {', '.join(removed)}.")
    if changed:
        raise UserError(f"These files are not the ones of the run any more: {', '.join(changed)}.")


def _records(
    store: FileStore, number: int, file: KeptFile, run: RunInputs, register: AreaRegister
) -> pa.Table:
    """The records of a file, with ``file`` as its place in the order of upload."""
    references = References(
        lsoas=register, provider=run.submission.provider, month=run.submission.month
    )
    chunks = []
    with (
        store.local_path(file.storage_key) as path,
        open_file(
            path,
            run.specification,
            name=file.name,
            transpose=file.transpose,
            sheet=file.sheet,
            headings=file.headings,
            heading_row=file.heading_row,
        ) as reading,
    ):
        for _, chunk in reading.numbered_chunks():
            corrected = apply_corrections(chunk, file.corrections)
            chunks.append(check_chunk(corrected, run.specification, references).records)
    if not chunks:
        raise UserError(f"{file.name} can no longer be read as the run read it.")
    records = pa.concat_tables(chunks).drop_columns(["in_error"])
    return records.append_column("file", pa.array(np.full(len(records), number, np.int32)))


def _as_csv(charges: pa.Table) -> bytes:
    """The charges as csv, in the order of the first four columns; equal charges, equal bytes."""
    pence = {"rate": "rate_pence", "amount": "amount_pence"}
    names = charges.column_names
    texts = {}
    for name in COLUMNS:
        column = charges[name if name in names else pence[name]]
        texts[name] = _text(column, name)
    table = pa.table(texts)
    order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in COLUMNS])
    out = io.BytesIO()
    pa_csv.write_csv(table.take(order), out)
    return out.getvalue()


def _text(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    if name == "factor":
        numbers = column.cast(pa.string()).cast(pa.float64())
        return pc.round(numbers, ndigits=5).cast(pa.string())
    text = column.cast(pa.string())
    return text if pa.types.is_primitive(column.type) else inert_texts(text)


def _changes(rules: int, files: list[KeptFile]) -> tuple[str, ...]:
    changes = rules_since(rules)
    changes += [
        f"{file.name} is read otherwise now (reader {READER_REVISION}, then {file.reader})."
        for file in files
        if file.reader != READER_REVISION
    ]
    return tuple(changes)


def _without(lines: bytes, others: bytes) -> list[str]:
    left = Counter(lines.decode().splitlines()) - Counter(others.decode().splitlines())
    return sorted(left.elements())
