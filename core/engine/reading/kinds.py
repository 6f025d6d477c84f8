"""What kind of file it is, told by its first bytes and never by its name."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Any, Literal

from core.engine.columns.as_read import INVISIBLE_CHARACTER as INVISIBLE
from core.engine.dataset.problems import finding
from core.engine.reading.workbooks.xls.compound import inspect_compound

Kind = Literal["text", "xlsx", "xls"]

_HEAD = 4096
_BLANK_HEAD = 1 << 20
"""Bytes of nothing that may stand before what a file is."""
_BLANK = b" \t\r\n\v\f\0\xef\xbb\xbf\xff\xfe"
"""White space and byte order marks, in any encoding."""
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
_SKIPPED = r"(?>\s++|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z))*+"
_WEB_PAGE = re.compile(
    _SKIPPED + r"<(?:!doctype\s+html|(?:html|head|body|table|thead|tbody|tr|td|style|script|meta|"
    r"title|link|base|div|span|p|br|font|center|b|h[1-6]|ul|ol|form|frameset|col|colgroup|caption|th|"
    r"hr|a|i|u|img|pre|small|strong|em|header|main|section|nav|article|iframe|noscript|input|label)\b)",
    re.IGNORECASE | re.DOTALL,
)
_PAGE_WITHIN = re.compile(
    r"<(?:html|table)(?:\s[^<>]*)?>\s*(?:<!--.*?-->\s*)*<(?:head|body|caption|col|colgroup|thead|tbody|tr|"
    r"meta|title|style|script|td|th)\b",
    re.IGNORECASE | re.DOTALL,
)
"""A web page that something stands above."""
_XML = re.compile(r"\s*<(?:\?xml\b|!doctype\b|svg\b|[\w.-]+(?::[\w.-]+)?\s+xmlns)", re.IGNORECASE)
_MAIL = re.compile(r"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?mime-version\s*:", re.IGNORECASE)
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_BLANK_TEXT = " \t\r\n\v\f\xa0\ufeff\xef\xbb\xbf"
"""Also a mark of UTF-8 that stands below white space, read as Latin-1."""
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(path: Path) -> Kind | dict[str, Any]:
    """The kind of an activity file, or the finding that it is none.

    A zip archive counts as xlsx until ``package`` has looked inside.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        while len(head) < _BLANK_HEAD and not head.strip(_BLANK) and (more := file.read(_HEAD)):
            head += more
        head += file.read(_HEAD)
    if head.startswith(_ZIP):
        return "xlsx"
    if head.startswith(_OLE2):
        return inspect_compound(path) or "xls"
    for signature, kind in _SIGNATURES:
        if head.startswith(signature) and not (kind == "a program" and b"\0" not in head):
            return finding("wrong-file-type", kind=kind)
    markup = _markup_in(_text_of(head).lstrip(_BLANK_TEXT))
    return finding("wrong-file-type", kind=markup) if markup else "text"


def _markup_in(text: str) -> str | None:
    if _WEB_PAGE.match(text) or _PAGE_WITHIN.search(text) or _MAIL.match(text.lstrip()):
        return "a web page"
    return "an XML document" if _XML.match(text) else None


def _text_of(head: bytes) -> str:
    """The text of a file's first bytes; what is no text does not matter here."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, "ignore")
    if head[:2] in (b"<\0", b"\0<"):
        return head.decode("utf-16-le" if head[:1] == b"<" else "utf-16-be", "ignore")
    try:
        return INVISIBLE.sub("", codecs.getincrementaldecoder("utf-8")().decode(head))
    except UnicodeDecodeError:
        return head.decode("latin-1")
