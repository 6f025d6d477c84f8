"""What the commands of the running service have in common: they find it, and say so if they cannot.

Exit codes: 0 done; 1 the data stands in the way, or the services failed; 2 wrong use, or nothing
runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from core.settings import load_settings, use_settings
from core.user_errors import UserError

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOT_DONE = 1


@contextmanager
def running_services() -> Iterator[Engine]:
    """The database of the services that ``GROUPER_HOME`` or ``GROUPER_DATABASE_URL`` names.

    Raises ``UserError`` in one line where they do not run.
    """
    import psycopg
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from core.database.engine import engine

    use_settings(load_settings())
    try:
        yield engine()
    except OperationalError as error:
        raise UserError(
            "the database does not answer: start the services with `grouper up`, or mend "
            f"GROUPER_DATABASE_URL ({_first_line(error.orig)})"
        ) from error
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.UndefinedTable):
            raise
        raise UserError(
            "the database has no tables of Grouper yet: start the services once with `grouper up`"
        ) from error


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]


def say_progress(text: str, *, quiet: bool) -> None:
    """Prints a line of progress on stderr, so that stdout holds only the result."""
    if not quiet:
        click.echo(text, err=True)


def print_document(document: dict[str, Any]) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))
