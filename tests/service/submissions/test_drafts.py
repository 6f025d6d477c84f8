"""A draft of a tariff configuration is its lead commissioner's to write, and only a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import NotAllowed
from core.configurations.importing import import_configuration
from core.database import tables
from core.database.acting import acting_for
from core.vocabulary.permissions import Action
from deployments.demo.run import CONFIGURATION

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.service.month import Service

LIVE = CONFIGURATION.read_text()
NAME, LEAD, OTHER = "illustrative-isht-2017-18", "E09000030", "E09000012"


def draft(name: str = "a-draft", owner: str | None = LEAD) -> str:
    led = LIVE.replace(f"owner: {LEAD}", f"owner: {owner}" if owner else "")
    return led.replace("status: live", "status: draft").replace(NAME, name)


def keep(engine: Engine, body: str, user: int | None = None) -> None:
    with acting_for(engine, user).begin() as connection:
        import_configuration(connection, body, name="c.yaml", user_id=user)


def stored_draft(service: Service, name: str = "a-draft") -> tuple[str, str | None]:
    configurations = tables.configurations
    query = sa.select(configurations.c.status, configurations.c.owner).where(
        configurations.c.configuration == name
    )
    [row] = service.rows(query)
    return row.status, row.owner


def test_the_lead_commissioner_writes_a_draft_and_writes_it_again(
    service: Service, portal_engine: Engine
) -> None:
    carys = service.users[LEAD]
    keep(portal_engine, draft(), carys)
    keep(portal_engine, draft() + "\n# once more\n", carys)
    assert stored_draft(service) == ("draft", LEAD)


@pytest.mark.parametrize(
    ("before", "body", "action"),
    [
        ([], draft(owner=OTHER), Action.EDIT_CONFIGURATION),
        ([], draft(owner=None), Action.EDIT_CONFIGURATION),
        ([draft(owner=OTHER)], draft(), Action.EDIT_CONFIGURATION),  # it would be taken over
        ([], draft(NAME), Action.PUBLISH_CONFIGURATION),  # the live one would be no more
        ([], LIVE, Action.PUBLISH_CONFIGURATION),
    ],
)
def test_what_is_not_a_draft_of_its_own_is_refused(
    service: Service, before: list[str], body: str, action: Action
) -> None:
    for each in before:
        keep(service.engine, each)
    with pytest.raises(NotAllowed) as refused:
        keep(service.engine, body, service.users[LEAD])
    assert refused.value.action == action
    assert stored_draft(service, NAME)[0] == "live"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE configurations SET owner = 'E09000012' WHERE configuration = 'mine'",
        "UPDATE configurations SET status = 'live' WHERE configuration = 'mine'",
        "UPDATE configurations SET title = 'x' WHERE configuration IN ('theirs', 'none')",
        f"UPDATE configurations SET title = 'x' WHERE configuration = '{NAME}'",
        "DELETE FROM configuration_providers USING configurations c "
        "WHERE configuration_id = c.id AND c.configuration <> 'mine'",
    ],
)
def test_the_database_refuses_it_too(service: Service, portal_engine: Engine, change: str) -> None:
    for name, owner in (("mine", LEAD), ("theirs", OTHER), ("none", None)):
        keep(service.engine, draft(name, owner))
    with acting_for(portal_engine, service.users[LEAD]).connect() as connection:
        try:
            assert connection.exec_driver_sql(change).rowcount == 0
        except sa.exc.ProgrammingError as refused:
            assert "row-level security" in str(refused)
        connection.rollback()
        own = "UPDATE configurations SET title = 'x' WHERE configuration = 'mine'"
        assert connection.exec_driver_sql(own).rowcount == 1
