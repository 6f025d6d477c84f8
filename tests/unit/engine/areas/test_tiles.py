"""The schematic map: every district in force once, in its region; London as it lies."""

from __future__ import annotations

from core.engine.areas.compact import read_shipped
from core.engine.areas.tiles import LONDON, WALES, Block, blocks_of

BLOCKS = {block.code: block for block in blocks_of(read_shipped())}


def places(block: Block) -> dict[str, tuple[int | None, int | None]]:
    return {tile.name: (tile.row, tile.column) for tile in block.tiles}


def test_every_district_of_england_and_wales_stands_once() -> None:
    codes = [tile.code for block in BLOCKS.values() for tile in block.tiles]
    assert len(codes) == len(set(codes)) == 318
    assert {code[0] for code in codes} == {"E", "W"}
    assert len(BLOCKS) == 10
    assert len(BLOCKS[WALES].tiles) == 22


def test_districts_of_a_county_stand_in_its_region() -> None:
    east = [tile.name for tile in BLOCKS["E12000006"].tiles]
    assert {"Norwich", "Luton"} <= set(east)  # a district of a county, and one of its own
    assert east == sorted(east)
    assert "Aylesbury Vale" not in places(BLOCKS["E12000008"])  # ended in 2020


def test_londons_boroughs_lie_beside_their_neighbours() -> None:
    london = places(BLOCKS[LONDON])
    assert len(london) == len(set(london.values())) == 33
    neighbours = [("Enfield", "Haringey"), ("Hackney", "Tower Hamlets"), ("Merton", "Sutton")]
    for north, south in neighbours:
        (row, column), below = london[north], london[south]
        assert row is not None
        assert below == (row + 1, column)
