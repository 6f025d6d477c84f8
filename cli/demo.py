"""`grouper demo`: everything, on its own data folder, with the main job done in front of you."""

from __future__ import annotations

import click

from cli.stopping import signals_interrupt
from core.settings import load_settings


@click.command()
@click.option("--exit", "exit_after", is_flag=True, help="Stop after the main job.")
def demo(exit_after: bool) -> None:
    """Start everything with sample data and run the main job.

    Two providers upload files with a few errors, correct them, and run their month, one as a draft
    and one as final; a provider and a commissioner get their report. Exits 0 only if all of it
    worked and every charge agrees with an independent calculation.
    """
    from deployments.demo.run import run_demo

    with signals_interrupt():
        run_demo(load_settings(), stay=not exit_after, say=click.echo)
