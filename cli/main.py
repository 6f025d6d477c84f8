"""The ``grouper`` command.

Each command lives in its own module and is imported only when it is asked for, so the offline
commands start without Prefect or Streamlit.
"""

from __future__ import annotations

import importlib
import io
import sys
from typing import NoReturn

import click

from core.user_errors import UserError

COMMANDS = {
    "areas": ("cli.areas:areas", "Look areas up; export and import the register."),
    "check": ("cli.check:check", "Check activity files offline."),
    "configurations": ("cli.configurations:configurations", "List and compare the tariffs."),
    "datasets": ("cli.datasets:datasets", "List and compare the data sets."),
    "demo": ("cli.demo:demo", "Start everything with sample data and run the main job."),
    "deploy": ("cli.deploy:deploy", "Register queues, deployments and rules with Prefect."),
    "errors": ("cli.errors:errors", "Show what failed; try it again or set it aside."),
    "events": ("cli.events:events", "List, follow and re-send events."),
    "import": ("cli.importing:import_documents", "Take in data sets and tariff configurations."),
    "invoices": ("cli.invoices:invoices", "List, pay, credit and export invoices."),
    "kpis": ("cli.kpis:kpis", "List and publish indicators; show what they came to."),
    "logs": ("cli.logs:logs", "Read, search and follow the log groups."),
    "migrate": ("cli.migrate:migrate", "Take over the data of the old service."),
    "organisations": ("cli.organisations:organisations", "Add, rename and merge organisations."),
    "pathways": ("cli.pathways:pathways", "Look at pathways taken over from the old service."),
    "price": ("cli.price:price", "Check, group and price activity files offline."),
    "queues": ("cli.queues:queues", "Show, pause and resume the queues."),
    "report": ("cli.report:report", "Make a report as an Excel workbook."),
    "rerun": ("cli.rerun:rerun", "Make a run again from the inputs that it kept."),
    "resets": ("cli.resets:resets", "Open a submitted month again, or refuse to."),
    "sample": ("cli.sample:sample", "Write a synthetic activity file."),
    "secrets": ("cli.secrets:secrets", "Show Prefect's sign-in; give secrets new values."),
    "spider": ("cli.spider:spider", "Fetch the register of areas from its source."),
    "subscriptions": ("cli.subscriptions:subscriptions", "Quote, invoice and end subscriptions."),
    "submit": ("cli.submit:submit", "Run a provider's month as a draft or as final."),
    "up": ("cli.up:up", "Start everything on this machine."),
    "users": ("cli.users:users", "Add users, end their access or sign-ins."),
    "upload": ("cli.upload:upload", "Upload activity files to a provider's month."),
}
"""Name of each command: where it lives, and its line in ``grouper --help``."""

WRONG_USE = 2


class LazyGroup(click.Group):
    """A group that imports a command only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.command(cls=LazyGroup)
def grouper() -> None:
    """Turns clinics' activity into priced charges that councils pay."""


def main() -> NoReturn:
    """Runs the command line; wrong use ends with one clear line and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a path may hold bytes that are no text
            stream.reconfigure(errors="backslashreplace")
    try:
        code = grouper.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as no_arguments:
        click.echo(no_arguments.format_message())
        code = 0
    except click.ClickException as wrong:
        fail(wrong.format_message())
    except UserError as wrong:
        fail(str(wrong))
    except (KeyboardInterrupt, click.Abort):
        fail("stopped", code=130)
    sys.exit(code if isinstance(code, int) else 0)


def fail(text: str, *, code: int = WRONG_USE) -> NoReturn:
    """One clear message on stderr, no traceback."""
    click.echo(f"grouper: {text}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
