"""The mark of a hidden number, and the note about it."""

from __future__ import annotations

HIDDEN = "*"


def hiding_note(limit: int) -> tuple[tuple[str, str], ...]:
    """The note on hidden numbers, as label and text; empty where none are hidden."""
    if not limit:
        return ()
    text = (
        f"{HIDDEN} stands for a number of charges below {limit}, or for one from which such a "
        "number could be worked out, and for the amount that goes with it."
    )
    return (("Small numbers", text),)
