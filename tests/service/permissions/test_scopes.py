"""Every query and verb of core that the portal calls takes the person that it answers."""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

import pytest

from core.access.people import person_of
from core.access.scope import NOTHING, NotAllowed
from core.areas.progress import newest_crawls
from core.events.event_list import EventSearch, events_after, find_events, list_events
from core.events.failures import list_failures, show_failure
from core.events.log_groups import LogSearch, find_posts, log_groups, posts_after, search
from core.kpis.catalogue import all_kpis, publish_kpi, published_kpis, retire_kpi, write_kpi
from core.settings import PROJECT
from core.submissions.queries.reset_list import hosted_months, list_resets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from tests.service.month import Service

PERSON = {"scope", "person", "user_id"}
OF_NOBODY = {
    "core.access.people.admit": "before it, nobody is there",
    "core.access.sessions.begin_session": "before it, nobody is there",
    "core.access.sessions.admitted_session": "before it, nobody is there",
    "core.events.prefect_webhook.raise_scheduler_event": "Prefect tells the portal, by a signature",
    "core.events.prefect_webhook.first_time": "whether the message is new, whoever sends it",
    "core.areas.register_store.register_in_use": "the register of areas is published",
    "core.areas.register_store.rows_in_use": "the register of areas is published",
    "core.configurations.datasets.all_versions": "specifications are published",
    "core.configurations.datasets.get_version": "specifications are published",
    "core.submissions.versions.has_version": "of a submission that the scope gave",
    "core.submissions.versions.specification_for": "of a submission that the scope gave",
    "core.submissions.versions.specification_of_file": "of a file that the scope gave",
    "core.configurations.datasets.dataset_titles": "the names of specifications",
    "core.accounts.organisations.find_organisation": "from a code that was seen to its id",
    "core.submissions.commands.quotas.require_room": "of a submission that the scope gave",
    "core.submissions.clinics_to_place.clinics_to_place": "of a submission that the scope gave",
    "core.submissions.commands.requests.obstacles": "of a submission that the scope gave",
    "core.submissions.month_doubts.decision_on": "of a run that the scope gave",
    "core.submissions.month_doubts.doubts_of": "of a submission that the scope gave",
    "core.submissions.commands.headings.choices_of": "of a provider that the scope gave",
    "core.submissions.queries.charge_explanation.explain": "of a run that the scope gave",
    "core.submissions.queries.charge_list.episode_of": "of a run that the scope gave",
    "core.submissions.queries.charge_list.lines_of": "of a run that the scope gave",
    "core.submissions.queries.lost_codes.lost_codes": "of a run that the scope gave",
    "core.submissions.queries.charge_list.sums_of": "of a run that the scope gave",
    "core.configurations.role_labels.labels_of_runs": "of runs that the scope gave",
    "core.configurations.published_names.currency_names": "of runs that the scope gave",
    "core.configurations.run_tariffs.tariffs_of_runs": "of runs that the scope gave",
    "core.migration.pathways.any_pathways": "pathways are published, as tariffs are",
    "core.migration.pathways.price_versions": "pathways are published, as tariffs are",
    "core.migration.pathways.read_pathways": "pathways are published, as tariffs are",
    "core.configurations.configuration_list.readable_configurations": "they are published",
}
"""Functions that answer everybody alike, or that ask for what only a scope gives."""


def test_all_that_the_portal_asks_of_core_takes_who_asks() -> None:
    called = dict(_called())
    without = {
        name
        for name, function in called.items()
        if "connection" in (known := inspect.signature(function).parameters)
        and not PERSON & set(known)
    }
    assert without - set(OF_NOBODY) == set(), "give them a scope, or say here why they need none"
    assert set(OF_NOBODY) & set(called) <= without, "these are no exceptions any more"
    assert len(called) > 100


def _called() -> Iterator[tuple[str, FunctionType]]:
    """Every function of core that a module of the portal imports, or calls in one that it does."""
    for path in sorted(Path(PROJECT / "portal").rglob("*.py")):
        tree = ast.parse(path.read_text())
        modules = {}
        for name, found in _imported(tree):
            if isinstance(found, FunctionType):
                yield f"{found.__module__}.{found.__name__}", found
            elif isinstance(found, ModuleType):
                modules[name] = found
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found = getattr(modules.get(node.value.id), node.attr, None)
                if isinstance(found, FunctionType):
                    yield f"{found.__module__}.{found.__name__}", found


def _imported(tree: ast.Module) -> Iterator[tuple[str, object]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("core."):
            module = importlib.import_module(str(node.module))
            for each in node.names:
                found = getattr(module, each.name, None)
                if found is None:
                    found = importlib.import_module(f"{node.module}.{each.name}")
                yield each.asname or each.name, found


FOR_OPERATORS: list[Callable[[Connection], object]] = [
    lambda c: list_failures(c, NOTHING),
    lambda c: show_failure(c, NOTHING, "AB12"),
    lambda c: list_events(c, NOTHING, EventSearch(), limit=1),
    lambda c: find_events(c, NOTHING, EventSearch(), []),
    lambda c: events_after(c, NOTHING, EventSearch(), 0),
    lambda c: log_groups(c, NOTHING),
    lambda c: search(c, NOTHING, LogSearch(), limit=1),
    lambda c: find_posts(c, NOTHING, LogSearch(), []),
    lambda c: posts_after(c, NOTHING, LogSearch(), 0),
    lambda c: newest_crawls(c, NOTHING),
    lambda c: list_resets(c, NOTHING),
    lambda c: hosted_months(c, NOTHING, "E09000030"),
    lambda c: all_kpis(c, NOTHING),
]


@pytest.mark.parametrize("ask", FOR_OPERATORS)
def test_who_has_no_role_is_told_nothing(
    service: Service, ask: Callable[[Connection], object]
) -> None:
    with service.engine.connect() as connection, pytest.raises(NotAllowed):
        ask(connection)


def test_a_provider_neither_writes_nor_publishes_an_indicator(service: Service) -> None:
    with service.engine.connect() as connection:
        [known, *_] = published_kpis(connection, "sexual-health")
        amira = person_of(connection, service.amira).id
        attempts: list[Callable[[], object]] = [
            lambda: write_kpi(connection, known.dataset, known.definition, user_id=amira),
            lambda: publish_kpi(connection, known.id, user_id=amira),
            lambda: retire_kpi(connection, known.id, user_id=amira),
        ]
        for attempt in attempts:
            with pytest.raises(NotAllowed):
                attempt()
