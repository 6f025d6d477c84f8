"""A crawl as the flow carries it out, without a scheduler: rounds of questions on threads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy import Engine

from core.areas.crawls import begin_crawl, load_crawl, request_crawl, waiting_questions
from core.areas.finish_crawl import finish_crawl
from core.areas.register_store import fill_register, read_rows
from core.areas.source_client import RequestLimits, SourceClient
from core.areas.sources import Source
from core.database import tables
from core.engine.areas.compact import read_shipped
from core.vocabulary.event_catalogue import SpiderFinished
from tasks.areas import CrawlContext, ask_about

LIMITS = RequestLimits(8, 2000.0, 5.0, 5, 10.0, "Grouper/test", pause=0.02)
ROOT = "K04000001"


def empty_but_for_the_root(engine: Engine) -> None:
    """A register that knows nothing but where to begin."""
    rows = read_shipped()
    roots = pc.is_in(rows["code"], value_set=pa.array(["K02000001", ROOT]))
    with engine.begin() as connection:
        fill_register(connection, rows.filter(roots), version=1)


def plan(engine: Engine, source: Source, within: str | None = None) -> int:
    with engine.begin() as connection:
        return request_crawl(connection, source, within=within, user_id=None)


def crawl(
    engine: Engine, source: Source, run_id: int, *, stop_when: Callable[[], bool] = lambda: False
) -> SpiderFinished | None:
    """Goes on with a crawl until it ends; None where it was made to stop."""
    with engine.begin() as connection:
        begin_crawl(connection, run_id, source, flow_run=None)
        going = load_crawl(connection, run_id, source)
    with SourceClient(LIMITS) as client, ThreadPoolExecutor(LIMITS.max_requests) as pool:
        context = CrawlContext(engine, going, source, client)
        while not stop_when():
            with engine.connect() as connection:
                questions = waiting_questions(connection, run_id)
            list(pool.map(lambda question: ask_about.fn(context, question), questions))
            with engine.begin() as connection:
                finished = finish_crawl(connection, going)
            if finished is not None:
                return finished
    return None


def whole_crawl(engine: Engine, source: Source, within: str | None = None) -> SpiderFinished:
    finished = crawl(engine, source, plan(engine, source, within))
    assert finished is not None
    return finished


def today(engine: Engine) -> dict[str, tuple[str, str | None]]:
    """Code to name and parent of what is in force."""
    with engine.connect() as connection:
        rows = read_rows(connection)
    return in_force(rows)


def in_force(rows: pa.Table) -> dict[str, tuple[str, str | None]]:
    rows = rows.filter(pc.and_(pc.is_null(rows["until"]), pc.is_null(rows["ends"])))
    columns = (rows[name].to_pylist() for name in ("code", "name", "parent"))
    return {code: (name, parent) for code, name, parent in zip(*columns, strict=True)}


@contextmanager
def nothing_written(engine: Engine) -> Iterator[None]:
    """The register, what is kept of answers, events and audit stay as they are, row for row, but
    for the crawl's own beginning and end."""
    before = _rows(engine)
    yield
    assert _rows(engine) == before


def _rows(engine: Engine) -> dict[str, Any]:
    """Every row by the transaction that wrote it."""
    queries = {
        name: sa.select(sa.text("xmin::text"), sa.text("ctid::text")).select_from(table)
        for name, table in {
            "areas": tables.areas,
            "area_periods": tables.area_periods,
            "area_register": tables.area_register,
            "area_answers": tables.area_answers,
        }.items()
    }
    of_crawls = (tables.events.c.subject.startswith("spider/"),)
    queries["events"] = sa.select(tables.events.c.id).where(~of_crawls[0])
    queries["audit"] = sa.select(tables.audit.c.id).where(
        ~tables.audit.c.subject.startswith("spider:")
    )
    queries["failures"] = sa.select(tables.failures.c.id)
    with engine.connect() as connection:
        return {name: sorted(map(tuple, connection.execute(q))) for name, q in queries.items()}


def a_day_before(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=1)
