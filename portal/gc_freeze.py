"""Keeps the garbage collector from objects that never become garbage.

Streamlit collects after every run of a page. A collection over all imported modules took 0.1 s,
more than most pages take, and delayed every other visitor meanwhile.
"""

from __future__ import annotations

import gc
from functools import cache


@cache
def freeze_imported_objects() -> None:
    """Once all modules of the pages are imported, makes collections skip the objects so far."""
    gc.collect()
    gc.freeze()
