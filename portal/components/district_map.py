"""A schematic map of clinics: each district is a square with the number of clinics it hosts.

The map is drawn from the register alone; nothing is fetched from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.engine.areas.tiles import Block, Tile

_HERE = Path(__file__)
_KEY = "district-map"

_map = st.components.v2.component(
    "district_map",
    html=_HERE.with_suffix(".html").read_text(),
    css=_HERE.with_suffix(".css").read_text(),
    js=_HERE.with_suffix(".js").read_text(),
)


def district_map(blocks: Sequence[Block], counts: Mapping[str, int]) -> str | None:
    """Shows the map; returns the code of the chosen district, or None."""
    chosen = st.session_state.get(_KEY, {}).get("chosen")
    data = {"blocks": [_block(block, counts) for block in blocks], "chosen": chosen}
    result: Any = _map(key=_KEY, data=data, on_chosen_change=lambda: None)
    code: str | None = result.chosen
    return code


def _block(block: Block, counts: Mapping[str, int]) -> dict[str, Any]:
    tiles = [_tile(tile, counts.get(tile.code, 0)) for tile in block.tiles]
    return {"code": block.code, "name": block.name, "tiles": tiles}


def _tile(tile: Tile, count: int) -> list[Any]:
    return [tile.code, tile.name, count, tile.row, tile.column]
