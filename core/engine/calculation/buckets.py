"""Buckets: all records of an episode are in the same bucket, whichever file they came from.

The bucket depends on the text of the key alone, so it is the same in every run, on every machine
and for every order of values; it is stored beside the record and must never change.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.engine.columns.joins import Words, coded
from core.engine.dataset.specification import Specification

BUCKETS = 1024

_BASE = np.uint64(0x100000001B3)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_SHIFT = np.uint64(64 - 10)  # the ten highest bits: 0 … 1023


def bucket_of(
    records: pa.Table, specification: Specification
) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """The bucket of each record, 0 … 1023, as int16."""
    key_hash = np.zeros(records.num_rows, np.uint64)
    for column in specification.key_columns:
        part = coded(records[column])
        hashes = np.append(
            _hash_texts(part.values), np.uint64(0)
        )  # the code -1, a blank, selects the last
        key_hash = _mix(key_hash + hashes[part.codes])
    return (key_hash >> _SHIFT).astype(np.int16)


def _hash_texts(values: pa.StringArray) -> Words:
    """A hash of the UTF-8 bytes of each text: Σ (byte + 1) × base^place, mixed; modulo 2^64."""
    count = len(values)
    if count == 0:
        return np.empty(0, np.uint64)
    _, offsets_buffer, bytes_buffer = values.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32)[values.offset : values.offset + count + 1]
    octets = np.frombuffer(bytes_buffer or b"", np.uint8)[offsets[0] : offsets[-1]]
    lengths = np.diff(offsets)
    starts = offsets[:-1] - offsets[0]
    place = np.arange(len(octets)) - np.repeat(starts, lengths)
    powers = _powers(int(lengths.max()))
    sums = np.zeros(len(octets) + 1, np.uint64)
    np.cumsum((octets.astype(np.uint64) + np.uint64(1)) * powers[place], out=sums[1:])
    return _mix(sums[starts + lengths] - sums[starts])


def _powers(count: int) -> Words:
    bases = np.full(count + 1, _BASE, np.uint64)
    bases[0] = 1
    return np.cumprod(bases, dtype=np.uint64)


def _mix(words: Words) -> Words:
    """Spreads every bit over the whole word (the finisher of splitmix64)."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    mixed: Words = words ^ (words >> np.uint64(31))
    return mixed
