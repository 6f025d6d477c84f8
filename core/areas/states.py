"""The states of a spider: a crawl of a source of areas."""

from __future__ import annotations

from statemachine.states import States

from core.states import Machine, Process, State


class SpiderState(State):
    """Where a crawl stands."""

    PLANNED = "planned", "Starts at its time."
    RUNNING = "running", "Fetching areas from its source."
    COMPLETE = "complete", "Every area was fetched."
    INCOMPLETE = (
        "complete with errors",
        "Some areas could not be fetched. They are in the error queue and can be tried again.",
    )
    FAILED = "failed", "Stopped. The areas in use stay as they are."


class SpiderProcess(Process):
    """A crawl of a source of areas."""

    _ = States.from_enum(SpiderState, initial=SpiderState.PLANNED, final=SpiderState.COMPLETE)

    begin = _.PLANNED.to(_.RUNNING)
    finish = _.RUNNING.to(_.COMPLETE) | _.RUNNING.to(_.INCOMPLETE)
    stop = _.PLANNED.to(_.FAILED) | _.RUNNING.to(_.FAILED)
    begin_again = _.RUNNING.to(_.RUNNING) | _.INCOMPLETE.to(_.RUNNING) | _.FAILED.to(_.RUNNING)


SPIDER_MACHINE = Machine("spider", SpiderProcess)
