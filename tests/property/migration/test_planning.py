"""The order of tables, for any graph of what needs what."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.migration.reading.planning import CircularTables, ordered

NAMES = tuple("abcdefgh")


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Any graph, with and without circles."""
    chosen = st.lists(st.sampled_from(NAMES), unique=True, max_size=4)
    return {
        name: [other for other in draw(chosen) if other != name]
        for name in draw(st.permutations(NAMES))
    }


@st.composite
def trees(draw: st.DrawFn) -> dict[str, list[str]]:
    """Graphs without a circle, in any order."""
    needs = {
        name: draw(st.lists(st.sampled_from(NAMES[:place]), unique=True)) if place else []
        for place, name in enumerate(NAMES)
    }
    return {name: needs[name] for name in draw(st.permutations(NAMES))}


@given(graphs())
def test_what_is_needed_comes_first_or_the_circle_is_shown(needs: dict[str, list[str]]) -> None:
    try:
        found = ordered(needs)
    except CircularTables as circular:
        path = circular.path
        assert path[0] == path[-1]
        assert len(set(path)) == len(path) - 1 >= 1
        assert all(after in needs[before] for before, after in pairwise(path))
        assert " → ".join(path) in str(circular)
    else:
        assert sorted(found) == sorted(needs)
        assert all(
            found.index(other) < found.index(name) for name in needs for other in needs[name]
        )


@given(trees())
def test_without_a_circle_there_is_always_an_order(needs: dict[str, list[str]]) -> None:
    assert sorted(ordered(needs)) == sorted(needs)


@settings(max_examples=5)
@given(st.integers(2000, 5000))
def test_chains_may_be_longer_than_python_recurses(length: int) -> None:
    needs = {f"t{place}": [f"t{place + 1}"] for place in range(length)} | {f"t{length}": []}
    assert ordered(needs)[0] == f"t{length}"
    with pytest.raises(CircularTables):
        ordered(needs | {f"t{length}": ["t0"]})
