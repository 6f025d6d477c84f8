"""Sample activity in the layout of GUMCADv3: one row an activity, made of one row an episode."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.engine.areas.register import AreaRegister
from core.engine.columns.coded import Coded
from core.engine.columns.joins import coded, coded_together
from core.engine.dataset.specification import Specification, load_specification
from core.engine.samples.activity import make_activity
from core.engine.samples.faults import FAULTS, spoil

SPECIFICATION = Path(__file__).parent.parent / "dataset" / "library" / "sexual-health-2019.yaml"
LAYOUT = "GUMCADv3"
ACTIVITY, SITE, IDENTITY = "Episode_Activity", "Site", "Gender Identity"
IDENTITIES = {"1": "1", "2": "2", "9": "3", "X": "X"}
"""The identity drawn for people of each gender."""
_IN_THE_PLACE_OF = {"SHHAPT 1": ACTIVITY, "Gender": IDENTITY}


def make_activity_rows(
    rows: int, provider: str, month: datetime.date, seed: int, errors: float = 0.0
) -> pa.Table:
    """``rows`` records of one activity each, coded, blanks null.

    They are the activities of the episodes that ``make_activity`` makes of the same seed; the last
    of these may lack some. A share ``errors`` of the rows gets one error of mixed kinds.
    """
    specification = load_specification(SPECIFICATION).in_layout(LAYOUT)
    table = one_row_an_activity(make_activity(rows, provider, month, seed), specification)
    columns = {name: coded(table[name].slice(0, rows)) for name in table.column_names}
    faults = [(_IN_THE_PLACE_OF.get(name, name), text) for name, text in FAULTS]
    spoiled = spoil(columns, errors, np.random.Generator(np.random.PCG64([seed, 1])), faults)
    return pa.table({name: column.to_array() for name, column in spoiled.items()})


def one_row_an_activity(episodes: pa.Table, specification: Specification) -> pa.Table:
    """A row for each SHHAPT code, and for each code of SRH care, as a SNOMED CT code."""
    activity, episode = _activities(episodes, specification)
    rest = episodes.take(pa.array(episode))
    home = AreaRegister.shipped().district_of(rest["LSOA"].combine_chunks())
    made = {
        ACTIVITY: activity.to_array(),
        SITE: _in_words(activity, _site),
        IDENTITY: _in_words(coded(rest["Gender"]), IDENTITIES.get),
        "Local Authority": coded(home).to_array(),
        "Consultation Type": _in_words(coded(rest["Organisation ID"]), lambda _: "01"),
    }
    kept = [name for name in specification.columns if name in rest.column_names]
    kept = [name for name in kept if not name.startswith("SRH Care Activity") and name != "Gender"]
    cells = {name: rest[name] for name in kept} | made
    return pa.table({name: cells[name] for name in specification.columns if name in cells})


def _activities(
    episodes: pa.Table, specification: Specification
) -> tuple[Coded, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The codes of all slots, episode by episode, and the episode of each."""
    same = specification.same_as(specification.by_name[ACTIVITY])
    snomed = {code: identifier for identifier, code in same.items()}
    columns = [
        _in_words(coded(episodes[name]), snomed.get if name.startswith("SRH") else str)
        for name in episodes.column_names
        if name.startswith(("SHHAPT ", "SRH Care Activity "))
    ]
    slots = coded_together(columns)
    filled = [np.flatnonzero(slot.codes >= 0) for slot in slots]
    episode = np.concatenate(filled)
    codes = np.concatenate([slot.codes[at] for slot, at in zip(slots, filled, strict=True)])
    order = np.argsort(episode, kind="stable")
    values = next(slot.values for slot in slots if len(slot.values))
    return Coded(codes[order].astype(np.int32), values), episode[order]


def _in_words(column: Coded, word: Callable[[str], str | None]) -> pa.DictionaryArray:
    """The column with another text, or none, for each value."""
    texts = pa.array([word(value) for value in column.values.to_pylist()], pa.string())
    return column.with_values(texts).to_array()


def _site(code: str) -> str | None:
    """The site that the end of a SHHAPT code means."""
    return code[-1] if len(code) > 1 and code[-1] in "RO" else None
