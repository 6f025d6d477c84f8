"""Which of a data set's layouts a file has: told by its headings, and never guessed.

A layout fits where its required columns are there. Of those that fit, the file has the one that
understands every heading that another understands; where none does, the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.engine.dataset.matched_headings import Layout
from core.engine.dataset.problems import finding


def chosen_layout(tried: Sequence[Layout]) -> Layout:
    """The layout that a file has; where it has none the nearest, with findings on what it lacks."""
    fitting = [layout for layout in tried if not layout.missing]
    fitting = [layout for layout in fitting if layout.transposed is not None] or fitting
    if not fitting:
        return min(tried, key=_lacks)
    understood = frozenset[int]().union(*(layout.understood for layout in fitting))
    whole = [layout for layout in fitting if layout.understood == understood]
    strictest = [
        layout for layout in whole if all(layout.required >= other.required for other in whole)
    ]
    return strictest[0] if strictest else _refused(whole or fitting)


def _lacks(layout: Layout) -> tuple[int, int]:
    """The nearest layout lacks least, then understands most."""
    missing = sum(each["code"] == "missing-column" for each in layout.findings)
    return missing, -len(layout.understood)


def _refused(fitting: Sequence[Layout]) -> Layout:
    """The first of several layouts, with the finding that it could be another."""
    common = frozenset.intersection(*(layout.understood for layout in fitting))
    told_apart = []
    for layout in fitting:
        own = [f"“{layout.headings[at].heading}”" for at in sorted(layout.understood - common)]
        if own:
            told_apart.append(f"{', '.join(own)} would be read as {layout.name} alone")
    mending = "add a column that only one of them has"
    if told_apart:
        mending = f"{'; '.join(told_apart)}; leave out the columns of all but one"
    several = finding(
        "missing-column/several-layouts",
        layouts=" and ".join(str(layout.name) for layout in fitting),
        mending=mending,
    )
    return replace(fitting[0], findings=[several])
