"""The interface of a store of files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from core.user_errors import UserError

BLOCK = 1 << 20


class FileMissingError(UserError):
    """The store has no file with this key."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored file: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


class FileStore(Protocol):
    """Files under keys such as ``uploads/12/activity.csv``; an unknown key raises
    ``FileMissingError``."""

    def put(self, key: str, stream: IO[bytes]) -> Stored:
        """Stores ``stream`` in constant memory; readers see the complete file or none."""

    def open(self, key: str) -> IO[bytes]:
        """A stream of the file's bytes, to be closed by the caller."""

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """The file on the local disk, until the context ends; it must not be changed."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin with ``prefix``, in order."""

    def delete(self, key: str) -> None:
        """Deletes the file, if it exists."""

    def size(self, key: str) -> int:
        """The file's size in bytes."""

    def presigned(self, key: str, filename: str, seconds: int) -> str | None:
        """A URL of the storage service that saves the file as ``filename``; None if it has none."""


class HashingReader:
    """Reads a stream through, and has its size and hash at the end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._hash.update(block)
        self._size += len(block)
        return block

    def stored(self) -> Stored:
        return Stored(self._size, self._hash.hexdigest())


def checked_key(key: str) -> str:
    """The key, unless it could lead out of the store."""
    parts = key.split("/")
    if "\\" in key or "\0" in key or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"not a key: {key!r}")
    return key


def missing(key: str) -> FileMissingError:
    """The exception for an unknown key."""
    return FileMissingError(f"the file {key} is no longer kept: upload or make it again")
