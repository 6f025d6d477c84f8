"""Findings of a whole file: in memory while they are few, beyond that on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from core.engine.dataset.problems import ERRORS_SCHEMA, NO_ERRORS, finding
from core.engine.reading.refusal import RefusedError

IN_MEMORY = 500_000
"""Findings kept in memory, at up to 200 bytes each."""
MOST_FINDINGS = 10_000_000
"""Findings from which on a file is not what the data set describes."""


class KeptFindings:
    """Takes the findings of chunk after chunk, and gives all of them."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self._count = self._in_memory = 0
        self._file: Path | None = None
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    @property
    def spilled(self) -> bool:
        """Whether some are on disk."""
        return self._writer is not None

    def add(self, findings: pa.Table) -> None:
        """Keeps the findings of a chunk; raises ``RefusedError`` where there are far too many."""
        self._tables.append(findings)
        self._count += findings.num_rows
        self._in_memory += findings.num_rows
        if self._in_memory > IN_MEMORY:
            self._spill()
        if self._count > MOST_FINDINGS:
            raise RefusedError(too_many_findings(MOST_FINDINGS))

    def all(self) -> list[pa.Table]:
        """The findings, in the order in which they came; those on disk are read as needed."""
        if self._writer is None:
            return self._tables
        self._spill()
        self._writer.close()
        assert self._file is not None  # noqa: S101
        mapped = pa.memory_map(str(self._file))
        self._file.unlink()  # it is there for as long as somebody reads it
        return [pa.ipc.open_file(mapped).read_all()]

    def _spill(self) -> None:
        if self._writer is None:
            with tempfile.NamedTemporaryFile(prefix="grouper-", delete=False) as file:
                self._file = Path(file.name)
            self._writer = pa.ipc.new_file(file.name, ERRORS_SCHEMA)
        for table in self._tables or [NO_ERRORS]:
            self._writer.write_table(table)
        self._tables, self._in_memory = [], 0


def too_many_findings(most: int) -> dict[str, Any]:
    """The finding that refuses a file with more than ``most`` errors and warnings."""
    return finding("unreadable-file/too-many-errors", limit=f"{most:,}")
