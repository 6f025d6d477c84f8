"""Asks about one area: all pages of its lookups; then imports its children."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from core.areas.answers import SourceRequest, requests_about
from core.areas.crawls import Crawl, Question, mark_asked
from core.areas.importing import cached_answer, fail_question, import_answers
from core.areas.source_client import Answer, CachedAnswer, NoSourceAnswer, SourceClient
from core.areas.sources import Source, askable_kinds
from core.support.faults import Fault
from tasks.faults import RETRYING, without_error_text

MOST_PAGES = 1000
"""A source that reports still more pages is in a loop."""


@dataclass(frozen=True)
class CrawlContext:
    """What the tasks of one crawl share."""

    engine: Engine
    crawl: Crawl
    source: Source
    client: SourceClient
    # The source is away: further questions are not asked.
    given_up: Event = field(default_factory=Event)

    def find_cached(self, address: str) -> CachedAnswer | None:
        with self.engine.connect() as connection:
            return cached_answer(connection, self.crawl.source, address)


@task(
    name="ask",
    task_run_name="ask {question.name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@without_error_text
def ask_about(context: CrawlContext, question: Question) -> bool:
    """Asks and imports; returns whether the question was answered, else it failed or waits."""
    if context.given_up.is_set():
        return False
    with context.engine.begin() as connection:
        mark_asked(connection, question)
    try:
        answers = [] if question.accepted is not None else ask_all(context, question)
    except NoSourceAnswer as error:
        fault = Fault(f"{context.source.title}: {error}", attempts=context.client.limits.attempts)
        with context.engine.begin() as connection:
            fail_question(connection, context.crawl, question, fault)
        return False
    with context.engine.begin() as connection:
        import_answers(connection, context.crawl, question, answers, askable_kinds(context.source))
    return True


def ask_all(context: CrawlContext, question: Question) -> list[Answer]:
    """Every page of every lookup; raises ``NoSourceAnswer``."""
    return [
        answer
        for lookup in requests_about(context.source, question.parent, question.kind)
        for answer in _pages(context, lookup)
    ]


def _pages(context: CrawlContext, lookup: Callable[[int], SourceRequest]) -> list[Answer]:
    answers: list[Answer] = []
    offset = 0
    while len(answers) < MOST_PAGES:
        answers.append(context.client.ask(lookup(offset), context.find_cached))
        offset += answers[-1].page.sent
        if not answers[-1].page.more:
            return answers
    raise NoSourceAnswer(f"it has more than {MOST_PAGES} pages")
