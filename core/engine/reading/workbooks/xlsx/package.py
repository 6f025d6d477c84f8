"""An xlsx as a zip archive: its parts, unpacked in blocks and counted as they come.

The sizes that an archive declares may be wrong, so bytes are counted as they are unpacked.
"""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from core.engine.dataset.problems import finding
from core.engine.reading.refusal import RefusedError, unreadable

UNPACKED_LIMIT = 3 << 30
"""Bytes that the parts of a workbook may unpack to; a million full records need less."""
BLOCK = 1 << 20
_SMALL = 16 << 20  # workbook.xml and relationships are far below
DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # a way of compression that Python's reader does not know
    LookupError,
    OSError,
    ValueError,
    RecursionError,
    ElementTree.ParseError,
)
"""The exceptions of the readers of zip and XML for damaged files."""

_OTHER_KINDS = {
    "workbook.bin": "a binary Excel workbook (xlsb)",
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint presentation",
    "content.xml": "an OpenDocument file",
}


@contextmanager
def damage_refused() -> Iterator[None]:
    """Turns the exceptions of readers over a damaged file into a finding."""
    try:
        yield
    except _DAMAGE as error:
        raise unreadable(_plain(error)) from error
    except RuntimeError as error:  # how zipfile asks for a password
        raise RefusedError(finding("encrypted-file")) from error


class Package:
    """The parts of an xlsx by name, without regard to case; raises ``RefusedError``."""

    def __init__(self, path: Path) -> None:
        with damage_refused():
            self._archive = zipfile.ZipFile(path)
        self._names = {
            name.replace("\\", "/").lower().lstrip("/"): name for name in self._archive.namelist()
        }
        self._unpacked = 0
        self._refuse_other_kinds()
        self.workbook = next(name for name in self._names if name.endswith("workbook.xml"))

    def has(self, name: str) -> bool:
        """Whether there is such a part."""
        return name.lower() in self._names

    def blocks(self, name: str, size: int = BLOCK) -> Iterator[bytes]:
        """The content of a part."""
        with damage_refused(), self._archive.open(self._names[name.lower()]) as part:
            while block := part.read(size):
                self._unpacked += len(block)
                if self._unpacked > UNPACKED_LIMIT:
                    raise RefusedError(finding("unreadable-file/too-big", limit="3 GB"))
                yield block

    def root(self, name: str) -> ElementTree.Element:
        """A small part as a tree; declarations, which could attack an XML reader, are refused."""
        with damage_refused():
            with self._archive.open(self._names[name.lower()]) as part:
                text = part.read(_SMALL + 1)
            if len(text) > _SMALL:
                raise RefusedError(finding("unreadable-file/too-big", limit="16 MB of names"))
            refuse_declarations(text)
            return ElementTree.fromstring(text)  # noqa: S314 - without declarations it is harmless

    def close(self) -> None:
        """Closes the file."""
        self._archive.close()

    def _refuse_other_kinds(self) -> None:
        if any(entry.flag_bits & 1 for entry in self._archive.infolist()):
            raise RefusedError(finding("encrypted-file"))
        if any(name.endswith("workbook.xml") for name in self._names):
            return
        for end, kind in _OTHER_KINDS.items():
            if any(name.endswith(end) for name in self._names):
                raise RefusedError(finding("wrong-file-type", kind=kind))
        raise RefusedError(finding("wrong-file-type", kind="a zip archive"))


def refuse_declarations(text: bytes) -> None:
    """Raises ``RefusedError`` where the text declares a document type or an entity."""
    # in UTF-16 every other byte is NUL
    if DECLARATION.search(text) or DECLARATION.search(text.replace(b"\0", b"")):
        raise RefusedError(finding("unreadable-file/declares-entities"))


def local(name: str) -> str:
    """The name of an element or attribute without its namespace, of which there are several."""
    return name.rsplit("}", 1)[-1]


def _plain(error: Exception) -> str:
    # These say in words what they met: the disk, or a compression that the reader does not know.
    if isinstance(error, OSError | NotImplementedError) and str(error):
        return str(error).strip().rstrip(".")
    return "parts of the file are missing or broken"
