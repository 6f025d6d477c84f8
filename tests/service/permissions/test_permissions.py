"""Every kind of subscription × every action × own and other organisations × time, at three layers.

What is expected is written here by hand, from the terms and the issue's words, not taken from the
table in the code: so the table itself is tested, and each layer against it.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.people import person_of
from core.database.access import ACCESS
from core.database.acting import acting_for
from core.database.tables.columns import metadata
from core.settings import PROJECT
from core.vocabulary.permissions import Action, permissions_page
from tests.service.permissions.permission_attempts import in_core, in_sql
from tests.service.permissions.permission_pages import forced, offered, pages_on
from tests.service.permissions.permission_scene import (
    PLACES,
    TIMES,
    VARIANTS,
    Scene,
    Stage,
    Variant,
    make_scene,
    rows_of_others,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.service.month import Service

TERMS = {
    # "Basic Provider: upload, calculate." It corrects, submits, and sees what came of it.
    "Basic Provider": "upload, correct, submit, see charges, see backing data",
    # "Provider+: and sandbox, KPI reports."
    "Provider+": "upload, correct, submit, see charges, see backing data, draft, see KPIs",
    # "Commissioner: charges of residents and hosted unknowns, KPI"; the host asks for a reset;
    # the lead commissioner owns the configuration.
    "Commissioner": "see charges, see backing data, see KPIs, ask for reset, edit configuration",
    # "Cluster Manager: commissioner over several areas."
    "Cluster Manager": "see charges, see backing data, see KPIs, ask for reset, edit configuration",
    # It reads, and nothing of patient level goes out.
    "read-only": "see charges, see KPIs",
    # Resets are granted by the administrator; "the administrator of accounts".
    "administrator": (
        "grant reset, edit configuration, publish configuration, manage accounts, operate"
    ),
    # "The operator sees processes, not patients."
    "operator": "operate",
}
ACTIONS = [
    "upload", "correct", "draft", "submit", "see charges", "see KPIs", "see backing data",
    "ask for reset", "grant reset", "edit configuration", "publish configuration",
    "manage accounts", "operate",
]  # fmt: skip
OF_NO_PLACE = ("publish configuration", "manage accounts", "operate")
"""What is not done to the rows of an organisation."""
COMBINATIONS = [
    (variant, action, place, time)
    for variant in VARIANTS
    for action in ACTIONS
    for place in PLACES
    for time in TIMES
]


ON_PAGES_OF_NO_PLACE = "edit configuration"
"""What the portal offers to write are indicators, which are no organisation's."""


def expected(layer: str, variant: Variant, action: str, place: str, time: str) -> bool:
    """By the terms: in force, of this kind, and here or everywhere."""
    of_no_place = action in OF_NO_PLACE or (layer, action) == ("page", ON_PAGES_OF_NO_PLACE)
    here = place == "own" or variant.side is None or of_no_place
    return time == "in force" and here and action in TERMS[variant.kind].split(", ")


def test_the_actions_are_those_of_the_issue() -> None:
    assert list(Action) == ACTIONS
    assert {variant.kind for variant in VARIANTS} == set(TERMS)


