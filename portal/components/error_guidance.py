"""Advice where to mend errors: a few causes here, many or recurring ones at the source."""

from __future__ import annotations

from collections.abc import Sequence

from core.submissions.error_cause import Cause

MANY_CAUSES = 60
LARGE_SHARE = 0.5

HERE = (
    "Put these right here: each value is corrected once for all its rows, and remembered for your "
    "next file."
)
SHAPE = (
    "Mend this in the file and upload it again: it is about the file's shape, not about single "
    "values."
)
SOURCE = (
    "There are many causes. If your system writes these values each month, mend them there and "
    "upload the file again; otherwise put them right here."
)


def guide(records: int, errors: int, causes: Sequence[Cause]) -> str:
    """One or two sentences of advice, for these numbers of records and errors."""
    if all(cause.first_row is None for cause in causes):
        return SHAPE
    if len(causes) > MANY_CAUSES or (errors > LARGE_SHARE * records and len(causes) > 1):
        return SOURCE
    return HERE
