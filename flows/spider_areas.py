"""Spider: walk down a source of areas, from each parent to its children, into the register."""

from __future__ import annotations

from functools import partial

from prefect import flow
from prefect.futures import as_completed
from sqlalchemy import Connection, Engine

from core.areas.asking import Asker, Manners
from core.areas.finish_walk import finish_walk
from core.areas.sources import Source, find_source
from core.areas.walks import (
    Walk,
    begin_walk,
    fail_walk,
    load_walk,
    source_of,
    waiting_questions,
)
from core.settings import settings
from core.support.faults import Fault
from core.user_errors import UserError
from core.vocabulary.event_catalogue import SpiderFinished
from core.vocabulary.states.areas import SpiderState
from flows.running import alone_on, failing, flow_run_id, threads
from tasks.areas import SpiderBench, ask_about
from tasks.progress import ProgressBar

AWAY_AFTER = 8
"""So many questions fail one after the other: the source is away, and the walk stops."""


@flow(name="spider-areas", task_runner=threads(settings().spider_requests), persist_result=False)
def spider_areas(run_id: int) -> str:
    """Carries out one walk; one that is taken up again asks only what was not answered."""
    return alone_on("spider", run_id, partial(_walk, run_id))


def _walk(run_id: int, engine: Engine) -> str:
    with engine.begin() as connection:
        source = find_source(source_of(connection, run_id), settings().area_sources)
        walk = load_walk(connection, run_id, source)
        if walk.state not in (SpiderState.PLANNED, SpiderState.RUNNING):
            return f"walk {run_id} is {walk.state} already"
        begin_walk(connection, run_id, source, flow_run=flow_run_id())
        walk = load_walk(connection, run_id, source)
    with failing(engine, f"walk {run_id}", partial(_fail, walk)):
        finished = _ask_all(engine, walk, source)
    return f"{finished.new:,} new, {finished.changed:,} changed, {finished.retired:,} retired"


def _fail(walk: Walk, connection: Connection, fault: Fault) -> str:
    return fail_walk(connection, walk.id, walk.area, fault)


def _ask_all(engine: Engine, walk: Walk, source: Source) -> SpiderFinished:
    """Asks what waits, and what comes to wait by the answers, until nothing does."""
    progress = ProgressBar(f"spider-{walk.id}", f"Areas of {walk.area}")
    with Asker(Manners.of(settings())) as asker:
        bench = SpiderBench(engine, walk, source, asker)
        finished = None
        while finished is None:
            _ask_round(bench, progress)
            with engine.begin() as connection:
                finished = finish_walk(connection, walk)
    progress.finish(f"{finished.new:,} new")
    return finished


def _ask_round(bench: SpiderBench, progress: ProgressBar) -> None:
    """One level of the walk, so many questions at once as the source bears."""
    with bench.engine.connect() as connection:
        questions = waiting_questions(connection, bench.walk.id)
    failed_in_a_row = 0
    for future in as_completed([ask_about.submit(bench, question) for question in questions]):
        failed_in_a_row = 0 if future.result() else failed_in_a_row + 1
        progress.step()
        if failed_in_a_row >= AWAY_AFTER:
            bench.given_up.set()
            raise UserError(f"{bench.source.title} does not answer any more")
