"""Runs the demonstration from an empty data folder to the reports, and prints what it does."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy import Engine

from core.configurations.importing import import_configuration
from core.database import tables
from core.database.engine import engine as open_engine
from core.engine.samples.activity import sample_clinics
from core.engine.tariff.money import Money
from core.operations.dataset_import import import_dataset
from core.settings import PROJECT, Settings, use_settings
from core.submissions.commands.requests import RunKind
from core.submissions.queries.run_totals import RunSummary
from core.user_errors import UserError
from core.vocabulary.states.submissions import FileState
from deployments.demo import story
from deployments.demo.activity import MONTH, DemoFile, make_files
from deployments.demo.by_hand import charges_by_hand, charges_in_database
from deployments.demo.cast import EVERYBODY, PEOPLE, PROVIDERS, DemoPerson, add_people
from deployments.demo.openid_provider import openid_provider
from deployments.demo.second_service import PROVIDER, run_second_service
from deployments.demo.story import Month, Say
from deployments.supervisor import Services

DATASET = PROJECT / "core/engine/dataset/library/sexual-health.yaml"
CONFIGURATION = PROJECT / "core/engine/tariff/library/illustrative-isht-2017-18.yaml"
KINDS: dict[str, RunKind] = {"ZX1": "final", "ZX2": "draft"}


@dataclass(frozen=True)
class StoryResult:
    """The result of the story, which is printed at the end."""

    outcomes: dict[str, RunSummary]
    reports: list[Path]
    second_service: RunSummary


def run_demo(settings: Settings, *, stay: bool, say: Say) -> None:
    """The whole demonstration; raises ``UserError`` where anything failed.

    With ``stay`` the services run on afterwards, until they are stopped.
    """
    with demonstration(settings, say=say) as services:
        if stay:
            say("Press Ctrl-C to stop.")
            services.wait()


@contextmanager
def demonstration(settings: Settings, *, say: Say) -> Iterator[Services]:
    """The services after the main job, until the context ends."""
    home = settings.home / "demo"
    say("Grouper demonstration: every provider, clinic, person and price in it is made up.")
    with _services(settings, home, say) as services:
        started = time.monotonic()
        result = _carry_out_story(open_engine(services.database_url), home, say)
        say(f"The main job took {time.monotonic() - started:.0f} s.")
        _show_end(services, result, say)
        yield services


@contextmanager
def _services(settings: Settings, home: Path, say: Say) -> Iterator[Services]:
    """Everything that `grouper up` runs, on an empty data folder, with a local sign-in."""
    _empty(home)
    with openid_provider(EVERYBODY) as metadata_url:
        chosen = settings.model_copy(
            update={
                "home": home,
                "oidc_metadata_url": metadata_url,
                "oidc_client_id": "grouper-portal",
                "oidc_client_secret": SecretStr(secrets.token_urlsafe()),
            }
        )
        use_settings(chosen)
        say("Starting PostgreSQL, Prefect, a worker and the portal …")
        with Services(chosen) as services:
            yield services


def _empty(home: Path) -> None:
    if home.exists():
        shutil.rmtree(home)
    home.mkdir(parents=True)


def _carry_out_story(engine: Engine, home: Path, say: Say) -> StoryResult:
    users = import_demo_data(engine, EVERYBODY)
    say("Imported the sexual health data set and the illustrative tariff 2017/18.")
    files = make_files(home / "clinic files")
    months = _upload_and_correct(engine, files, users, say)
    outcomes = _submit(engine, months, say)
    _compare(engine, files, outcomes, say)
    reports = _make_reports(engine, users, home / "reports", say)
    second = run_second_service(engine, home, users[PROVIDER], say)
    return StoryResult(outcomes, reports, second)


def import_demo_data(engine: Engine, people: Iterable[DemoPerson] = PEOPLE) -> dict[str, int]:
    """Imports data set and tariff, adds the people; returns organisation code to user id."""
    with engine.begin() as connection:
        import_dataset(connection, DATASET.read_text(), name=DATASET.name)
        import_configuration(connection, CONFIGURATION.read_text(), name=CONFIGURATION.name)
        clinics = {provider: sample_clinics(provider) for provider in PROVIDERS}
        add_people(connection, clinics, people)
    return demo_users(engine)


def demo_users(engine: Engine) -> dict[str, int]:
    """Organisation code to the id of its demonstration user."""
    with engine.connect() as connection:
        query = sa.select(tables.users.c.subject, tables.users.c.id)
        users = dict(connection.execute(query).tuples().all())
    return {str(p.organisation): users[p.subject] for p in PEOPLE}


def _upload_and_correct(
    engine: Engine, files: list[DemoFile], users: dict[str, int], say: Say
) -> list[Month]:
    months = [story.upload(engine, file, users[file.provider]) for file in files]
    for file in files:
        say(f"{PROVIDERS[file.provider]} uploads {file.path.name}")
    for file, month in zip(files, months, strict=True):
        checked = story.wait_for_check(engine, month)
        story.require_state(checked, FileState.IN_ERROR)
        say(f"Checked {checked.name}: {checked.records:,} records, {checked.errors} errors")
        story.correct_errors(engine, month, file.right, say)
    for month in months:
        checked = story.wait_for_check(engine, month)
        story.require_state(checked, FileState.READY)
        say(f"Checked {checked.name} again: ready, {checked.warnings} warnings")
    return months


def _submit(engine: Engine, months: list[Month], say: Say) -> dict[str, RunSummary]:
    for month in months:
        kind = KINDS[month.provider]
        story.submit(engine, month, kind)
        say(f"{PROVIDERS[month.provider]} runs {MONTH:%B %Y} as {kind}")
    return {month.provider: story.wait_for_run(engine, month, say) for month in months}


def _compare(
    engine: Engine, files: list[DemoFile], outcomes: dict[str, RunSummary], say: Say
) -> None:
    for file in files:
        by_hand = charges_by_hand(
            file.activity,
            provider=file.provider,
            dataset=DATASET.read_text(),
            configuration=CONFIGURATION.read_text(),
            hosts={clinic: host for clinic, _, host in sample_clinics(file.provider)},
        )
        with engine.connect() as connection:
            charges = charges_in_database(connection, outcomes[file.provider].run_id)
        if by_hand != charges:
            differing = len(set(by_hand) ^ set(charges))
            raise UserError(
                f"{file.provider}: {differing} charges differ from the independent calculation"
            )
        say(f"{file.provider}: all {len(charges):,} charges agree with an independent calculation")


def _make_reports(engine: Engine, users: dict[str, int], folder: Path, say: Say) -> list[Path]:
    recipients = (("provider", "ZX1"), ("commissioner", "E09000030"))
    report_ids = [
        story.ask_for_report(engine, side, code, users[code]) for side, code in recipients
    ]
    paths = [story.wait_for_report(engine, report, folder) for report in report_ids]
    say("Made the Backing Data of a provider and of a commissioner.")
    return paths


def _total(name: str, outcome: RunSummary) -> str:
    return (
        f"{name:38} {outcome.kind:6} {outcome.records:7,} records "
        f"{outcome.charges:7,} charges £{Money(outcome.amount_pence).grouped:>12}"
    )


def _show_end(services: Services, result: StoryResult, say: Say) -> None:
    say("")
    for provider, outcome in result.outcomes.items():
        say(_total(PROVIDERS[provider], outcome))
    say(_total(f"{PROVIDER}, weight management (synthetic)", result.second_service))
    say("")
    say("Reports, to open in Excel or LibreOffice:")
    for path in result.reports:
        say(f"  {path}")
    say(f"Portal:     {services.portal_url}   (choose a person to sign in, no password)")
    for person in EVERYBODY:
        say(f"              {person.subject:28} {person.name}, {person.kind}")
    say(f"Prefect UI: {services.settings.prefect_url}")
