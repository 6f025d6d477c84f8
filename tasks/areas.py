"""Asks about one area: all pages of its lookups, then its children into the register."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlalchemy import Engine

from core.areas.answers import Question as Request
from core.areas.answers import questions_about
from core.areas.asking import Answer, Asker, AskingFailed, Kept
from core.areas.importing import fail_question, import_answers, kept_of
from core.areas.sources import Source, asked_of
from core.areas.walks import Question, Walk, note_asked
from core.support.faults import Fault
from tasks.faults import RETRYING, hushed

MOST_PAGES = 1000
"""More cannot be: the source says for ever that more follows."""


@dataclass(frozen=True)
class SpiderBench:
    """What the tasks of one walk share."""

    engine: Engine
    walk: Walk
    source: Source
    asker: Asker
    given_up: Event = field(default_factory=Event)  # the source is away: what waits may wait

    def known(self, address: str) -> Kept | None:
        with self.engine.connect() as connection:
            return kept_of(connection, self.walk.source, address)


@task(
    name="ask",
    task_run_name="ask {question.name}",
    cache_policy=NO_CACHE,
    persist_result=False,
    **RETRYING,
)
@hushed
def ask_about(bench: SpiderBench, question: Question) -> bool:
    """Whether the question was answered; if not it is in the error queue, or waits."""
    if bench.given_up.is_set():
        return False
    with bench.engine.begin() as connection:
        note_asked(connection, question)
    try:
        answers = [] if question.accepted is not None else ask_all(bench, question)
    except AskingFailed as error:
        fault = Fault(f"{bench.source.title}: {error}", attempts=bench.asker.manners.attempts)
        with bench.engine.begin() as connection:
            fail_question(connection, bench.walk, question, fault)
        return False
    with bench.engine.begin() as connection:
        import_answers(connection, bench.walk, question, answers, asked_of(bench.source))
    return True


def ask_all(bench: SpiderBench, question: Question) -> list[Answer]:
    """Every page of every lookup; raises ``AskingFailed``."""
    return [
        answer
        for lookup in questions_about(bench.source, question.parent, question.kind)
        for answer in _pages(bench, lookup)
    ]


def _pages(bench: SpiderBench, lookup: Callable[[int], Request]) -> list[Answer]:
    answers: list[Answer] = []
    offset = 0
    while len(answers) < MOST_PAGES:
        answers.append(bench.asker.ask(lookup(offset), bench.known))
        offset += answers[-1].page.sent
        if not answers[-1].page.more:
            return answers
    raise AskingFailed(f"it has more than {MOST_PAGES} pages")
