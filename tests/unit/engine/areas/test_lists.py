"""Lists that people keep by hand: what would join or hide a line is refused with its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.areas.lists import read_list
from core.user_errors import UserError

HEADINGS = "clinic_id,commissioner"


@pytest.mark.parametrize(
    ("lines", "row"),
    [
        ([HEADINGS, "A,E09000001", '"B,E09000001', 'C",E09000001', "D,E09000001"], 3),
        ([HEADINGS, 'A,"E09000001', 'B,E09000001"'], 2),
        ([HEADINGS, "A,E09000001", 'B,"E09000001', "C,E09000001"], 3),
        ([HEADINGS, 'A,"E09000001"x', "B,E09000001"], 2),
        ([HEADINGS + ",note", 'A,E09000001,"a', 'B,E09000001,b"', "C,E09000001,c"], 2),
        ([HEADINGS + ',"note', 'A,E09000001,b"', "B,E09000001,c"], 1),
        ([HEADINGS, "A,E09000001", "B\0,E09000001"], 3),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_that_is_joined_to_others_is_refused_with_its_row(
    tmp_path: Path, lines: list[str], row: int, end: str
) -> None:
    path = tmp_path / "clinics.csv"
    path.write_bytes(end.join([*lines, ""]).encode())
    with pytest.raises(UserError, match=f"row {row}:"):
        read_list(path, ("clinic_id", "commissioner"))


def test_quoted_cells_are_read(tmp_path: Path) -> None:
    path = tmp_path / "clinics.csv"
    path.write_text('"clinic_id","commissioner\n"\n"A, 1","E09000001"\n', encoding="utf-8")
    rows, columns = read_list(path, ("clinic_id", "commissioner"))
    assert (rows, columns) == ([2], {"clinic_id": ["A, 1"], "commissioner": ["E09000001"]})
