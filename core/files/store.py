"""Where files are kept: a folder of this machine, or a bucket of any S3 service."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from core.settings import Settings
from core.settings import settings as current_settings
from core.user_errors import UserError

BLOCK = 1 << 20
HIDDEN = ".part-"  # files that are still being written


class FileMissingError(UserError):
    """No file is kept under the key."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was put: bytes and their SHA-256 in hexadecimal."""

    size: int
    sha256: str


class FileStore(Protocol):
    """Files under keys such as ``uploads/12/activity.csv``; a key that is not there raises
    ``FileMissingError``."""

    def put(self, key: str, stream: IO[bytes]) -> Stored:
        """Keeps all of ``stream`` in constant memory; readers see the file whole or not at all."""

    def open(self, key: str) -> IO[bytes]:
        """A stream of the file's bytes, to be closed by the caller."""

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """The file on this machine's disk, for as long as the context lasts. Not to be changed."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin with ``prefix``, in order."""

    def delete(self, key: str) -> None:
        """Removes the file, if it is there."""

    def size(self, key: str) -> int:
        """The file's size in bytes."""

    def presigned(self, key: str, filename: str, seconds: int) -> str | None:
        """A URL of the service itself that saves the file as ``filename``; None: it has none."""


def open_store(settings: Settings | None = None) -> FileStore:
    """The store that ``GROUPER_FILES_URL`` names; by default the folder ``files`` of the home."""
    settings = settings or current_settings()
    url = settings.files_url
    if url is None:
        return FolderStore(settings.home / "files")
    scheme, separator, rest = url.partition("://")
    if scheme == "s3" and rest:
        from core.files.s3 import s3_store  # boto3 costs a third of a second

        return s3_store(settings, rest)
    if separator and scheme != "file":
        raise UserError(f"GROUPER_FILES_URL is {url!r}: it must be a folder or s3://bucket/prefix")
    return FolderStore(Path(rest if separator else url))


class FolderStore:
    """Files in a folder; keys are paths below it."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def put(self, key: str, stream: IO[bytes]) -> Stored:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=HIDDEN, delete=False) as part:
            try:
                reader = HashingReader(stream)
                shutil.copyfileobj(reader, part, BLOCK)
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).replace(path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        return reader.stored()

    def open(self, key: str) -> IO[bytes]:
        with _missing_as_user_error(key):
            return self._path(key).open("rb")

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        if not path.is_file():
            raise missing(key)
        yield path

    def list(self, prefix: str = "") -> Iterator[str]:
        found = (path for path in self.root.rglob("*") if path.is_file())
        keys = (
            path.relative_to(self.root).as_posix()
            for path in found
            if not path.name.startswith(HIDDEN)
        )
        return iter(sorted(key for key in keys if key.startswith(prefix)))

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def size(self, key: str) -> int:
        with _missing_as_user_error(key):
            return self._path(key).stat().st_size

    def presigned(self, key: str, filename: str, seconds: int) -> str | None:  # noqa: ARG002
        """A folder has no server of its own: the portal serves its signed links."""
        return None

    def _path(self, key: str) -> Path:
        return self.root / checked_key(key)


class HashingReader:
    """Passes a stream on, and knows at its end how much it was and its hash."""

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
    return FileMissingError(f"the file {key} is no longer kept: upload or make it again")


@contextmanager
def _missing_as_user_error(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise missing(key) from error