def test_every_combination_at_three_layers(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [
        f"{layer}: {variant.kind} of a {variant.side} {'may' if found else 'may not'} {action} "
        f"({place}, {time})"
        for layer, allowed in _layers(stage)
        for variant, action, place, time in COMBINATIONS
        if (found := (variant, action, place, time) in allowed)
        != expected(layer, variant, action, place, time)
    ]
    assert wrong == []
    with capsys.disabled():
        each = len(COMBINATIONS)
        print(f" [{each} combinations at three layers: {3 * each}] ", end="")


Combination = tuple[Variant, str, str, str]


def _layers(stage: Stage) -> Iterator[tuple[str, set[Combination]]]:
    yield "core", _tried(stage.owner, stage.scene, in_core)
    yield "SQL", _tried(stage.portal, stage.scene, in_sql)
    yield "page", _on_pages(stage.portal, stage.scene)


def _tried(engine: Engine, scene: Scene, attempt: object) -> set[Combination]:
    """What had its effect, each tried in a transaction of the person's that is rolled back."""
    assert callable(attempt)
    found = set()
    for (variant, time), user in scene.people.items():
        with acting_for(engine, user).connect() as connection:
            for place, action in product(PLACES, Action):
                tried = connection.begin_nested()
                if attempt(connection, action, scene.places[place], user):
                    found.add((variant, str(action), place, time))
                tried.rollback()
    return found


def _on_pages(portal_engine: Engine, scene: Scene) -> set[Combination]:
    found = set()
    with pages_on(portal_engine):
        for (variant, time), user in scene.people.items():
            with acting_for(portal_engine, user).connect() as connection:
                person = person_of(connection, user)
            for action, place in offered(person, scene):
                found.add((variant, action, place, time))
    return found


@pytest.mark.parametrize("address", ["accounts", "audit", "operations"])
def test_a_page_that_nobody_should_reach_shows_nothing(stage: Stage, address: str) -> None:
    with pages_on(stage.portal):
        for (variant, time), user in stage.scene.people.items():
            if time == "in force" and variant.side:
                with acting_for(stage.portal, user).connect() as connection:
                    person = person_of(connection, user)
                assert "do not allow this" in forced(person, address), variant


def test_no_row_of_another_organisation_is_ever_returned(stage: Stage) -> None:
    scene, portal_engine = stage.scene, stage.portal
    for (variant, time), user in scene.people.items():
        for table, theirs in rows_of_others(scene).items():
            with acting_for(portal_engine, user).connect() as connection:
                seen = _seen(connection, f"SELECT count(*) FROM {table} WHERE {theirs}")
            allowed = time == "in force" and table in OF_PROCESSES.get(variant.kind, ())
            assert bool(seen) <= allowed, (variant, time, table)


OF_PROCESSES = {
    "operator": ("organisations", "submissions", "files", "runs", "run_chunks", "failures"),
    "administrator": (
        "organisations", "submissions", "files", "runs", "run_chunks", "failures", "clinics",
        "resets",
    ),
}  # fmt: skip
"""Tables without anything about a patient, of which those who keep the service see all rows."""


def test_nobody_here_sees_no_row_at_all(stage: Stage) -> None:
    with stage.portal.connect() as connection:
        for table in sorted(metadata.tables):
            assert not _seen(connection, f"SELECT count(*) FROM {table}"), table


def _seen(connection: sa.Connection, statement: str) -> int:
    try:
        with connection.begin_nested():
            return int(connection.exec_driver_sql(statement).scalar_one())
    except sa.exc.ProgrammingError as refused:
        assert "permission denied" in str(refused)
        return 0


def test_every_table_has_a_decision() -> None:
    undecided = sorted(set(metadata.tables) ^ set(ACCESS))
    assert undecided == [], "say in core/database/access.py who may touch their rows"


def test_the_portal_cannot_change_what_was_audited(service: Service, portal_engine: Engine) -> None:
    scene = make_scene(service)
    administrator = next(
        user for (variant, time), user in scene.people.items()
        if (variant.kind, time) == ("administrator", "in force")
    )  # fmt: skip
    for statement in ("UPDATE audit SET reason = ''", "DELETE FROM audit", "TRUNCATE audit"):
        refused = pytest.raises(sa.exc.ProgrammingError, match="permission denied")
        with refused, acting_for(portal_engine, administrator).connect() as connection:
            connection.exec_driver_sql(statement)


def test_the_page_of_permissions_is_that_of_the_code() -> None:
    assert (PROJECT / "docs/permissions.md").read_text() == permissions_page()


def test_only_one_module_of_the_portal_opens_the_database() -> None:
    opening = [
        path.relative_to(PROJECT)
        for path in Path(PROJECT / "portal").rglob("*.py")
        if "core.database.engine" in path.read_text()
        or "core.database import engine" in path.read_text()
    ]
    assert opening == [Path("portal/database.py"), Path("portal/hooks.py")]
