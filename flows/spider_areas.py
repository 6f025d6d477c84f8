"""Spider: crawls a source of areas, from each parent to its children, into the register."""

from __future__ import annotations

from functools import partial

from prefect import flow
from prefect.futures import as_completed
from sqlalchemy import Connection, Engine

from core.areas.crawls import (
    Crawl,
    begin_crawl,
    fail_crawl,
    load_crawl,
    source_of,
    waiting_questions,
)
from core.areas.finish_crawl import finish_crawl
from core.areas.source_client import RequestLimits, SourceClient
from core.areas.sources import Source, find_source
from core.settings import settings
from core.support.faults import Fault
from core.user_errors import UserError
from core.vocabulary.event_catalogue import SpiderFinished
from core.vocabulary.states.areas import SpiderState
from flows.running import flow_run_id, recording_failure, run_exclusively, threads
from tasks.areas import CrawlContext, ask_about
from tasks.progress import ProgressBar

AWAY_AFTER = 8
"""After so many consecutive failures the source is away, and the crawl stops."""


@flow(name="spider-areas", task_runner=threads(settings().spider_requests), persist_result=False)
def spider_areas(run_id: int) -> str:
    """Carries out one crawl; a resumed one asks only what was not answered."""
    return run_exclusively("spider", run_id, partial(_crawl, run_id))


def _crawl(run_id: int, engine: Engine) -> str:
    with engine.begin() as connection:
        source = find_source(source_of(connection, run_id), settings().area_sources)
        crawl = load_crawl(connection, run_id, source)
        if crawl.state not in (SpiderState.PLANNED, SpiderState.RUNNING):
            return f"crawl {run_id} is {crawl.state} already"
        begin_crawl(connection, run_id, source, flow_run=flow_run_id())
        crawl = load_crawl(connection, run_id, source)
    with recording_failure(engine, f"crawl {run_id}", partial(_fail, crawl)):
        finished = _ask_all(engine, crawl, source)
    return f"{finished.new:,} new, {finished.changed:,} changed, {finished.retired:,} retired"


def _fail(crawl: Crawl, connection: Connection, fault: Fault) -> str:
    return fail_crawl(connection, crawl.id, crawl.area, fault)


def _ask_all(engine: Engine, crawl: Crawl, source: Source) -> SpiderFinished:
    """Asks waiting questions, round by round, until none waits."""
    progress = ProgressBar(f"spider-{crawl.id}", f"Areas of {crawl.area}")
    with SourceClient(RequestLimits.of(settings())) as client:
        context = CrawlContext(engine, crawl, source, client)
        finished = None
        while finished is None:
            _ask_round(context, progress)
            with engine.begin() as connection:
                finished = finish_crawl(connection, crawl)
    progress.finish(f"{finished.new:,} new")
    return finished


def _ask_round(context: CrawlContext, progress: ProgressBar) -> None:
    """Asks one level of the crawl, with as many requests at once as the source allows."""
    with context.engine.connect() as connection:
        questions = waiting_questions(connection, context.crawl.id)
    failed_in_a_row = 0
    for future in as_completed([ask_about.submit(context, question) for question in questions]):
        failed_in_a_row = 0 if future.result() else failed_in_a_row + 1
        progress.step()
        if failed_in_a_row >= AWAY_AFTER:
            context.given_up.set()
            raise UserError(f"{context.source.title} does not answer any more")
