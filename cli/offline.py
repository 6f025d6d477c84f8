"""Measures that keep the offline commands quick to start, and quiet."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path

from core.user_errors import UserError


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)
        return None


def keep_pandas_out() -> None:
    """Makes pyarrow believe that pandas is not installed, unless it is imported already.

    The first array that pyarrow makes out of Python values imports pandas, which takes longer
    than all a small check does; pyarrow remembers what it found. Call this before core is
    imported, in processes of the command line only.
    """
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        import pyarrow as pa

        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def quiet_readers() -> Iterator[None]:
    """Keeps what readers of damaged files print away from the user, who is told in a finding.

    A reader written in Rust prints its own trace before Python hears of it. If Python itself
    fails here, which is a bug, what was kept is shown after all.
    """
    with tempfile.TemporaryFile() as captured:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            captured.seek(0)
            os.write(stderr, captured.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)


def refuse_overwriting(results: Iterable[Path], inputs: Iterable[Path | None]) -> None:
    """Raises ``UserError`` where a result would take the place of a file that is read."""
    read = [path for path in inputs if path is not None]
    for result in results:
        if result.exists() and any(result.samefile(path) for path in read):
            text = "the results would take the place of this file, which is read"
            raise UserError(f"{result}: {text}; name another folder with --out.")
