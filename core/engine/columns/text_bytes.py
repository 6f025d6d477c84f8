"""Inspects all bytes of a column of texts at once, so that plain texts need no further work."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def bytes_of(texts: pa.Array) -> npt.NDArray[np.uint8]:
    """The bytes of all texts, one after the other; of a slice, those of the whole array."""
    content = texts.buffers()[2]
    return np.empty(0, np.uint8) if content is None else np.frombuffer(content, np.uint8)


def any_of(content: npt.NDArray[np.uint8], characters: bytes) -> bool:
    """Whether one of a few ASCII characters occurs."""
    return any((content == character).any() for character in characters)
