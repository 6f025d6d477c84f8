"""Errors that a person can mend, as opposed to bugs.

Every error that a user may see is a ``UserError``; anything else that is raised is a bug.
"""

from __future__ import annotations

from dataclasses import dataclass


class UserError(Exception):
    """A clear sentence for a person: what is wrong, where, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem in a document that people write, such as a specification or a configuration."""

    place: str  # file:line, as editors understand it
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class DocumentError(UserError):
    """A document was refused; carries every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
