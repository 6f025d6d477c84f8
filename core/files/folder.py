"""Files in a folder of this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.files.contract import BLOCK, HashingReader, Stored, checked_key, missing

HIDDEN = ".part-"  # files that are still being written


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
        paths = (path for path in self.root.rglob("*") if path.is_file())
        keys = (
            path.relative_to(self.root).as_posix()
            for path in paths
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


@contextmanager
def _missing_as_user_error(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise missing(key) from error
