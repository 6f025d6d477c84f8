"""``grouper up``: starts everything on this machine."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

from core.settings import load_settings, use_settings


@click.command()
def up() -> None:
    """Start everything on this machine.

    The database (unless GROUPER_DATABASE_URL names another), Prefect's server with its pages, the
    workers, the relay of events and the portal. Ctrl-C stops all of it.
    """
    from deployments.supervisor import Services

    settings = load_settings()
    use_settings(settings)
    logging.basicConfig(level=logging.WARNING, format="grouper: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    services = Services(settings)
    with _signals_interrupt():
        try:
            click.echo(f"Starting in {settings.home} …")
            services.start()
            click.echo(f"Portal   {settings.portal_url}")
            click.echo(f"Prefect  {settings.api_url.removesuffix('/api')}")
            click.echo(f"Logs     {settings.logs}")
            click.echo("Press Ctrl-C to stop.")
            services.wait()
        except KeyboardInterrupt:
            click.echo("Stopping …")
        finally:
            _ignore_signals()
            services.stop()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """SIGTERM and a closed terminal end the command as Ctrl-C does."""
    chosen = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.default_int_handler) for number in chosen}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """A second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
