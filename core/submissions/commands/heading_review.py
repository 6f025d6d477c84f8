"""Whether a person looks at the headings of a file before it is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from core.engine.dataset.fields import heading_key
from core.engine.dataset.specification import Specification
from core.vocabulary.heading_look import Look

if TYPE_CHECKING:
    from core.engine.reading import Heading


def needs_review(
    look: Look,
    headings: Iterable[Heading],
    specification: Specification,
    remembered: Mapping[str, str | None],
) -> bool:
    """Whether a person must confirm the headings before the check.

    ``remembered`` are earlier choices of the provider: heading (as ``heading_key``) to column.
    """
    if look == Look.NEW:
        return any(is_new(each, specification, remembered) for each in headings)
    return look == Look.ALWAYS


def is_new(
    heading: Heading, specification: Specification, remembered: Mapping[str, str | None]
) -> bool:
    """Whether the heading is neither in the data set nor confirmed by a person."""
    key = heading_key(heading.heading)
    if not key or key in remembered:
        return False
    if heading.column is None:
        return True
    # The codes of a transposed file have no column; a person chose that it is transposed.
    return heading.column in specification.columns and heading_key(heading.column) != key
