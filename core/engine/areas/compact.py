"""The register as a file: a csv, compressed where its name ends in .gz.

One row an area. Rows before it have the same code with an earlier name or parent, and
``until``, the last day on which it held. Dates are ISO and inclusive; blank is unknown or open.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from core.engine.areas.kinds import PREFIXES
from core.engine.areas.lists import refuse

LIBRARY = Path(__file__).parent / "library"
SHIPPED = LIBRARY / "register.csv.gz"

_CODED = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("code", pa.string()),
        ("name", pa.string()),
        ("name_welsh", pa.string()),
        ("parent", _CODED),
        ("begins", pa.date32()),
        ("ends", pa.date32()),
        ("since", pa.date32()),  # first day of this name and parent
        ("until", pa.date32()),  # last day; null: the name and parent of today
        ("successors", pa.string()),  # codes with a space between
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
    ]
)
HEADINGS = SCHEMA.names


def packed(rows: Iterable[Sequence[str]]) -> bytes:
    """The bytes of the file; equal rows make equal bytes."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADINGS, *rows])
    return gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)


def write_register(path: Path, table: pa.Table) -> None:
    """Writes a table of ``SCHEMA``, today's row of each area after its earlier ones."""
    key = pc.fill_null(table["until"], pa.scalar(2**31 - 1, pa.int32()).cast(pa.date32()))
    order = pc.sort_indices(
        pa.table({"code": table["code"], "until": key}),
        sort_keys=[("code", "ascending"), ("until", "ascending")],
    )
    texts = [column.cast(pa.string()).fill_null("").to_pylist() for column in table.take(order)]
    body = packed(zip(*texts, strict=True))
    path.write_bytes(body if path.suffix == ".gz" else gzip.decompress(body))


def read_shipped(columns: Sequence[str] = HEADINGS) -> pa.Table:
    """These columns of the register that ships with the product."""
    return _read(SHIPPED, columns)


def read_register(path: Path) -> pa.Table:
    """A register that a user supplies; raises ``UserError`` with file and row."""
    try:
        table = _read(path, HEADINGS)
    except KeyError as error:
        refuse(path, 1, f"no column {error.args[0]}; the headings are {','.join(HEADINGS)}")
    except pa.ArrowInvalid as error:
        refuse(path, None, f"the file is not readable ({_first_line(error)})")
    except OSError as error:
        refuse(path, None, f"the file cannot be opened ({error.strerror or _first_line(error)})")
    _contradictions(path, table)
    return table


def _read(path: Path, columns: Sequence[str]) -> pa.Table:
    options = pacsv.ConvertOptions(
        column_types={field.name: field.type for field in SCHEMA},
        include_columns=list(columns),
        strings_can_be_null=True,
    )
    table = pacsv.read_csv(path, convert_options=options)
    return table.unify_dictionaries().combine_chunks()


def _contradictions(path: Path, table: pa.Table) -> None:
    today = table.filter(pc.is_null(table["until"]))
    _refuse_first(path, table, pc.is_null(table["code"]), "the code is blank; fill it in")
    _refuse_first(path, table, pc.is_null(table["name"]), "the name is blank; fill it in")
    prefix = pc.utf8_slice_codeunits(table["code"], 0, 3)
    known = pc.is_in(prefix, value_set=pa.array(list(PREFIXES)))
    _refuse_first(path, table, pc.invert(known), "the code is of no kind that the register holds")
    counts = pc.value_counts(today["code"].combine_chunks())
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    doubled = pc.and_(pc.is_null(table["until"]), pc.is_in(table["code"], value_set=twice))
    _refuse_first(path, table, doubled, "the area has two rows of today; give one of them `until`")
    parent = table["parent"].cast(pa.string())
    missing = pc.and_(
        pc.is_valid(parent), pc.invert(pc.is_in(parent, value_set=today["code"].combine_chunks()))
    )
    _refuse_first(path, table, missing, "the parent is not in the file; add its row")


def _refuse_first(path: Path, table: pa.Table, wrong: pa.ChunkedArray, text: str) -> None:
    place = pc.index(wrong.fill_null(True), True).as_py()
    if place >= 0:
        code = table["code"][place].as_py() or "?"
        refuse(path, place + 2, f"{code}: {text}")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
