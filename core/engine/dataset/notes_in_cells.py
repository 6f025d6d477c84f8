"""Texts that stand in a cell for what it could not hold: names of errors, and notes.

The copy of a file in which wrong cells are marked (core/engine/offline/marked_copy.py) writes the
notes, so that the copy, checked again as it is, says what the file said. Who mends a cell
overwrites them.
"""

from __future__ import annotations

import re

NO_RESULT = "#NO-RESULT!"
"""A formula follows whose result was not in the file."""
STANDS_TWICE = "#TWICE!"
"""What follows stood in one cell at once."""
RAGGED = "#RAGGED!"
"""The row had too many cells or too few, or could not be told apart."""

ERROR_NAME = r"^#(?:[A-Z][A-Z0-9/_]*[!?]|N/A|GETTING_DATA)$|^#ERROR! "
"""Errors of Excel, those of linked data, Python and dynamic arrays among them."""

NARROW = "^##+$"
"""What a column shows that is too narrow for its number or date."""

_NOTE = re.compile(f"{ERROR_NAME}|{NARROW}|^(?:{NO_RESULT}|{STANDS_TWICE}|{RAGGED})", re.IGNORECASE)


def is_note(text: str) -> bool:
    """Whether a workbook's cell with this text says something else than the text."""
    return bool(_NOTE.match(text))
