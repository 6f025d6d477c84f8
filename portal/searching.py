"""Searching what a page shows: every word that was typed stands somewhere in it."""

from __future__ import annotations


def words_of(search: str) -> list[str]:
    """What was typed, as words to look for; case does not count."""
    return search.casefold().split()


def fits(wanted: list[str], *texts: str) -> bool:
    """Whether every word stands somewhere in the texts."""
    said = " ".join(texts).casefold()
    return all(word in said for word in wanted)
