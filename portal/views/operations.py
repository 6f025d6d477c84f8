"""Operations: queues, runs in progress, failures, event rules, log groups."""

from __future__ import annotations

import streamlit as st

from core.access.people import Person
from core.settings import settings
from core.user_errors import UserError
from deployments.prefect_api import FlowRun, PrefectApi, RefusedError, ServerAwayError
from deployments.queue_control import QueueState, pause, queue_states
from deployments.queues import load_queues
from deployments.rules import load_rules
from portal import words
from portal.components.failures import show_failures
from portal.components.log_search import show_log_groups
from portal.components.rule_table import show_rules
from portal.database import engine
from portal.fragments import refreshed

_AWAY = (
    "Prefect's server does not answer. What was asked for is kept and carried out when it is back; "
    "if it does not come back, start the services again with `grouper up`."
)
_COLUMNS = (3, 1, 1, 1, 2, 2)
_STATES = {"SCHEDULED": "waits", "PENDING": "starts", "RUNNING": "at work", "CANCELLING": "stops"}


def show(person: Person) -> None:
    """The page."""
    st.title("Operations")
    st.caption(f"Every run in detail: [Prefect's own pages]({settings().prefect_url})")
    work, failed, logs, rules = st.tabs(["Queues and runs", "Errors", "Logs", "Rules"])
    with work:
        _show_work(person)
    with failed:
        show_failures(person)
    with logs:
        show_log_groups(person)
    with rules:
        show_rules(load_rules())


@refreshed(seconds=5)
def _show_work(person: Person) -> None:
    try:
        with PrefectApi(settings(), seconds=5) as api:
            states, runs = queue_states(engine(), api, load_rules(), load_queues())
    except (ServerAwayError, RefusedError):
        st.warning(_AWAY)
        return
    _show_queues(person, states)
    _show_runs(runs)


def _show_queues(person: Person, states: list[QueueState]) -> None:
    st.subheader("Queues")
    headings = ("Queue", "Limit", "Waiting", "Running", "First waits for", "")
    for column, heading in zip(st.columns(_COLUMNS), headings, strict=True):
        column.caption(heading)
    for state in states:
        _show_queue(person, state)


def _show_queue(person: Person, state: QueueState) -> None:
    cells = st.columns(_COLUMNS, vertical_alignment="center")
    paused = " :orange-badge[paused]" if state.paused else ""
    cells[0].markdown(f"**{state.name}**{paused}", help=state.description)
    cells[1].write("none" if state.limit is None else str(state.limit))
    cells[2].write(f"{state.waiting:,}")
    cells[3].write(f"{state.running:,}")
    wait = state.oldest_wait()
    cells[4].write("" if wait is None else _span(wait))
    label = "Resume" if state.paused else "Pause"
    with cells[5]:
        if st.button(label, key=f"queue-{state.name}", help=f"{label} the queue {state.name}"):
            _pause(person, state.name, paused=not state.paused)


def _pause(person: Person, name: str, *, paused: bool) -> None:
    try:
        with PrefectApi(settings(), seconds=5) as api:
            pause(engine(), api, load_queues(), name, paused=paused, user_id=person.id)
    except (ServerAwayError, RefusedError):
        st.warning(_AWAY)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun(scope="fragment")


def _show_runs(runs: list[FlowRun]) -> None:
    st.subheader("Runs")
    if not runs:
        st.write("Nothing runs and nothing waits in Prefect.")
        return
    table = {
        "Run": [run.name for run in runs],
        "Queue": [run.queue or "" for run in runs],
        "State": [_STATES.get(run.state, run.state.lower()) for run in runs],
        "For": [_span(run.age()) for run in runs],
        "Details": [f"{settings().prefect_url}/runs/flow-run/{run.id}" for run in runs],
    }
    details = st.column_config.LinkColumn(display_text="Open in Prefect")
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={"Details": details},
        alt="Runs that wait, start or are at work",
    )


def _span(seconds: float) -> str:
    """45 s, 12 min, 3 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
