"""Files that almost are what they should be: those of the corpora with something done to them."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"

_TOKENS = [
    b'"', b"'", b"\0", b"\r", b"\n", b"\r\r\n", b",", b";", b"\t", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\x81", b"\xe2\x80\x8b", b"\x1a", b"sep=;\n", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;",
    b"&x;", b"<!DOCTYPE x>", b'r="XFD1048576"', b'r="A0"', b't="e"', b't="s"', b't="str"',
    b's="99999"', b"<v>", b"</v>", b"<v/>", b"<f>1</f>", b"</c>", b"<c>", b"</row>", b"<row>",
    b"</sheetData>", b"_x0000_", b"_xD800_", b"1e999", b"-1", b"99999999999999999999", b"NaN",
    b"\xee\x80\x80", b"\xee\x80\x86", b"#RAGGED!", b"#TWICE! a", b"\xff\xff\xff\xff",
]  # fmt: skip


def corpus() -> list[Path]:
    """The files to begin with, each kind in its turn."""
    found = [
        *DATA.glob("odd-files/*.*"),
        *DATA.glob("calamine/*.xlsx"),
        *DATA.glob("frictionless/*"),
    ]
    kinds = (".csv", ".xlsx", ".xls")
    return sorted(path for path in found if path.suffix in kinds and path.stat().st_size < 40_000)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The content with some of its bytes changed; of an archive, perhaps those of a part."""
    if content[:2] == b"PK" and chance.random() < 0.8:
        try:
            return _with_mutated_part(content, chance)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError):
            pass
    return _mutated_bytes(content, chance)


def _with_mutated_part(content: bytes, chance: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        names = [name for name in old.namelist() if name.endswith((".xml", ".rels"))]
        read = [name for name in names if "sheet" in name or "hared" in name or "tyles" in name]
        chosen = chance.choice(read or names)
        for name in old.namelist():
            part = old.read(name)
            if name == chosen:
                part = _mutated_bytes(part, chance)
            if chance.random() > 0.02:
                new.writestr(name, part)
    return out.getvalue()


def _mutated_bytes(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(changed) + 1)
        length = chance.choice((1, 2, 4, 16, 64))
        match chance.randrange(6):
            case 0 if at < len(changed):
                changed[at] = chance.randrange(256)
            case 1:
                changed[at:at] = chance.choice(_TOKENS)
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = changed[at : at + length]
            case 4:
                changed[at : at + length] = chance.choice(_TOKENS)
            case _:
                other = chance.randrange(len(changed) + 1)
                changed[at:at] = changed[other : other + length]
    return bytes(changed)
