"""Cells of a sheet as columns, however the file holds them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.int32]


class Cells(NamedTuple):
    """Filled cells in the order of the file: row and column from 1, and the text of each."""

    rows: Numbers
    columns: Numbers
    texts: pa.Array
