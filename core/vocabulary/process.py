"""States and what may follow what, declared once for the code, the database and the docs.

A process is a class of python-statemachine, whose states are an enumeration; the library refuses
declarations with states that nothing leads to or out of. Rows are moved by
``core.database.moving``, triggers in the database hold the same transitions, and docs/states.md
draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from statemachine import StateChart

from core.vocabulary.labelled_enum import Worded


class State(Worded):
    """A state of something, as the database names it, with the text that a user reads beside it."""


class Process(StateChart[Any]):
    """States and the transitions between them; a class attribute each, named by what happens."""


@dataclass(frozen=True)
class Machine:
    """A process whose rows stand in a table."""

    name: str
    process: type[Process]
    table: str | None = None  # None: it has no rows yet
    stopped: frozenset[State] = frozenset()
    """States in which somebody must act before it goes on."""
    settled: frozenset[State] = frozenset()
    """States in which nothing that failed before matters any more."""

    @cached_property
    def follows(self) -> dict[str, frozenset[str]]:
        """The states that may follow each state."""
        return {
            state.value: frozenset(transition.target.value for transition in state.transitions)
            for state in self.process.states
        }

    @cached_property
    def first(self) -> str:
        """The state of a new row."""
        return str(next(state.value for state in self.process.states if state.initial))

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, in the order of declaration."""
        return tuple(self.follows)

    def sources(self, target: str) -> tuple[str, ...]:
        """The states from which ``target`` may be reached."""
        return tuple(sorted(state for state, targets in self.follows.items() if target in targets))
