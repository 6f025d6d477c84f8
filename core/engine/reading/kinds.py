"""What kind of file it is, told by its first bytes and never by its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from core.engine.dataset.problems import finding
from core.engine.reading.compound import inspect_compound

Kind = Literal["text", "xlsx", "xls"]

_HEAD = 512
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a pdf document"),
    (b"\x89PNG", "a picture (png)"),
    (b"\xff\xd8\xff", "a picture (jpeg)"),
    (b"GIF8", "a picture (gif)"),
    (b"II*\0", "a picture (tiff)"),
    (b"MM\0*", "a picture (tiff)"),
    (b"RIFF", "a picture, sound or film (riff)"),
    (b"\x1f\x8b", "a compressed file (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "a compressed archive (7z)"),
    (b"Rar!", "a compressed archive (rar)"),
    (b"{\\rtf", "a text document (rtf)"),
    (b"SQLite format 3", "a database"),
    (b"PAR1", "a parquet file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype html|html|head|body|table|\?xml|svg)\b", re.IGNORECASE)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(path: Path) -> Kind | dict[str, Any]:
    """The kind of an activity file, or the finding that it is none.

    A zip archive counts as xlsx until ``package`` has looked inside.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_ZIP):
        return "xlsx"
    if head.startswith(_OLE2):
        return inspect_compound(path) or "xls"
    for signature, kind in _SIGNATURES:
        if head.startswith(signature) and not (kind == "a program" and b"\0" not in head):
            return finding("wrong-file-type", kind=kind)
    if _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")):
        return finding("wrong-file-type", kind="a web page or XML document")
    return "text"
