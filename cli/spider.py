"""``grouper spider``: crawls sources, shows crawls, decides about answers that are held."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from cli.row_number import ROW_NUMBER
from cli.services import NOT_DONE, print_document, running_services, say_progress
from core.counting import counted
from core.user_errors import UserError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from core.areas.progress import CrawlProgress

FORMAT = "{:<26} {:>7} {:>7} {:>9} {:>7} {:>5} {:>9}"
HEADING = FORMAT.format("within each", "known", "asked", "answered", "failed", "held", "areas")


@click.group()
def spider() -> None:
    """Fetch registers from outside, and show what came of it."""


@spider.command("areas")
@click.option("--within", metavar="CODE", help="Only what lies within that area.")
@click.option("--source", metavar="NAME", help="Another source than GROUPER_AREA_SOURCE.")
@click.option("--accept", metavar="CODE", help="Take in the answer that is held for that area.")
@click.option("--ask-again", metavar="CODE", help="Drop the answer that is held, and ask again.")
@click.option("--wait/--no-wait", default=True, help="Wait until it has ended (default).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def crawl_areas(
    *,
    within: str | None,
    source: str | None,
    accept: str | None,
    ask_again: str | None,
    wait: bool,
    as_json: bool,
) -> int:
    """Crawl the source of areas, into the register.

    Exit code 0: complete (or, with --no-wait, asked for); 1: answers failed or are held for you, or
    the crawl stopped; 2: wrong use, or the services do not run.
    """
    if sum(each is not None for each in (within, accept, ask_again)) > 1:
        raise click.UsageError("say one of --within, --accept and --ask-again")
    with running_services() as engine:
        if accept or ask_again:
            run_id = _decide(engine, accept, ask_again)
        else:
            run_id = _request(engine, source, within.strip().upper() if within else None)
        progress = _follow(engine, run_id, wait=wait, quiet=as_json)
    _say(progress, as_json=as_json)
    return 0 if progress.moving or progress.state == "complete" else NOT_DONE


@spider.command()
@click.argument("crawl", type=ROW_NUMBER, required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(*, crawl: int | None, as_json: bool) -> int:
    """Show a crawl level by level, by default the last: what failed, and what is held."""
    from core.access.scope import EVERYTHING
    from core.areas.crawls import source_of
    from core.areas.progress import newest_crawls, progress_of

    with running_services() as engine, engine.connect() as connection:
        newest = newest_crawls(connection, EVERYTHING, 1)
        if crawl is None and not newest:
            click.echo("There was no crawl yet.")
            return 0
        run_id = crawl if crawl is not None else newest[0]
        source_of(connection, run_id)
        progress = progress_of(connection, EVERYTHING, run_id)
    _say(progress, as_json=as_json)
    return 0


def _request(engine: Engine, source: str | None, within: str | None) -> int:
    from core.areas.crawls import request_crawl
    from core.areas.sources import find_source
    from core.settings import settings

    area_source = find_source(source or settings().area_source, settings().area_sources)
    with engine.begin() as connection:
        return request_crawl(connection, area_source, within=within, user_id=None)


def _decide(engine: Engine, accepted: str | None, again: str | None) -> int:
    from core.areas import accepting

    by = f"by {getpass.getuser()} on the command line"
    with engine.begin() as connection:
        if accepted:
            return accepting.accept(connection, accepted.strip().upper(), user_id=None, by=by)
        return accepting.ask_again(connection, str(again).strip().upper(), user_id=None, by=by)


def _follow(engine: Engine, run_id: int, *, wait: bool, quiet: bool) -> CrawlProgress:
    from core.access.scope import EVERYTHING
    from core.areas.progress import progress_of
    from core.support.polling import changes

    last_text = None
    for progress in changes(
        engine, lambda c: progress_of(c, EVERYTHING, run_id), what=f"crawl {run_id}"
    ):
        if not wait or not progress.moving:
            return progress
        progress_text = f"{progress.answered:,} of {progress.known:,} answers"
        if progress_text != last_text:
            last_text = progress_text
            say_progress(progress_text, quiet=quiet)
    raise UserError(f"crawl {run_id} is not to be seen any more")


def _say(progress: CrawlProgress, *, as_json: bool) -> None:
    if as_json:
        print_document(_document(progress))
    else:
        click.echo("\n".join(_lines(progress)))


def _lines(progress: CrawlProgress) -> Iterator[str]:
    where = f" within {progress.within}" if progress.within else ""
    yield f"crawl {progress.id} of {progress.source}{where}: {progress.state.text}"
    yield HEADING
    for level in progress.levels:
        yield FORMAT.format(*asdict(level).values())
    if progress.failure:
        yield progress.failure
    for trouble in progress.troubles:
        held = "held" if trouble.held else "failed"
        yield f"{held}: {trouble.parent} {trouble.name}: {trouble.reason}"
    if any(trouble.held for trouble in progress.troubles):
        yield "`grouper spider areas --accept CODE` takes a held answer in; --ask-again asks anew."
    if progress.summary:
        yield ", ".join(f"{number:,} {word}" for word, number in progress.summary.items())
    if progress.moving:
        yield f"It goes on as soon as its turn comes: {counted(progress.known, 'area')} so far."


def _document(progress: CrawlProgress) -> dict[str, Any]:
    return asdict(progress)
