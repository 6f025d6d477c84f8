"""``grouper up``: starts everything on this machine."""

from __future__ import annotations

import logging
import signal
from types import FrameType
from typing import TYPE_CHECKING

import click

from core.settings import load_settings, use_settings

if TYPE_CHECKING:
    from deployments.supervisor import Services

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, the system, a terminal that is closed: all end the command alike."""


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
    services = Services(settings)
    stop_at_signals(services)
    try:
        click.echo(f"Starting in {settings.home} …")
        with services:
            click.echo(f"Portal   {services.portal_url}")
            click.echo(f"Prefect  {services.settings.prefect_url}")
            click.echo(f"Logs     {settings.logs}")
            click.echo("Press Ctrl-C to stop.")
            services.wait()
    except KeyboardInterrupt:
        click.echo("Stopped.")


def stop_at_signals(services: Services) -> None:
    """The first signal stops the services; further ones must not leave half of them running."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        # Python drops what a handler raises in some places, so it is also noted.
        services.request_stop()
        raise KeyboardInterrupt

    for number in ENDING:
        signal.signal(number, stop)
