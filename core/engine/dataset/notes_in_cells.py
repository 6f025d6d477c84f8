"""Texts that stand in a cell for what it could not hold: names of errors, and notes.

The copy of a file in which wrong cells are marked (core/engine/offline/marked_copy.py) writes the
notes, so that the copy, checked again as it is, says what the file said. Who mends a cell
overwrites them.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from core.engine.columns.as_read import text_as_read
from core.engine.columns.text_bytes import any_of, bytes_of

NO_RESULT = "#NO-RESULT!"
"""A formula follows whose result was not in the file."""
STANDS_TWICE = "#TWICE!"
"""What follows stood in one cell at once."""
RAGGED = "#RAGGED!"
"""The row had too many cells or too few, or could not be told apart."""

NOT_AVAILABLE = "#N/A"
"""Excel's error for “not available”, which people write as a text too."""

_ENGLISH = (
    "NULL!|DIV/0!|VALUE!|REF!|NAME\\?|NUM!|N/A|GETTING_DATA|SPILL!|CALC!|FIELD!|BLOCKED!|BUSY!"
    "|CONNECT!|UNKNOWN!|EXTERNAL!|PYTHON!|TIMEOUT!|CIRCULAR!|ERROR!|MACRO\\?"
)
_OTHER_LANGUAGES = (
    "NV|N/D|N/DISP|N/V|N/B|N/T|I/T|MV|NB|YOK|HIÁNYZIK|HIÁNY|NEDOSTUPNÝ|NEDOSTUPNÉ"
    "|NENÍ_K_DISPOZICI|Н/Д|НД|Δ/Υ|Δ/Δ|לא זמין|לא ישים|غير متوفر"
)
"""“Not available”, which ends without a sign: German, French, Spanish, Italian, Portuguese, Polish,
Slovene, Dutch, Danish, Norwegian, Turkish, Hungarian, Slovak, Czech, Russian, Greek and others."""

_NAMES = (
    f"^(?i:#(?:{_ENGLISH}|{_OTHER_LANGUAGES}))$"
    r"|^#[¡¿]?\p{Lu}[\p{Lu}\p{Lo}0-9/_.]*[!?]$"  # in any language: #BEZUG!, #¡REF!, #ИМЯ?
    r"|^#\p{Lu}+(?:_\p{Lu}+)+$"  # data on their way, in any language
    r"|^(?i:err|error|fehler|erreur|errore|fout|błąd|ошибка|fel|erro):[0-9]{3}$"  # LibreOffice
    "|^#ERROR! "
)
NARROW = "^##+$"
"""What a column shows that is too narrow for its number or date."""


def error_names(texts: pa.Array) -> pa.Array:
    """Which texts, trimmed, are names of errors of a spreadsheet, of any program and language."""
    return pc.fill_null(pc.match_substring_regex(texts, _NAMES), False)


def may_be_notes(values: pa.Array) -> bool:
    """Whether any of the texts may be a name of an error or a note."""
    return any_of(bytes_of(values), b"#:")


def is_note(text: str) -> bool:
    """Whether a workbook's cell with this text says something else than the text."""
    bare = text_as_read(text) if "#" in text or ":" in text else ""
    if not bare or text.lstrip().startswith("'"):
        return False
    if bare.startswith((NO_RESULT, STANDS_TWICE, RAGGED)):
        return True
    one = pa.array([bare])
    return bool(error_names(one)[0].as_py() or pc.match_substring_regex(one, NARROW)[0].as_py())
