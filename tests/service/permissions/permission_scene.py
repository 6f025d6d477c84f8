"""Two providers and two commissioners with months in every state, and people of every kind.

``own`` is Lea Valley (ZX1) and Tower Hamlets, ``other`` Thames Reach (ZX2) and Hackney; neither
shares a month, a clinic or a charge with the other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from core.access.users import add_user
from core.accounts.organisations import find_organisation
from core.accounts.subscriptions import Quote, invoice, quote
from core.accounts.today import today
from core.database import tables
from core.kpis.catalogue import published_kpis, write_kpi
from core.kpis.measuring import Measurement
from core.kpis.results import store_result
from core.submissions.commands.failing import fail_run
from core.submissions.commands.resets import ask_for_reset
from core.submissions.commands.run_inputs import load_run
from core.submissions.commands.runs import names_of_inputs
from core.support.faults import Fault
from core.vocabulary.permissions import Kind
from tests.service.month import HACKNEY, TOWER_HAMLETS, visit

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from tests.service.month import Service

FINAL, ASKED, READY, IN_ERROR, FAILED = (dt.date(2017, month, 1) for month in range(4, 9))
DATASET = "sexual-health"
TIMES = ("in force", "not yet", "ended")
PLACES = ("own", "other")
DRAFT, FIGURE = "a-draft", "50.0%"
"""An indicator that is not published; and what the published ones came to."""


@dataclass(frozen=True)
class Variant:
    """A kind of subscription, on one side where it may be on both."""

    kind: str
    side: str | None


VARIANTS = (
    Variant("Basic Provider", "provider"),
    Variant("Provider+", "provider"),
    Variant("Commissioner", "commissioner"),
    Variant("Cluster Manager", "commissioner"),
    Variant("read-only", "provider"),
    Variant("read-only", "commissioner"),
    Variant("administrator", None),
    Variant("operator", None),
)


@dataclass
class Place:
    """A provider and the commissioner that pays for it, with the provider's months."""

    provider: str
    provider_id: int
    commissioner: str
    commissioner_id: int
    submissions: dict[dt.date, int] = field(default_factory=dict)
    run_id: int = 0  # final, published
    file_id: int = 0  # in error
    reset_id: int = 0
    failure: str = ""


@dataclass
class Scene:
    """The places, and who is there: by kind of subscription and time."""

    places: dict[str, Place]
    people: dict[tuple[Variant, str], int]


@dataclass(frozen=True)
class Stage:
    """The same database as its owner and as the portal see it."""

    owner: Engine
    portal: Engine
    scene: Scene


def make_scene(service: Service) -> Scene:
    places = {
        "own": _place(service, "ZX1", "E09000030", TOWER_HAMLETS),
        "other": _place(service, "ZX2", "E09000012", HACKNEY),
    }
    with service.engine.begin() as connection:
        people = dict(_people(connection, places["own"]))
        _measure(connection, places)
    return Scene(places, people)


def _place(service: Service, provider: str, commissioner: str, lsoa: str) -> Place:
    service.amira = service.users[provider]
    with service.engine.begin() as connection:
        place = Place(
            provider,
            find_organisation(connection, "provider", provider).id,
            commissioner,
            find_organisation(connection, "commissioner", commissioner).id,
        )
        clinics = tables.clinics
        connection.execute(
            clinics.update()
            .where(clinics.c.provider_id == place.provider_id)
            .values(commissioner=commissioner)
        )
    line = visit(1, "T4", clinic=f"{provider}-A", lsoa=lsoa)
    for month in (FINAL, ASKED, READY, IN_ERROR, FAILED):
        place.submissions[month] = service.month(provider, month)
    for month in (FINAL, ASKED, READY, FAILED):
        service.ready(place.submissions[month], line)
    place.run_id = service.run(place.submissions[FINAL], "final")
    service.run(place.submissions[ASKED], "final")
    wrong = visit(1, "T4", clinic=f"{provider}-A", lsoa=lsoa, gender="99")
    place.file_id = service.upload(place.submissions[IN_ERROR], wrong)
    assert service.check(place.file_id) == "in error"
    failed = service.request(place.submissions[FAILED], "final")
    with service.engine.begin() as connection:
        fault = Fault("stopped", "x.py:1")
        place.failure = fail_run(connection, names_of_inputs(load_run(connection, failed)), fault)
        place.reset_id = ask_for_reset(
            connection, place.submissions[ASKED], host=commissioner, reason="why", user_id=None
        )
    return place


def _measure(connection: Connection, places: dict[str, Place]) -> None:
    [shown, *_] = [
        kpi for kpi in published_kpis(connection, DATASET) if kpi.definition.unit == "percent"
    ]
    for place in places.values():
        store_result(connection, place.run_id, shown.id, Measurement(Decimal(50), Decimal(100)))
    changed = shown.definition.model_copy(update={"kpi": DRAFT})
    write_kpi(connection, DATASET, changed)


def _people(connection: Connection, own: Place) -> Iterator[tuple[tuple[Variant, str], int]]:
    ids = {"provider": own.provider_id, "commissioner": own.commissioner_id, None: None}
    for variant in VARIANTS:
        for time in TIMES:
            name = f"{variant.kind}, {variant.side}, {time}"
            user = add_user(connection, name, name, None, user_id=None)
            _subscribe(connection, Kind(variant.kind), user, ids[variant.side], time)
            yield (variant, time), user


def _subscribe(
    connection: Connection, kind: Kind, user: int, organisation: int | None, time: str
) -> None:
    day = dt.timedelta(days=1)
    bought, first = {
        "in force": (today() - 20 * day, today() - 20 * day),
        "not yet": (today(), today() + day),
        "ended": (today() - 400 * day, today() - 400 * day),
    }[time]
    wanted = Quote(kind, user, organisation, first)
    number = quote(connection, wanted, today=bought, user_id=None)
    invoice(connection, number, on=bought, user_id=None)


def rows_of_others(scene: Scene) -> dict[str, str]:
    """For each table of activity, the condition on rows that are not of ``own``, in SQL.

    Ids are literal: the role that is tested must not be able to hide a row by hiding another.
    """
    own, other = scene.places["own"], scene.places["other"]
    months = ", ".join(map(str, own.submissions.values()))
    return {
        "organisations": f"code NOT IN ('{own.provider}', '{own.commissioner}')",
        "clinics": f"provider_id <> {own.provider_id}",
        "submissions": f"id NOT IN ({months})",
        "files": f"submission_id NOT IN ({months})",
        "runs": f"submission_id NOT IN ({months})",
        "errors": f"file_id = {other.file_id}",
        "charges": f"commissioner <> '{own.commissioner}' OR run_id = {other.run_id}",
        "charge_reasons": f"run_id = {other.run_id}",
        "run_payers": f"commissioner <> '{own.commissioner}' OR run_id = {other.run_id}",
        "run_chunks": f"run_id = {other.run_id}",
        "resets": f"host_id <> {own.commissioner_id}",
        "records_sexual_health": f"\"Clinic ID\" = '{other.provider}-A'",
        "failures": f"reference = '{other.failure}'",
    }
