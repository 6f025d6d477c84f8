"""Maps between code lists: a code that means the same as a code of another list.

Statements see both; what is stored is what came (docs/formats.md, ``same_as``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BeforeValidator

from core.engine.dataset.fields import Field
from core.engine.dataset.snomed import is_snomed

CodeLists = Mapping[str, Mapping[str, str]]
Path = tuple[str | int, ...]


def _texts(value: object) -> object:
    """Codes as texts: one of digits alone may stand without quotes."""
    if not isinstance(value, dict):
        return value
    return {_text(key): _text(code) for key, code in value.items()}


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


CodeMap = Annotated[dict[str, str], BeforeValidator(_texts)]


def map_problems(
    maps: Mapping[str, Mapping[str, str]], fields: Sequence[Field], lists: CodeLists
) -> Iterator[tuple[Path, str]]:
    """What is wrong with maps and the fields that name them: the place, and the reason."""
    for name, codes in maps.items():
        yield from _foreign_codes(name, codes, lists)
    for number, field in enumerate(fields):
        if field.same_as is None:
            continue
        if field.same_as not in maps:
            text = f"{field.name!r} names the map {field.same_as!r}, which is not under `maps`"
            yield ("fields", number, "same_as"), text
            continue
        own = lists.get(field.codes or "", {})
        for code in maps[field.same_as]:
            if code not in own and not (field.type == "snomed" and _is_one(code)):
                what = "no SNOMED code" if field.type == "snomed" else f"not in {field.codes!r}"
                yield ("maps", field.same_as, code), f"{code!r} of {field.name!r} is {what}"


def _foreign_codes(
    name: str, codes: Mapping[str, str], lists: CodeLists
) -> Iterator[tuple[Path, str]]:
    """Codes of a map that are not all in one list."""
    wanted = set(codes.values())
    if not wanted:
        yield ("maps", name), f"the map {name!r} is empty"
        return
    if not lists:
        yield ("maps", name), f"the map {name!r} leads to codes of a list, but there is none"
        return
    nearest = target_list(codes, lists)
    for code, meant in codes.items():
        if meant not in lists[nearest]:
            yield ("maps", name, code), f"{meant!r} is not in the code list {nearest!r}"


def target_list(codes: Mapping[str, str], lists: CodeLists) -> str:
    """The list whose codes a map leads to: the first that has most of them."""
    wanted = set(codes.values())
    return max(lists, key=lambda name: len(wanted & lists[name].keys()))


def _is_one(code: str) -> bool:
    return bool(is_snomed(pa.array([code], pa.string()))[0])


def same_codes(values: pa.Array, codes: Mapping[str, str]) -> pa.Array:
    """For each value the code that means the same, null where there is none."""
    index = pc.index_in(values, value_set=pa.array(codes, pa.string()))
    return pa.array(codes.values(), pa.string()).take(index)
