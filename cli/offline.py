"""What keeps the offline commands quick to start."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)
        return None


def keep_pandas_out() -> None:
    """Lets pyarrow look for pandas once and not find it, unless it is imported already.

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
