"""A document that cannot be read is the mistake of who named it, and says so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.documents import parse_document, read_document
from core.user_errors import DocumentError


def test_a_document_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"nowhere\.yaml: cannot be read"):
        read_document(tmp_path / "nowhere.yaml")


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(tmp_path)


@pytest.mark.parametrize(
    "number",
    ["010", "0x1F", "0b11", "1:30", "1:30.5", "1_000", "1.0e+3", "1.5E-7", "1.", ".inf",
     "-.inf", ".nan", "-010"],
)  # fmt: skip
def test_numbers_that_people_do_not_write_are_refused_with_their_line(number: str) -> None:
    for text in (f"a: 1\nb: {number}\n", f"a:\n  - {number}\n", f"a:\n  {number}: x\n"):
        with pytest.raises(DocumentError, match=r"a\.yaml:[12]: write .* as a decimal number"):
            parse_document(text, name="a.yaml")


def test_decimal_numbers_are_exact_and_texts_are_texts() -> None:
    text = 'a: [0, -5, 12, 1.05, .5, 0.12345678901234567890, "010", 1e25, 0o17, 08, 2017-04]\n'
    assert parse_document(text, name="a.yaml").data["a"] == [
        0, -5, 12, Decimal("1.05"), Decimal("0.5"), Decimal("0.12345678901234567890"),
        "010", "1e25", "0o17", "08", "2017-04",
    ]  # fmt: skip
