"""What may be wrong with a row, as codes with their sentences; never with a value of the row."""

from __future__ import annotations

PROBLEMS = {
    "no-id": "it has no whole number as its id",
    "twice": "its id stands in the table more than once, with different content",
    "missing": "it is blank, and must not be",
    "not-text": "it is no text",
    "not-whole-number": "it is no whole number",
    "not-number": "it is no number",
    "not-money": "it is not pounds with at most two decimal places",
    "not-date": "it is no date (YYYY-MM-DD)",
    "below-zero": "it is below zero",
    "no-share": "it is more than the denominator, which no share can be",
    "unknown-date": "the date is unknown (1900 or 9999), and is needed",
    "not-month": "it is no month (YYYY-MM)",
    "not-moment": "it is no time (YYYY-MM-DDThh:mm:ssZ)",
    "not-boolean": "it is neither true nor false",
    "unknown-code": "it is none of the known codes",
    "not-values": "it is no list of fields with texts",
    "unknown-field": "it has a field that the data set does not have",
    "orphan": "it refers to {detail}, which is not here; the row waits for it",
    "loop": "it refers to itself, by way of others",
    "same": "{detail} has the same key",
    "taken": "what it stands for is here already, and not from the old service",
    "refused": "the database refuses it ({detail})",
    "parts": "{detail} that belongs to it is in error",
    "not-assembled": "it cannot be put together: {detail}",
}
"""``{detail}`` is a table with an id, or the name of a rule."""
