"""Keeps the garbage collector away from what never becomes garbage.

Streamlit collects after every run of a page. To walk all that the portal has imported took 0.1 s
each time, more than most pages take, and held up every other visitor meanwhile.
"""

from __future__ import annotations

import gc
from functools import cache


@cache
def spare_what_is_imported() -> None:
    """Once, when all modules of the pages are there: from now on only newer objects are walked."""
    gc.collect()
    gc.freeze()
