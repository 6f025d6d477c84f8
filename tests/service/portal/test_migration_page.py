"""The page Migration as operators see it, by the portal's own role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from core.access.people import person_of
from core.migration.row_failures import record_faulty_rows
from core.migration.runs import begin_migration, end_migration, plan_tables, request_migration
from core.settings import Settings, use_settings
from portal.database import act_as
from portal.navigation import contents_for

if TYPE_CHECKING:
    from tests.service.month import Service

SUMMARY = {
    "tables": {},
    "new": 7,
    "changed": 1,
    "gone": 0,
    "failed": 2,
    "disagreeing": ["invoices"],
    "problems": [{"table": "users", "column": "active", "reason": "it is wrong", "rows": 2}],
    "charges": [
        {"cause": "rate", "months": 1, "charges": 3, "legacy_pence": 900, "here_pence": 950}
    ],
    "clean": False,
}
FAULTY = sa.text("""
    INSERT INTO legacy_rows (legacy_table, legacy_id, body, checksum, problems)
    VALUES ('users', 7, '{}', '', '[{"code": "not-boolean", "column": "active"}]')
""")


@pytest.fixture
def page(service: Service, database_url: str) -> Iterator[AppTest]:
    from core.database.engine import engine

    use_settings(Settings(database_url=database_url, legacy_url="https://old.example"))
    engine.cache_clear()

    def section(person: object) -> None:  # it is run by itself, without our imports
        from unittest.mock import patch

        from portal.database import act_as
        from portal.views.migration import show

        act_as(person)  # type: ignore[arg-type]
        # Parts that refresh themselves look at the cookie again, and there is no browser.
        with patch("portal.fragments.person_on_page", lambda **_: person):
            show(person)  # type: ignore[arg-type]

    with service.engine.connect() as connection:
        person = person_of(connection, service.users["None"])  # who keeps the service
    yield AppTest.from_function(section, args=(person,), default_timeout=30)
    act_as(None)
    engine().dispose()
    engine.cache_clear()
    use_settings(None)


def ended(service: Service) -> int:
    with service.engine.begin() as connection:
        run_id = request_migration(connection, user_id=None)
        begin_migration(connection, run_id, flow_run=None)
        connection.execute(FAULTY)
        record_faulty_rows(connection, ["users"])
        plan_tables(connection, run_id)
        end_migration(connection, run_id, SUMMARY, clean=False)
    return run_id


def text_of(page: AppTest) -> str:
    return " ".join(each.value for each in [*page.markdown, *page.warning, *page.success])


def test_only_who_operates_has_the_page(service: Service, page: AppTest) -> None:
    with service.engine.connect() as connection:
        people = [person_of(connection, user) for user in service.users.values()]
    having = []
    for person in people:
        act_as(person)
        having += [person] if "migration" in contents_for(person) else []
    assert having == [person for person in people if person.runs_the_service]
    assert 0 < len(having) < len(people)


def test_a_migration_is_begun_shown_and_signed(service: Service, page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "There was no migration yet." in text_of(page)
    [begin] = [each for each in page.button if each.label == "Take over now"]
    begin.click().run()
    assert not page.exception
    assert "Migration 1" in text_of(page)
    with service.engine.begin() as connection:
        state = sa.text("UPDATE migration_runs SET state = 'running'")
        connection.execute(state)
        connection.execute(sa.text("UPDATE migration_runs SET state = 'failed'"))
    run_id = ended(service)
    page.run()
    assert not page.exception
    assert "Not as in the old service: invoices" in text_of(page)
    assert "2 rows" in text_of(page)
    tables = [each.value for each in page.dataframe]
    assert len(tables[0]) == 27
    assert list(tables[1]["Reason"]) == ["it is wrong"]
    assert list(tables[2]["Reason"]) == ["active: it is neither true nor false"]
    [charges] = [each.value for each in page.table]
    assert list(charges["Our calculation"]) == ["£9.50"]
    [note] = [each for each in page.text_input if each.label == "Note"]
    note.input("every sheet")
    [sign] = [each for each in page.button if each.label == "Sign off"]
    sign.click().run()
    assert not page.exception
    with service.engine.connect() as connection:
        row = connection.execute(
            sa.text("SELECT signed_name, sign_note FROM migration_runs WHERE id = :id"),
            {"id": run_id},
        ).one()
    assert row.sign_note == "every sheet"
    assert f"Signed by {row.signed_name}" in text_of(page)
    assert "Sign off" not in [each.label for each in page.button]
