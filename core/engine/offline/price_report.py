"""The files of ``grouper price``: charges.csv and episodes.csv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.engine.areas.register import AreaRegister
from core.engine.calculation.episodes import Merged
from core.engine.calculation.groups import texts_of
from core.engine.calculation.stages import Calculation
from core.engine.columns.coded import Coded
from core.engine.columns.csv_injection import inert_texts
from core.engine.columns.csv_lines import (
    Cell,
    Order,
    Spaced,
    as_one,
    in_text_order,
    in_words,
    spaced,
    text_cells,
    write_csv,
)
from core.engine.columns.joins import (
    BLANK,
    all_blank,
    at_rows,
    coded,
    coded_together,
    distinct,
    joined,
)
from core.engine.dataset.fields import Field
from core.engine.dataset.specification import Specification

CHARGES = (
    "clinic_id", "patient_id", "attendance_date", "currency", "rate_type", "rate", "factor",
    "amount", "commissioner", "basis", "reason",
)  # fmt: skip
"""The columns of charges.csv."""
EPISODE_KEY = CHARGES[:3]


@dataclass(frozen=True)
class SortedKeys:
    """The key columns of the episodes, with their values and the rows in alphabetical order.

    An id that a spreadsheet would read as a formula gets an apostrophe, as in every csv.
    """

    columns: list[Coded]
    order: Order

    @classmethod
    def of(cls, merged: Merged) -> SortedKeys:
        keys = (coded(merged.episodes[name]) for name in merged.key_columns)
        columns = [in_text_order(Coded(key.codes, inert_texts(key.values))) for key in keys]
        return cls(columns, np.argsort(joined(columns)[0]))


def write_charges(path: Path, calculation: Calculation, keys: SortedKeys) -> None:
    """One row a charge (docs/formats.md), sorted by the first four columns as text."""
    charges, episode = calculation.charges, calculation.episode
    columns = {
        name: in_words(charges[name].to_numpy())
        if name in ("rate", "amount")
        else coded(charges[name])
        for name in CHARGES[3:]
    }
    cells = [
        column if name in ("rate", "amount") else text_cells(column)
        for name, column in columns.items()
    ]
    keyed = [text_cells(at_rows(column, episode)) for column in keys.columns]
    place = np.empty_like(keys.order)
    place[keys.order] = np.arange(len(place))
    currency = in_text_order(columns["currency"])
    order = np.argsort(place[episode] * (len(currency.values) + 1) + currency.codes)
    write_csv(path, CHARGES, [*keyed, as_one(cells[:5]), as_one(cells[5:7]), cells[7]], order)


def write_episodes(
    path: Path,
    calculation: Calculation,
    keys: SortedKeys,
    specification: Specification,
    register: AreaRegister,
) -> None:
    """One row an episode, sorted by its key as text.

    The key, LSOA and district, the codes of each coded field (those of several slots, or of several
    records of a group, with a space between), the number of records, the currencies charged and the
    total amount.
    """
    merged = calculation.merged
    episodes = merged.episodes
    cells: dict[str, Cell] = {
        name: text_cells(key) for name, key in zip(EPISODE_KEY, keys.columns, strict=True)
    }
    if merged.residence is not None:
        home = episodes[merged.residence]
        where = {"lsoa": coded(home), "district": coded(register.district_of(home))}
        cells |= {name: text_cells(column) for name, column in where.items()}
    fields = [field for field in specification.fields if field.is_coded]
    cells |= {
        field.name: _codes(merged, field) if field.group is None else _united(merged, field)
        for field in fields
    }
    cells["records"] = _numbers(episodes["records"].to_numpy())
    cells["currencies"] = _currencies(calculation)
    cells["amount"] = in_words(_amounts(calculation))
    write_csv(path, list(cells), list(cells.values()), keys.order)


def _codes(merged: Merged, field: Field) -> Spaced:
    """The codes of a field: the slots that hold any."""
    slots = coded_together([merged.episodes[column] for column in merged.slots[field.name]])
    return Spaced([slot for slot in slots if (slot.codes >= 0).any()] or slots[:1])


def _united(merged: Merged, field: Field) -> Coded:
    """The codes of a field of a group."""
    rows, count = merged.rows_of(field), merged.episodes.num_rows
    return text_cells(texts_of(rows, field.name, count, between=" "))


def _numbers(values: npt.NDArray[np.int32]) -> Coded:
    codes, first = distinct(values)
    return Coded(codes, pa.array(values[first]).cast(pa.string()))


def _currencies(calculation: Calculation) -> Coded:
    """The currencies that each episode is charged for: the same for all of a signature."""
    combined, codes = calculation.combined, pa.array(calculation.currencies)
    slots = []
    for number in range(int(combined.counts.max(initial=0))):
        there = combined.counts > number
        slot = np.full(len(there), BLANK, np.int32)
        slot[there] = combined.currency[combined.starts[there] + number]
        slots.append(Coded(slot, codes))
    if not slots:
        return all_blank(len(combined.signature))
    return Coded(combined.signature, spaced(slots, np.arange(len(combined.counts))))


def _amounts(calculation: Calculation) -> npt.NDArray[np.int64]:
    """The sum of the charges of each episode, in pence."""
    count = calculation.merged.episodes.num_rows
    ends = np.cumsum(np.bincount(calculation.episode, minlength=count))
    running = np.append(0, np.cumsum(calculation.charges["amount"].to_numpy()))
    return np.diff(running[ends], prepend=0)
