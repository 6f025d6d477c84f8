"""The merged records of a run: its episodes, one chunk of the run at a time."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from core.engine.calculation.episodes import merge_records, with_groups
from core.engine.dataset.specification import Specification
from core.submissions.commands.run_chunks import read_records
from core.submissions.commands.run_inputs import RunInputs


def read_episodes(connection: Connection, run: RunInputs, chunk: int, *, labels: bool) -> pa.Table:
    """The episodes of a chunk: a coded column for each of the layout, then ``records``.

    With ``labels`` a listed code is written as its label. A field of a group has all its values of
    the episode in one cell.
    """
    specification = run.specification
    records = read_records(connection, run, chunk, list(specification.columns))
    merged = merge_records(records, specification)
    if not labels:
        return with_groups(merged, specification)
    words = {field.name: specification.codes_of(field) for field in specification.fields}
    return _labelled(with_groups(merged, specification, words=words), specification)


def _labelled(episodes: pa.Table, specification: Specification) -> pa.Table:
    for name, field in specification.columns.items():
        codes = {} if field.group else specification.codes_of(field)
        if codes and name in episodes.column_names:
            at = episodes.column_names.index(name)
            episodes = episodes.set_column(at, name, _in_words(episodes[name], codes))
    return episodes


def _in_words(column: pa.ChunkedArray, codes: dict[str, str]) -> pa.ChunkedArray:
    """Each code as its label; a value that is not listed is unchanged."""
    chunks = [
        pa.DictionaryArray.from_arrays(
            chunk.indices,
            pa.array(
                [codes.get(code) or code for code in chunk.dictionary.to_pylist()], pa.string()
            ),
        )
        for chunk in column.chunks
    ]
    return pa.chunked_array(chunks, column.type)


def columns_of(parts: list[pa.Schema]) -> list[str]:
    """The columns of all parts: the layout's, then further slots of united codes, then records."""
    names: dict[str, None] = {}
    for schema in sorted(parts, key=len, reverse=True):
        names |= dict.fromkeys(schema.names)
    names.pop("records", None)
    return [*names, "records"]


def widened(episodes: pa.Table, names: list[str]) -> pa.Table:
    """The columns of ``names``; columns that this part lacks are blank."""
    blank = pa.nulls(episodes.num_rows, pa.string())
    have = set(episodes.column_names)
    return pa.table({name: episodes[name] if name in have else blank for name in names})


def count_records(episodes: pa.Table) -> int:
    """The number of records from which the episodes were merged."""
    return int(pc.sum(episodes["records"]).as_py() or 0)
