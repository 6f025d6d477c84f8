"""In which order tables are taken over: what is referred to comes before what refers to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.migration.reading.mapping import Mapping as TableMapping
from core.user_errors import UserError

Needs = Mapping[str, Collection[str]]


class CircularTables(UserError):
    """Tables that need each other; ``path`` begins and ends with the same one."""

    def __init__(self, path: list[str]) -> None:
        self.path = path
        super().__init__(
            f"the mapping goes in a circle: {' → '.join(path)}. Take out one of these references, "
            "or the `after` that closes the circle."
        )


def needs_of(mapping: TableMapping) -> dict[str, list[str]]:
    """For each table those that must come first. A table may refer to itself."""
    return {
        name: [
            other
            for other in dict.fromkeys(
                [*(str(each.to) for each in table.references.values()), *table.after]
            )
            if other != name
        ]
        for name, table in mapping.tables.items()
    }


def plan_of(mapping: TableMapping) -> list[str]:
    """All tables in order of dependency; raises ``CircularTables``."""
    return ordered(needs_of(mapping))


def ordered(needs: Needs) -> list[str]:
    """What is needed stands before what needs it, and otherwise the given order is kept.

    Raises ``CircularTables`` with the path of one circle.
    """
    done: dict[str, None] = {}
    for name in needs:
        _place(name, needs, done)
    return list(done)


def _place(first: str, needs: Needs, done: dict[str, None]) -> None:
    """Places a table after all that it needs. Chains may be longer than Python recurses."""
    way = {first: iter(needs[first])} if first not in done else {}
    while way:
        name = next(reversed(way))
        following = next((other for other in way[name] if other not in done), None)
        if following is None:
            done[name] = None
            del way[name]
        elif following in way:
            names = list(way)
            raise CircularTables([*names[names.index(following) :], following])
        else:
            way[following] = iter(needs[following])
