"""The states of a spider: a crawl of a source of areas, from parents to children."""

from __future__ import annotations

from statemachine.states import States

from core.vocabulary.process import Machine, Process, State


class SpiderState(State):
    """The state of a crawl."""

    PLANNED = "planned", "Starts at its time."
    RUNNING = "running", "Asks its source for the areas within each area."
    COMPLETE = "complete", "Every parent was asked for its areas, and answered."
    INCOMPLETE = (
        "complete with errors",
        "Some answers failed, contradict each other, or are held for a person to look at.",
    )
    FAILED = "failed", "Stopped. What was answered is in the register; it can go on from there."


class SpiderProcess(Process):
    """A crawl of a source of areas."""

    _ = States.from_enum(SpiderState, initial=SpiderState.PLANNED, final=SpiderState.COMPLETE)

    begin = _.PLANNED.to(_.RUNNING)
    finish = _.RUNNING.to(_.COMPLETE) | _.RUNNING.to(_.INCOMPLETE)
    stop = _.PLANNED.to(_.FAILED) | _.RUNNING.to(_.FAILED)
    begin_again = _.RUNNING.to(_.RUNNING) | _.INCOMPLETE.to(_.RUNNING) | _.FAILED.to(_.RUNNING)


SPIDER_MACHINE = Machine(
    "spider",
    SpiderProcess,
    "spider_runs",
    stopped=frozenset({SpiderState.INCOMPLETE, SpiderState.FAILED}),
)
