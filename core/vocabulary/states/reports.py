"""The states of a report."""

from __future__ import annotations

from collections.abc import Mapping

from statemachine.states import States

from core.vocabulary.process import Machine, Process, State


class ReportState(State):
    """The state of a report."""

    REQUESTED = "requested", "Waiting for its turn."
    COLLATING = "collating", "Being put together."
    READY = "ready", "Ready to download."
    EXPIRED = "expired", "No longer kept. Ask for it again."
    FAILED = "failed", "Could not be made. Ask for it again."


class ReportProcess(Process):
    """A report that somebody asked for."""

    _ = States.from_enum(ReportState, initial=ReportState.REQUESTED)

    begin = _.REQUESTED.to(_.COLLATING)
    # A report whose process died is begun again.
    begin_again = _.COLLATING.to(_.COLLATING)
    finish = _.COLLATING.to(_.READY)
    stop = _.REQUESTED.to(_.FAILED) | _.COLLATING.to(_.FAILED)
    expire = _.READY.to(_.EXPIRED)
    # Also a ready one, where a run that it shows was replaced.
    ask_again = _.FAILED.to(_.REQUESTED) | _.EXPIRED.to(_.REQUESTED) | _.READY.to(_.REQUESTED)


REPORT_MACHINE = Machine(
    "report",
    ReportProcess,
    "reports",
    stopped=frozenset({ReportState.FAILED}),
    settled=frozenset({ReportState.READY, ReportState.EXPIRED}),
)
REPORT_TEXTS: Mapping[ReportState, str] = {state: state.text for state in ReportState}
