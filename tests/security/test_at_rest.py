"""What the service keeps on disk is for its own user: modes, process lines, the database's log."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_and_keys_are_closed(services: Services) -> None:
    home = services.settings.home
    assert mode(home) == (0o711 if os.geteuid() == 0 else 0o700)
    for name in ("logs", "files", "prefect", "tmp", "run"):
        assert mode(home / name) == 0o700, name
    for name in ("secret-key", "prefect-password", "postgres/password"):
        assert mode(home / name) == 0o600, name


def test_nobody_else_can_hold_a_lock(services: Services) -> None:
    """A file that others may open is one that they may lock: the next start would be refused."""
    for folder in ("", "postgres"):
        assert mode(services.settings.home / folder / "lock") == 0o600, folder


def test_nobody_else_reaches_what_starts_runs(services: Services) -> None:
    """Who could send it a request would have a program run as the service's user."""
    sockets = [path for path in (services.settings.home / "run").iterdir() if path.is_socket()]
    assert sockets
    assert {mode(path) for path in sockets} == {0o600}


def test_logs_are_closed(services: Services) -> None:
    for log in (services.settings.home / "logs").glob("*.log"):
        if log.name != "postgres.log":
            assert mode(log) == 0o600, log.name


def test_no_secret_stands_in_a_process_line(services: Services, populated: Engine) -> None:
    secrets = [
        (services.settings.home / name).read_text()
        for name in ("secret-key", "prefect-password", "postgres/password")
    ]
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                line = (place / "cmdline").read_text(errors="replace")
            except OSError:
                continue
            assert not [secret for secret in secrets if secret in line], place.name


def test_the_log_of_the_database_holds_no_value(services: Services) -> None:
    statements = ("SELECT 'Zofia Kowalska'::date", "SELECT 'Kowalska' FROM nowhere")
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        for statement in statements:
            with pytest.raises(psycopg.Error):
                connection.execute(statement)  # type: ignore[call-overload]
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT %s::date", ["Zofia Kowalska"])
    assert "Kowalska" not in (services.settings.home / "logs" / "postgres.log").read_text()
