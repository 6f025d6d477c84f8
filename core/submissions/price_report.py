"""The files of ``grouper price``: charges.csv and episodes.csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.areas.register import AreaRegister
from core.datasets.coded import Coded
from core.datasets.specification import Field, Specification
from core.submissions.calculation import Calculation
from core.submissions.coded import coded, distinct, together
from core.submissions.csv_lines import (
    Cell,
    Spaced,
    as_cells,
    as_one,
    in_words,
    text_order,
    write_csv,
)
from core.submissions.episodes import Merged

CHARGES = (
    "clinic_id", "patient_id", "attendance_date", "currency", "rate_type", "rate", "factor",
    "amount", "commissioner", "basis", "reason",
)  # fmt: skip
"""The columns of charges.csv."""
SORTED_BY = CHARGES[:4]
EPISODE_KEY = CHARGES[:3]


def write_charges(path: Path, charges: pa.Table) -> None:
    """One row a charge (docs/formats.md), sorted by the first four columns as text."""
    columns = {
        name: in_words(charges[name].to_numpy())
        if name in ("rate", "amount")
        else coded(charges[name])
        for name in CHARGES
    }
    order = text_order([columns[name] for name in SORTED_BY])
    cells = [as_cells(column) for column in columns.values()]
    write_csv(
        path, CHARGES, [*cells[:3], as_one(cells[3:8]), as_one(cells[8:10]), cells[10]], order
    )


def write_episodes(
    path: Path, calculation: Calculation, specification: Specification, register: AreaRegister
) -> None:
    """One row an episode, sorted by its key as text.

    The key, LSOA and district, the codes of each coded field (those of several slots with a space
    between), the number of records, the currencies charged and the total amount.
    """
    merged = calculation.merged
    episodes = merged.episodes
    keys = [coded(episodes[name]) for name in merged.key_columns]
    fields = [field for field in specification.fields if field.type == "code"]
    cells: dict[str, Cell] = {
        name: as_cells(key) for name, key in zip(EPISODE_KEY, keys, strict=True)
    }
    if merged.residence is not None:
        cells["lsoa"] = as_cells(coded(episodes[merged.residence]))
        cells["district"] = as_cells(coded(register.district_of(episodes[merged.residence])))
    cells |= {field.name: _codes(merged, field) for field in fields}
    cells["records"] = _numbers(episodes["records"].to_numpy())
    cells["currencies"] = as_cells(_currencies(calculation))
    cells["amount"] = in_words(_amounts(calculation))
    write_csv(path, list(cells), list(cells.values()), text_order(keys))


def _codes(merged: Merged, field: Field) -> Spaced:
    """The codes of a field: the slots that hold any."""
    slots = together([merged.episodes[column] for column in merged.slots[field.name]])
    return Spaced([slot for slot in slots if (slot.codes >= 0).any()] or slots[:1])


def _numbers(values: npt.NDArray[np.int32]) -> Coded:
    codes, first = distinct(values)
    return Coded(codes, pa.array(values[first]).cast(pa.string()))


def _currencies(calculation: Calculation) -> Coded:
    """The currencies that each episode is charged for: the same for all of a signature."""
    combined, codes = calculation.combined, calculation.currencies
    ends = combined.starts + combined.counts
    charged = [
        " ".join(codes[place] for place in combined.currency[start:end].tolist())
        for start, end in zip(combined.starts.tolist(), ends.tolist(), strict=True)
    ]
    return Coded(combined.signature, pa.array(charged, pa.string()))


def _amounts(calculation: Calculation) -> npt.NDArray[np.int64]:
    """What the charges of each episode come to, in pence."""
    count = calculation.merged.episodes.num_rows
    ends = np.cumsum(np.bincount(calculation.episode, minlength=count))
    running = np.append(0, np.cumsum(calculation.charges["amount"].to_numpy()))
    return np.diff(running[ends], prepend=0)
