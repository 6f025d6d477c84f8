"""Rules over whole columns against the same rules written for one value."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from core.engine.columns.coded import Coded
from core.engine.dataset.corrections import Correction, apply_corrections
from core.engine.dataset.dates import days_of
from core.engine.dataset.spelling import listed_spelling
from core.engine.reading.transposing import slots_of

codes = st.text(st.sampled_from("01aAé"), min_size=1, max_size=4)
values = st.lists(st.none() | st.text(st.sampled_from("ab \t"), max_size=3), max_size=12)


@given(listed=st.lists(codes, min_size=1, max_size=6, unique=True), value=codes)
def test_a_code_is_found_exactly_then_by_case_then_as_a_number(
    listed: list[str], value: str
) -> None:
    found = listed_spelling(pa.array([value]), pa.array(listed))[0].as_py()
    assert found == one_spelling(value, listed)


def one_spelling(value: str, listed: list[str]) -> str | None:
    def number(text: str) -> int | None:
        return int(text) if re.fullmatch("[0-9]+", text) else None

    if value in listed:
        return value
    for code in listed:
        if code.lower() == value.lower():
            return code
    for code in listed:
        if number(value) is not None and number(code) == number(value):
            return code
    return None


dates = st.dates(datetime.date(1600, 1, 1)).map(str)
near_dates = st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True)


@given(text=dates | near_dates | st.text(st.sampled_from("0123456789-T /"), max_size=12))
def test_a_date_is_what_the_calendar_has_and_nothing_else(text: str) -> None:
    try:
        day = datetime.datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
        wanted = day if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        wanted = None
    if text.startswith("0000"):  # no year of the calendar; outside every range anyway
        return
    (found,) = days_of(pa.array([text])).tolist()
    assert found == wanted


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 4)), max_size=30))
def test_merging_slot_by_slot_gives_the_codes_of_an_episode_in_order(
    rows: list[tuple[int, int]],
) -> None:
    episodes = np.array([episode for episode, _ in rows], dtype=np.int64)
    held = np.array([code for _, code in rows], dtype=np.int64)
    slots = slots_of(episodes, held)
    for episode in set(episodes.tolist()):
        merged: dict[int, int] = {}
        for (at, code), slot in zip(rows, slots.tolist(), strict=True):
            if at == episode and code >= 0:
                merged[slot] = code
        in_order = list(dict.fromkeys(c for at, c in rows if at == episode and c >= 0))
        assert [merged[slot] for slot in sorted(merged)] == in_order
        assert sorted(merged) == list(range(len(in_order)))


@given(values)
def test_a_coded_column_is_the_column(cells: list[str | None]) -> None:
    coded = Coded.from_column(pa.chunked_array([pa.array(cells, pa.string()).dictionary_encode()]))
    assert coded.to_array().to_pylist() == cells
    same = coded.with_values(pa.repeat(pa.scalar("x"), len(coded.values)))
    assert same.to_array().to_pylist() == [None if cell is None else "x" for cell in cells]
    assert len(same.values) <= 1


@given(values, st.none() | st.sampled_from(["a", "b", "ab"]), st.none() | st.just("c"))
def test_a_correction_reaches_every_cell_that_holds_the_wrong_value(
    cells: list[str | None], wrong: str | None, right: str | None
) -> None:
    rows = pa.array(range(2, len(cells) + 2), pa.int32())
    chunk = pa.table({"row": rows, "A": pa.array(cells, pa.string()).dictionary_encode()})
    corrected = apply_corrections(chunk, [Correction("A", wrong, right)])
    expected = [right if ((cell or "").strip() or None) == wrong else cell for cell in cells]
    assert corrected["A"].to_pylist() == expected
