"""A schematic map of England and Wales: regions as blocks, each district a square in its own.

The shipped register holds no coordinates, and no outlines are fetched from elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.areas.kinds import DISTRICTS, kind_of

WALES = "W92000004"
LONDON = "E12000007"
_LONDON_BOROUGHS = """
    .  .  .  .  10 .  .  .
    .  .  15 03 14 31 .  .
    17 09 05 07 19 12 26 16
    18 13 20 33 01 30 25 02
    .  27 32 22 28 23 11 04
    .  21 24 08 06 .  .  .
    .  .  29 .  .  .  .  .
"""
"""The boroughs (E090000..) as they lie to each other: west to the left, each beside neighbours."""


@dataclass(frozen=True)
class Tile:
    """A district; its row and column within the block where it has a place of its own."""

    code: str
    name: str
    row: int | None = None  # from 1
    column: int | None = None


@dataclass(frozen=True)
class Block:
    """A region of England, or Wales, with its districts in force."""

    code: str
    name: str
    tiles: tuple[Tile, ...]


def blocks_of(rows: pa.Table) -> list[Block]:
    """The map from the rows of a register (``compact.SCHEMA``): London's boroughs as they lie to
    each other, elsewhere districts by name."""
    kinds = ("region", "country", "county", *DISTRICTS)
    held = pc.and_(pc.is_null(rows["until"]), pc.is_null(rows["ends"]))
    in_force = pc.and_(held, _are_of(rows["code"], kinds))
    columns = (rows.filter(in_force)[name].to_pylist() for name in ("code", "name", "parent"))
    areas = {code: (name, parent) for code, name, parent in zip(*columns, strict=True)}
    tiles = defaultdict[str, list[Tile]](list)
    for code, (name, _) in areas.items():
        block = _block_of(code, areas) if kind_of(code) in DISTRICTS else None
        if block is not None:
            tiles[block].append(Tile(code, name, *_place_of(code)))
    return [
        Block(code, areas[code][0], tuple(sorted(districts, key=lambda tile: tile.name)))
        for code, districts in sorted(tiles.items())
    ]


def _are_of(codes: pa.ChunkedArray, kinds: tuple[str, ...]) -> pa.ChunkedArray:
    prefixes = pc.utf8_slice_codeunits(codes, 0, 3)
    fitting = [prefix for prefix in pc.unique(prefixes).to_pylist() if kind_of(prefix) in kinds]
    return pc.is_in(prefixes, value_set=pa.array(fitting, pa.string()))


def _block_of(code: str, areas: dict[str, tuple[str, str | None]]) -> str | None:
    """The region, or Wales, that an area lies in; None where neither is above it."""
    ancestor: str | None = code
    for _ in range(len(DISTRICTS)):
        if ancestor is None or ancestor == WALES or kind_of(ancestor) == "region":
            return ancestor
        ancestor = areas[ancestor][1] if ancestor in areas else None
    return None


def _place_of(code: str) -> tuple[int, int] | tuple[None, None]:
    return _london().get(code, (None, None))


def _london() -> dict[str, tuple[int, int]]:
    lines = _LONDON_BOROUGHS.split("\n")[1:-1]
    return {
        f"E090000{number}": (row, column)
        for row, line in enumerate(lines, start=1)
        for column, number in enumerate(line.split(), start=1)
        if number != "."
    }
