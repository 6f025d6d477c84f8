"""Whether a person looks at the headings of a file before it is checked."""

from __future__ import annotations

from enum import StrEnum


class Look(StrEnum):
    """When a file waits, its headings matched, for somebody to confirm or change them."""

    NEVER = "never"
    NEW = "new"  # where a heading is not the data set's own, and its provider never said what it is
    ALWAYS = "always"
