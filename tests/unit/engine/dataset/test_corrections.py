"""Right values for wrong ones, in the order in which people made them."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine.columns.coded import CODED
from core.engine.columns.marks import (
    DATE_CELL,
    ERROR_CELL,
    FROM_TEXT,
    FROM_WORKBOOK,
    TYPED,
    is_marked,
)
from core.engine.dataset.corrections import Correction, apply_corrections, is_right_everywhere
from core.engine.dataset.fields import Field

Value = str | None


def chunk(*values: Value, first_row: int = 2, **metadata: dict[bytes, bytes]) -> pa.Table:
    """Rows of one field, beside another that no correction touches."""
    table = pa.table(
        {
            "row": pa.array(range(first_row, first_row + len(values)), pa.int32()),
            "Code": pa.array(values, CODED),
            "Other": pa.array(values, CODED),
        }
    )
    return table.replace_schema_metadata(metadata.get("metadata"))


def corrected(table: pa.Table, *corrections: Correction) -> list[Value]:
    found = apply_corrections(table, corrections)
    assert found["Other"].equals(table["Other"])
    assert found["row"].equals(table["row"])
    assert found.schema.equals(table.schema, check_metadata=True)
    return found["Code"].to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("correction", "expected"),
    [
        (Correction("Code", "T4A", "T4"), ["T4", "T2", "T4", None, "T4"]),
        (Correction("Code", "T4A", "T4", row=4), ["T4A", "T2", "T4", None, "T4"]),
        (Correction("Code", "T4A", "T4", row=3), ["T4A", "T2", "T4A", None, "T4"]),
        (Correction("Code", "T4A", None), [None, "T2", None, None, "T4"]),
        (Correction("Code", None, "T7"), ["T4A", "T2", "T4A", "T7", "T4"]),
        (Correction("Code", None, "T7", row=2), ["T4A", "T2", "T4A", None, "T4"]),
        (Correction("Code", "t4a", "T4"), ["T4A", "T2", "T4A", None, "T4"]),
        (Correction("Code", "gone", "T4"), ["T4A", "T2", "T4A", None, "T4"]),
    ],
)
def test_one_correction(correction: Correction, expected: list[Value]) -> None:
    assert corrected(chunk("T4A", "T2", "T4A", None, "T4"), correction) == expected


def test_white_space_around_a_value_does_not_count() -> None:
    table = chunk(" T4A", "T4A\u00a0", "T4 A", "   ")
    both = (Correction("Code", "T4A", "T4"), Correction("Code", None, "T2"))
    assert corrected(table, *both) == ["T4", "T4", "T4 A", "T2"]


def test_corrections_follow_each_other() -> None:
    table = chunk("A", "B", "C")
    there, back = Correction("Code", "A", "B"), Correction("Code", "B", "C", row=2)
    assert corrected(table, there, back) == ["C", "B", "C"]
    assert corrected(table, back, there) == ["B", "B", "C"]


def test_a_later_chunk_knows_its_own_rows() -> None:
    table = chunk("A", "A", first_row=50_002)
    assert corrected(table, Correction("Code", "A", "B", row=50_003)) == ["A", "B"]
    assert corrected(table, Correction("Code", "A", "B", row=3)) == ["A", "A"]


def test_an_empty_chunk_stays_empty() -> None:
    assert corrected(chunk(), Correction("Code", None, "B")) == []


def test_a_column_in_pieces_is_corrected_whole() -> None:
    pieces = pa.concat_tables([chunk("A", "B"), chunk("C", "A", first_row=4)])
    assert corrected(pieces, Correction("Code", "A", "Z")) == ["Z", "B", "C", "Z"]


@pytest.mark.parametrize("origin", [FROM_WORKBOOK, FROM_TEXT])
def test_in_typed_cells_a_correction_stands_as_a_date_cell_would(
    origin: dict[bytes, bytes],
) -> None:
    table = chunk(f"{ERROR_CELL}#N/A", f"{DATE_CELL}2017-04-03", "#N/A", metadata=origin)
    found = apply_corrections(table, [Correction("Code", "#N/A", "2017-04-04")])
    assert is_marked(found)
    day = f"{TYPED}2017-04-04"
    assert found["Code"].to_pylist() == [day, f"{DATE_CELL}2017-04-03", day]


def by_hand(values: list[Value], corrections: list[Correction]) -> list[Value]:
    """Row by row, as a person would."""
    found = list(values)
    for row in range(len(found)):
        for each in corrections:
            if each.row in (None, row + 2) and found[row] == each.wrong:
                found[row] = each.value
    return found


SOME = st.sampled_from([None, "A", "B", "C"])


@given(
    values=st.lists(SOME, max_size=8),
    corrections=st.lists(
        st.builds(Correction, st.just("Code"), SOME, SOME, st.none() | st.integers(2, 9)),
        max_size=6,
    ),
)
def test_any_corrections_of_any_values(values: list[Value], corrections: list[Correction]) -> None:
    assert corrected(chunk(*values), *corrections) == by_hand(values, corrections)


@pytest.mark.parametrize(
    ("field", "wrong", "everywhere"),
    [
        (Field(name="Code", type="code", codes="codes"), "T4A", True),
        (Field(name="Code", type="code", codes="codes"), None, False),
        (Field(name="LSOA", type="lsoa", role="residence"), "E0100", True),
        (Field(name="Date", type="date", role="date", required=True), "3/4/2017", True),
        (Field(name="Clinic", role="clinic", required=True), "C 1", True),
        (Field(name="Clinic", role="clinic", required=True), " ", False),
        (Field(name="Patient", role="patient", required=True), "1E5", False),
        (Field(name="Age", type="integer"), "x", False),
        (Field(name="Notes"), "x", False),
    ],
    ids=str,
)
def test_what_is_right_in_every_row(field: Field, wrong: str | None, everywhere: bool) -> None:
    assert is_right_everywhere(field, wrong) is everywhere
