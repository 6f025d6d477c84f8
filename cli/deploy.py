"""``grouper deploy``: registers everything with Prefect's server."""

from __future__ import annotations

import click

from core.settings import load_settings, use_settings


@click.command()
def deploy() -> None:
    """Register work pool, queues, limits and deployments with Prefect, and check the event rules.

    May be run any number of times: what is as it should be stays as it is.
    """
    from deployments.apply import apply
    from deployments.queues import load_queues
    from deployments.rules import load_rules

    settings = load_settings()
    use_settings(settings)
    apply(settings)
    queues, rules = load_queues(), load_rules()
    click.echo(f"Work pool {queues.pool}: {', '.join(queues.queues)}")
    click.echo(f"Event rules: {', '.join(rule.name for rule in rules.rules)}")
