"""Cuts the sheet of a large xlsx into small workbooks, so that memory stays bounded.

The reader holds a whole sheet at once, twice over while it opens it: a million rows of 29 columns
took 2 GB. A portion is a workbook with the same strings and styles and some of the rows.
"""

from __future__ import annotations

import itertools
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from core.engine.reading.package import blocks_of, first_sheet, is_read

ROWS_A_PORTION = 100_000

_DATA_BEGINS = re.compile(rb"<(\w+:)?sheetData\b[^>]*>")
_ROW_ENDS = re.compile(rb"</(?:\w+:)?row>|<(?:\w+:)?row\b[^>]*/>")


def portions_of(path: Path, folder: Path, rows: int = ROWS_A_PORTION) -> Iterator[Path]:
    """Workbooks with ``rows`` rows of the first sheet each, in order, written into ``folder``.

    Each is there only until the next is asked for. Cells must say where they stand, as the cells
    of a portion keep their place in the whole sheet.
    """
    with zipfile.ZipFile(path) as archive:
        name = first_sheet(archive)
        if name is None:
            raise ValueError("the first sheet of the workbook cannot be told")
        frame, parts = _frame_and_rows(blocks_of(archive, archive.getinfo(name)))
        pieces = _whole_rows(parts)
        left = next(pieces, None)
        while left is not None:
            portion = folder / "portion.xlsx"
            with zipfile.ZipFile(portion, "w") as small:
                _copy_other_parts(archive, small, name)
                with small.open(name, "w", force_zip64=True) as sheet:
                    left = _write_rows(sheet, frame, left, pieces, rows)
            yield portion


class _Frame(NamedTuple):
    """What stands around the rows of a sheet."""

    before: bytes
    after: bytes


def _frame_and_rows(blocks: Iterator[bytes]) -> tuple[_Frame, Iterator[bytes]]:
    """The frame, and the blocks from the first row on."""
    head = b""
    for block in blocks:
        head += block
        if begins := _DATA_BEGINS.search(head):
            prefix = begins[1] or b""
            after = b"</" + prefix + b"sheetData></" + prefix + b"worksheet>"
            rows = itertools.chain([head[begins.end() :]], blocks)
            return _Frame(head[: begins.end()], after), rows
    raise ValueError("the sheet has no rows")


def _whole_rows(blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Pieces that end with a row: how many rows, and the XML."""
    rest = b""
    for block in blocks:
        rest += block
        ends = [found.end() for found in _ROW_ENDS.finditer(rest)]
        if ends:
            yield len(ends), rest[: ends[-1]]
            rest = rest[ends[-1] :]


def _write_rows(
    sheet: IO[bytes],
    frame: _Frame,
    first: tuple[int, bytes],
    others: Iterator[tuple[int, bytes]],
    rows: int,
) -> tuple[int, bytes] | None:
    """Writes a sheet of about so many rows; gives the piece that the next begins with."""
    sheet.write(frame.before)
    written, piece = 0, cast("tuple[int, bytes] | None", first)
    while piece is not None and written < rows:
        written += piece[0]
        sheet.write(piece[1])
        piece = next(others, None)
    sheet.write(frame.after)
    return piece


def _copy_other_parts(archive: zipfile.ZipFile, small: zipfile.ZipFile, sheet: str) -> None:
    for entry in archive.infolist():
        if entry.filename != sheet and is_read(entry.filename, sheet):
            with archive.open(entry) as part, small.open(entry.filename, "w") as copy:
                shutil.copyfileobj(part, copy, 1 << 20)
