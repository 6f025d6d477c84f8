"""Searches the texts of a page: a text fits if it has every word that was typed."""

from __future__ import annotations


def words_of(search: str) -> list[str]:
    """The words that were typed, without regard to case."""
    return search.casefold().split()


def fits(search_words: list[str], *texts: str) -> bool:
    """Whether the texts together have every word."""
    text = " ".join(texts).casefold()
    return all(word in text for word in search_words)
