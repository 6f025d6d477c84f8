"""How a hidden number looks, and what the notes say of it."""

from __future__ import annotations

HIDDEN = "*"


def hiding_note(limit: int) -> tuple[tuple[str, str], ...]:
    """What a reader must know of hidden numbers; nothing where none are hidden."""
    if not limit:
        return ()
    text = (
        f"{HIDDEN} stands for a number of charges below {limit}, or for one from which such a "
        "number could be worked out, and for the amount that goes with it."
    )
    return (("Small numbers", text),)
