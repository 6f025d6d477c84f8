"""The states of a failure in the error queue."""

from __future__ import annotations

from statemachine.states import States

from core.vocabulary.process import Machine, Process, State


class FailureState(State):
    """The state of a failure."""

    WAITING = "waiting", "Waits for an operator: try it again, or set it aside."
    RETRIED = "retried", "Being tried again."
    DISCARDED = "discarded", "Set aside by an operator."
    RESOLVED = "resolved", "Done after all, or no longer needed."


class FailureProcess(Process):
    """What failed after its retries."""

    _ = States.from_enum(
        FailureState,
        initial=FailureState.WAITING,
        final={FailureState.DISCARDED, FailureState.RESOLVED},
    )

    retry = _.WAITING.to(_.RETRIED)
    fail_again = _.RETRIED.to(_.WAITING) | _.WAITING.to(_.WAITING)
    succeed = _.RETRIED.to(_.RESOLVED) | _.WAITING.to(_.RESOLVED)
    discard = _.WAITING.to(_.DISCARDED)


FAILURE_MACHINE = Machine("failure", FailureProcess, "failures")
