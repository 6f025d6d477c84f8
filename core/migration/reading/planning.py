"""The order in which tables are taken over: a table comes after those that it refers to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.migration.reading.mapping import Mapping as TableMapping
from core.user_errors import UserError

Needs = Mapping[str, Collection[str]]


class CircularTables(UserError):
    """Tables that depend on each other; ``path`` begins and ends with the same one."""

    def __init__(self, path: list[str]) -> None:
        self.path = path
        super().__init__(
            f"the mapping goes in a circle: {' → '.join(path)}. Take out one of these references, "
            "or the `after` that closes the circle."
        )


def needs_of(mapping: TableMapping) -> dict[str, list[str]]:
    """For each table, the tables that must come first. A table may refer to itself."""
    return {
        name: [
            earlier
            for earlier in dict.fromkeys(
                [*(str(each.to) for each in table.references.values()), *table.after]
            )
            if earlier != name
        ]
        for name, table in mapping.tables.items()
    }


def plan_of(mapping: TableMapping) -> list[str]:
    """All tables in order of dependency; raises ``CircularTables``."""
    return ordered(needs_of(mapping))


def ordered(needs: Needs) -> list[str]:
    """The names in topological order; the given order is kept where dependencies allow it.

    Raises ``CircularTables`` with the path of one circle.
    """
    done: dict[str, None] = {}
    for name in needs:
        _place(name, needs, done)
    return list(done)


def _place(first: str, needs: Needs, done: dict[str, None]) -> None:
    """Places a table after all that it needs; not recursive, for chains may be long."""
    path = {first: iter(needs[first])} if first not in done else {}
    while path:
        name = next(reversed(path))
        following = next((other for other in path[name] if other not in done), None)
        if following is None:
            done[name] = None
            del path[name]
        elif following in path:
            names = list(path)
            raise CircularTables([*names[names.index(following) :], following])
        else:
            path[following] = iter(needs[following])
