"""The headings of a file, matched: which column of the data set each stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, NamedTuple

from core.engine.dataset.fields import Field


class Heading(NamedTuple):
    """A heading as uploaded, and its column.

    ``column`` is a column of the standard layout; the field's name for the column of codes of a
    transposed file; None where nothing matches.
    """

    heading: str
    column: str | None


@dataclass(frozen=True)
class Layout:
    """The headings of a file, matched.

    ``columns``: for each column of the file its column in the standard layout or None; the codes
    of a transposed file stand in the first slot until they are transposed. A slot that the data
    set does not have is called as it would be, and stands in ``beyond`` with its field.
    """

    headings: list[Heading]
    columns: list[str | None]
    findings: list[dict[str, Any]]
    transposed: Field | None
    beyond: Mapping[str, Field] = dataclass_field(default_factory=dict)
    column_of: Callable[[str], str | None] = str
    name: str | None = None
    """Which of the data set's layouts it is; None where the data set has none."""
    required: frozenset[str] = frozenset()
    """The fields without which there is no file of this layout."""

    @property
    def missing(self) -> bool:
        """Whether a required column is not there."""
        return any(each["code"] == "missing-column" for each in self.findings)

    @property
    def understood(self) -> frozenset[int]:
        """The places of the headings that stand for a column."""
        return frozenset(at for at, column in enumerate(self.columns) if column is not None)
