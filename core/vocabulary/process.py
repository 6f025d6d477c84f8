"""States and transitions, declared once for the code, the database and the docs.

A process is a class of python-statemachine, whose states are an enumeration; the library refuses
declarations with unreachable states or dead ends. Rows are moved by
``core.database.moving``, triggers in the database hold the same transitions, and docs/states.md
draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from statemachine import StateChart

from core.vocabulary.labelled_enum import LabelledEnum


class State(LabelledEnum):
    """A state, as the database names it, with the text that a user reads."""


class Process(StateChart[Any]):
    """States and transitions; each transition is a class attribute named after what happens."""


@dataclass(frozen=True)
class Machine:
    """A process and the table with its rows."""

    name: str
    process: type[Process]
    table: str | None = None  # None: it has no rows yet
    stopped: frozenset[State] = frozenset()
    """States in which a person must act before it continues."""
    settled: frozenset[State] = frozenset()
    """States in which earlier failures no longer matter."""

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
