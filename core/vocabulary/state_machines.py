"""Every state machine, and the page that draws them.

``python -m core.vocabulary.state_machines > docs/states.md`` writes the page.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from core.vocabulary.process import Machine, State
from core.vocabulary.states.accounts import SUBSCRIPTION_MACHINE
from core.vocabulary.states.areas import SPIDER_MACHINE
from core.vocabulary.states.events import FAILURE_MACHINE
from core.vocabulary.states.kpis import KPI_MACHINE
from core.vocabulary.states.migration import MIGRATION_MACHINE, TABLE_MACHINE
from core.vocabulary.states.notifications import DELIVERY_MACHINE
from core.vocabulary.states.reports import REPORT_MACHINE
from core.vocabulary.states.submissions import FILE_MACHINE, RUN_MACHINE, SUBMISSION_MACHINE

MACHINES = (
    FILE_MACHINE,
    SUBMISSION_MACHINE,
    RUN_MACHINE,
    REPORT_MACHINE,
    KPI_MACHINE,
    SPIDER_MACHINE,
    MIGRATION_MACHINE,
    TABLE_MACHINE,
    SUBSCRIPTION_MACHINE,
    FAILURE_MACHINE,
    DELIVERY_MACHINE,
)

HEAD = """\
# States
This page is written by `python -m core.vocabulary.state_machines` from the code.
What is not drawn here cannot happen: the program refuses it, and so does the database. Every
transition leaves a row in the audit: who, when, from, to, why.
"""


def states_page() -> str:
    """The page of all states and transitions, as Markdown."""
    return "\n".join([HEAD, *(line for machine in MACHINES for line in _section(machine))])


def _section(machine: Machine) -> Iterator[str]:
    yield f"## {machine.name.capitalize()}"
    yield f"{machine.process.__doc__}"
    yield ""
    yield "```mermaid"
    yield f"{machine.process:mermaid}".strip()
    yield "```"
    yield ""
    yield "| state | what its user reads |"
    yield "|---|---|"
    for state in machine.process.states:
        value: State = state.value
        yield f"| {value} | {value.text} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(states_page())
