"""Sentences that account for every row, record and episode; their numbers add up."""

from __future__ import annotations

from core.counting import counted


def rows_in_words(there: int, read: int, in_error: int, left_out: int) -> str:
    """Of the rows of a file: those read without error, in error, and left out."""
    return (
        f"{counted(there, 'row')} in the file: "
        f"{read:,} read, {in_error:,} in error, {left_out:,} left out"
    )


def records_in_words(records: int, episodes: int) -> str:
    """Of the records that were calculated: the episodes they are, and those merged into one."""
    return (
        f"{counted(records, 'record')}: {counted(episodes, 'episode')}, "
        f"{records - episodes:,} merged into the episode of an earlier one"
    )


def episodes_in_words(episodes: int, charged: int, charges: int) -> str:
    """Of the episodes: those with charges, and those of which the tariff charges nothing."""
    return (
        f"{counted(episodes, 'episode')}: {charged:,} with {counted(charges, 'charge')}, "
        f"{episodes - charged:,} that no currency of the tariff fits"
    )
