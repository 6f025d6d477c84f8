"""A file store on a small disk of its own, that can be filled to its last byte."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

SIZE = "64m"
SMALL = 1 << 30
"""So small a shared memory may be filled: that of a container, in which nobody else lives."""
SHARED_MEMORY = Path("/dev/shm")


@dataclass
class Disk:
    """A folder on a disk; ``ours`` if the disk holds nothing else, so that it may be filled."""

    folder: Path
    ours: bool

    @property
    def ballast(self) -> Path:
        return self.folder / ".ballast"

    def fill(self) -> None:
        """Leaves no room for another byte."""
        with self.ballast.open("wb") as file:
            while free := shutil.disk_usage(self.folder).free:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)

    def free_space(self) -> None:
        """As an operator does."""
        self.ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk at ``folder`` if this process may mount one, or else in a small shared memory; at
    last an ordinary folder that must not be filled."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode == 0:
        try:
            yield Disk(folder, ours=True)
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    elif SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).total <= SMALL:
        with TemporaryDirectory(dir=SHARED_MEMORY) as shared:
            yield Disk(Path(shared), ours=True)
    else:
        yield Disk(folder, ours=False)
