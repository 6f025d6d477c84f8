"""A second service beside sexual health: tier 2 weight management, of data alone.

A provider of the demonstration takes part in both; the months, charges and totals of the two stand
side by side.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine

from core.accounts.organisations import find_organisation
from core.configurations.importing import import_configuration
from core.database import tables
from core.engine.dataset.specification import Specification, load_specification
from core.engine.samples.any_dataset import make_any_activity, sites_of
from core.engine.samples.writing import write_activity
from core.operations.dataset_import import import_dataset
from core.settings import PROJECT
from core.submissions.queries.run_totals import RunSummary
from core.user_errors import UserError
from core.vocabulary.states.submissions import FileState
from deployments.demo import story
from deployments.demo.activity import MONTH, DemoFile
from deployments.demo.by_hand import charges_by_hand, charges_in_database
from deployments.demo.cast import PROVIDERS
from deployments.demo.story import Say

DATASET = PROJECT / "core/engine/dataset/library/weight-management.yaml"
CONFIGURATION = PROJECT / "core/engine/tariff/library/illustrative-weight-management-2017-18.yaml"
PROVIDER = "ZX1"
ROWS = 1_200


def run_second_service(engine: Engine, home: Path, user_id: int, say: Say) -> RunSummary:
    """Imports the service, and carries a month of a provider from upload to charges.

    Raises ``UserError`` where a charge differs from the calculation by hand.
    """
    specification = load_specification(DATASET)
    with engine.begin() as connection:
        import_dataset(connection, DATASET.read_text(), name=DATASET.name)
        import_configuration(connection, CONFIGURATION.read_text(), name=CONFIGURATION.name)
        _add_venues(connection, specification)
    say("Imported a second service: weight management, with its own data set and tariff.")
    file = _make_file(home / "clinic files", specification)
    month = story.upload(engine, file, user_id, dataset=specification.dataset)
    say(f"{PROVIDERS[PROVIDER]} uploads {file.path.name}")
    story.require_state(story.wait_for_check(engine, month), FileState.READY)
    story.submit(engine, month, "final")
    outcome = story.wait_for_run(engine, month, say)
    _compare(engine, file, outcome, specification)
    say(f"{PROVIDER}: its charges agree with an independent calculation too")
    return outcome


def _add_venues(connection: Connection, specification: Specification) -> None:
    """The venues of the provider, which are other places than its clinics."""
    provider = find_organisation(connection, "provider", PROVIDER)
    venues = [
        {"provider_id": provider.id, "clinic_id": venue, "name": name, "commissioner": host}
        for venue, name, host in sites_of(specification, PROVIDER)
    ]
    connection.execute(tables.clinics.insert(), venues)


def _make_file(folder: Path, specification: Specification) -> DemoFile:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "Lea Valley weight management April 2017.csv"
    activity = make_any_activity(specification, ROWS, PROVIDER, MONTH, seed=2017)
    write_activity(activity, path)
    return DemoFile(PROVIDER, path, {}, activity)


def _compare(
    engine: Engine, file: DemoFile, outcome: RunSummary, specification: Specification
) -> None:
    by_hand = charges_by_hand(
        file.activity,
        provider=PROVIDER,
        dataset=DATASET.read_text(),
        configuration=CONFIGURATION.read_text(),
        hosts={venue: host for venue, _, host in sites_of(specification, PROVIDER)},
    )
    with engine.connect() as connection:
        charges = charges_in_database(connection, outcome.run_id)
    if by_hand != charges:
        differing = len(set(by_hand) ^ set(charges))
        raise UserError(f"{PROVIDER}: {differing} charges differ from the independent calculation")
