"""Whether a person looks at the headings of a file before it is checked."""

from __future__ import annotations

from enum import StrEnum


class Look(StrEnum):
    """When a file waits, with matched headings, for a person to confirm or change them."""

    NEVER = "never"
    NEW = (
        "new"  # if a heading is not the data set's own and its provider never confirmed one for it
    )
    ALWAYS = "always"
