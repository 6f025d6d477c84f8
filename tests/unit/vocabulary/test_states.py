"""What is declared of states: which follow which, what users read, and the page that shows it."""

from __future__ import annotations

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from core.settings import PROJECT
from core.vocabulary.process import Machine, State
from core.vocabulary.state_machines import MACHINES, states_page
from core.vocabulary.states.submissions import FILE_MACHINE, STAGES, SUBMISSION_MACHINE, FileState

each_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)


@each_machine
def test_every_state_has_a_sentence_for_its_user(machine: Machine) -> None:
    for state in machine.process.states:
        assert isinstance(state.value, State)
        assert state.value.text.endswith(".")


@each_machine
def test_every_state_can_be_reached(machine: Machine) -> None:
    reached = {machine.first}
    while further := {target for state in reached for target in machine.follows[state]} - reached:
        reached |= further
    assert reached == set(machine.states)


def test_a_file_waits_is_checked_and_can_be_corrected() -> None:
    follows = FILE_MACHINE.follows
    assert FILE_MACHINE.first == "received"
    assert follows["checking"] == {"checking", "unconfirmed", "rejected", "in error", "ready"}
    assert follows["unconfirmed"] == {"checking", "removed"}
    assert "checking" in follows["in error"]
    assert follows["removed"] == frozenset()
    assert FILE_MACHINE.sources("removed") == (
        "in error",
        "ready",
        "received",
        "rejected",
        "unconfirmed",
    )


def test_stages_follow_each_other_and_any_may_fail() -> None:
    follows = SUBMISSION_MACHINE.follows
    for stage, after in pairwise(STAGES):
        assert after in follows[stage]
    for stage in STAGES:
        assert "failed" in follows[stage]
        assert follows[stage] <= {*STAGES, "draft", "submitted", "failed"}


def test_a_submitted_month_opens_only_when_its_reset_is_granted() -> None:
    follows = SUBMISSION_MACHINE.follows
    assert follows["submitted"] == {"reset asked"}
    assert follows["reset asked"] == {"open", "submitted"}


def test_a_state_is_its_name_in_the_database() -> None:
    assert FileState("in error") is FileState.IN_ERROR
    assert f"{FileState.IN_ERROR}" == "in error"
    with pytest.raises(ValueError, match="lost"):
        FileState("lost")


def test_the_page_of_states_is_as_declared() -> None:
    page = (PROJECT / "docs/states.md").read_text()
    assert page == states_page(), "run: python -m core.vocabulary.state_machines > docs/states.md"


QUEUES = [PROJECT / "core/notifications"]
"""Where a state is the mark of a queue, and of no declared process."""
SOURCES = [
    path
    for room in ("core", "tasks", "flows", "portal", "deployments", "cli")
    for path in (PROJECT / room).rglob("*.py")
    if not any(path.is_relative_to(queue) for queue in QUEUES)
]
MOVES = PROJECT / "core/database/moving.py"


def changes_of_state(path: Path) -> list[int]:
    """The lines of an update that sets a state."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "values"
        and ".update()" in ast.unparse(node.func)
        and any(word.arg == "state" for word in node.keywords)
    ]


def test_states_change_in_one_place_alone() -> None:
    """There the audit row is written with the change."""
    assert changes_of_state(MOVES)
    assert {path: changes_of_state(path) for path in SOURCES if changes_of_state(path)} == {
        MOVES: changes_of_state(MOVES)
    }
