"""Whether a person looks at the headings of a file before it is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from core.engine.dataset.fields import heading_key
from core.engine.dataset.specification import Specification
from core.vocabulary.heading_look import Look

if TYPE_CHECKING:
    from core.engine.reading import Heading


def wants_look(
    look: Look,
    headings: Iterable[Heading],
    specification: Specification,
    remembered: Mapping[str, str | None],
) -> bool:
    """``remembered``: what the provider chose before, heading (as ``heading_key``) to column."""
    if look == Look.NEW:
        return any(is_new(each, specification, remembered) for each in headings)
    return look == Look.ALWAYS


def is_new(
    heading: Heading, specification: Specification, remembered: Mapping[str, str | None]
) -> bool:
    """Whether nobody has said yet what the heading stands for: not the data set, nor a person."""
    key = heading_key(heading.heading)
    if not key or key in remembered:
        return False
    if heading.column is None:
        return True
    # The codes of a transposed file stand in no column; that it is one was somebody's choice.
    return heading.column in specification.columns and heading_key(heading.column) != key
