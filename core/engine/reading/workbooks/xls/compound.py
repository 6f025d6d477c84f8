"""Inspects an OLE2 file, the container of old workbooks, before a reader follows its chains.

A chain of sectors that is a loop keeps a reader busy for ever, so every chain is followed here
first, up to a limit. [MS-CFB] describes the format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from core.engine.dataset.problems import finding

_HEADER = struct.Struct("<8s16xHHHHH6xIIIIIIIII")
_ENTRY = struct.Struct("<64sHBB12x36xI8x")
_END = 0xFFFFFFFA  # this and what is above are no sectors but marks
_KINDS = {
    "WordDocument": "a Word document",
    "PowerPoint Document": "a PowerPoint presentation",
    "VisioDocument": "a Visio drawing",
    "__properties_version1.0": "an e-mail",
}


_STREAM, _ROOT = 2, 5
_SMALL = 64  # bytes of a small sector
_WORKBOOKS = {"workbook", "book"}


class BrokenError(Exception):
    """Chains or sizes that contradict each other."""


_DAMAGE = (BrokenError, struct.error, ValueError, LookupError, StopIteration)


class _Table:
    """Which sector follows which. Every sector belongs to one chain: a second visit is a fault."""

    def __init__(self, data: bytes) -> None:
        self._following = np.frombuffer(data, "<u4").tolist()
        self._seen = bytearray(len(self._following))

    def chain(self, start: int) -> list[int]:
        """The sectors of the chain that begins at ``start``."""
        sectors: list[int] = []
        while start < _END:
            if start >= len(self._following):
                raise BrokenError("a chain of sectors leads out of the file")
            if self._seen[start]:
                raise BrokenError("a chain of sectors runs into itself or into another")
            self._seen[start] = 1
            sectors.append(start)
            start = self._following[start]
        return sectors


def inspect_compound(path: Path) -> dict[str, Any] | None:
    """The finding against an OLE2 file, None if it is a workbook that can be read."""
    try:
        names = _streams(path.read_bytes())[1]
    except _DAMAGE as error:
        return finding("unreadable-file", detail=str(error) or "its parts contradict each other")
    if "EncryptedPackage" in names:
        return finding("encrypted-file")
    if any(name.lower() in _WORKBOOKS for name in names):
        return None
    kind = next((kind for name, kind in _KINDS.items() if name in names), "an OLE2 document")
    return finding("wrong-file-type", kind=kind)


def workbook_stream(path: Path) -> bytes:
    """The stream of an old workbook; raises ``BrokenError``."""
    try:
        shell, names = _streams(path.read_bytes())
        start, size = next(names[name] for name in names if name.lower() in _WORKBOOKS)
        return shell.content(start, size)
    except _DAMAGE as error:
        raise BrokenError(str(error) or "its parts contradict each other") from error


def _streams(data: bytes) -> tuple[_Shell, dict[str, tuple[int, int]]]:
    """The file, and the start of each stream, once every chain has been followed to its end."""
    (_, _, _, _, shift, _, _, _, directory, _, small_limit, small_table, _, more, _) = (
        _HEADER.unpack_from(data)
    )
    if shift not in (9, 12):
        raise BrokenError("its sector size is impossible")
    shell = _Shell(data, 1 << shift, more)
    entries = list(_entries(shell.read(directory)))
    small = _Table(shell.read(small_table))
    for _, kind, start, size in entries:
        if kind == _STREAM and size and size < small_limit:
            shell.small[start] = small.chain(start)
        elif (kind == _STREAM and size) or kind == _ROOT:
            shell.large[start] = shell.table.chain(start)
        if kind == _ROOT:
            shell.root = start
    return shell, {name: (start, size) for name, _, start, size in entries}


class _Shell:
    """The file as sectors."""

    def __init__(self, data: bytes, size: int, more: int) -> None:
        self._data, self._size = data, size
        tables = [*struct.unpack_from("<109I", data, 76), *_more_tables(data, size, more)]
        self.large: dict[int, list[int]] = {}  # the chains followed, by their first sector
        self.small: dict[int, list[int]] = {}
        self.root = _END
        self.table = _Table(b"".join(self._sector(at) for at in tables if at < _END))

    def content(self, start: int, size: int) -> bytes:
        """A stream whose chain was followed."""
        if start in self.large:
            return b"".join(self._sector(at) for at in self.large[start])[:size]
        room = b"".join(self._sector(at) for at in self.large.get(self.root, []))
        parts = (room[at * _SMALL : (at + 1) * _SMALL] for at in self.small.get(start, []))
        return b"".join(parts)[:size]

    def read(self, start: int) -> bytes:
        """The content of the chain that begins at ``start``."""
        return b"".join(self._sector(at) for at in self.table.chain(start))

    def _sector(self, at: int) -> bytes:
        content = self._data[self._size * (at + 1) : self._size * (at + 2)]
        return content.ljust(self._size, b"\xff")


def _more_tables(data: bytes, size: int, start: int) -> Iterator[int]:
    """Sectors of the table that the header has no room for."""
    for _ in range(len(data) // size + 1):
        if start >= _END:
            return
        numbers = struct.unpack_from(f"<{size // 4}I", data, size * (start + 1))
        yield from numbers[:-1]
        start = numbers[-1]
    raise BrokenError("a chain of sectors runs into itself or into another")


def _entries(directory: bytes) -> Iterator[tuple[str, int, int, int]]:
    for at in range(0, len(directory) - 127, 128):
        name, length, kind, _, start = _ENTRY.unpack_from(directory, at)
        size = struct.unpack_from("<I", directory, at + 120)[0]
        if kind:
            text = name[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")
            yield text, kind, start, size
