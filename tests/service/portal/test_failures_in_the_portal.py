"""The error queue as operators see it in the portal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from core.access.people import person_of
from core.access.scope import EVERYTHING
from core.events.failures import list_failures, record_failure
from core.settings import Settings, use_settings
from core.submissions.commands.failing import fail_run
from core.submissions.commands.run_inputs import load_run
from core.submissions.commands.runs import names_of_inputs
from core.support.faults import Fault
from core.vocabulary.failure_kinds import FailureKind
from core.vocabulary.states.events import FailureState
from tests.service.month import visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.month import Service

CAUSE = Fault("The program stopped where it should not (KeyError)", "core/x.py:1 in y")


@pytest.fixture
def page(service: Service, database_url: str) -> Iterator[AppTest]:
    """The section for an operator, on the test's own database."""
    from core.database.engine import engine

    use_settings(Settings(database_url=database_url))
    engine.cache_clear()

    def section(person: object) -> None:  # it is run by itself, without our imports
        from portal.components.failures import show_failures

        show_failures(person)  # type: ignore[arg-type]

    with service.engine.connect() as connection:
        person = person_of(connection, service.users["None"])  # who keeps the service
    yield AppTest.from_function(section, args=(person,), default_timeout=30)
    engine().dispose()
    engine.cache_clear()
    use_settings(None)


def fail(service: Service) -> str:
    month = service.month()
    service.ready(month, visit(1, "T4"))
    run_id = service.request(month, "draft")
    with service.engine.begin() as connection:
        return fail_run(connection, names_of_inputs(load_run(connection, run_id)), CAUSE)


def states(service: Service) -> list[FailureState]:
    with service.engine.connect() as connection:
        return [
            failure.state for failure in list_failures(connection, EVERYTHING, tuple(FailureState))
        ]


def test_without_failures_the_page_says_so(page: AppTest) -> None:
    page.run()
    assert not page.exception
    assert "Nothing waits here" in page.markdown[0].value
    assert len(page.button) == 0


def test_what_failed_is_shown_and_tried_again(service: Service, page: AppTest) -> None:
    reference = fail(service)
    page.run()
    assert not page.exception
    assert reference in page.markdown[0].value
    assert [text.value for text in page.text][1] == CAUSE.reason
    assert page.code[0].value == CAUSE.detail
    page.button(key=f"retry-{reference}").click().run()
    assert not page.exception
    assert states(service) == [FailureState.RETRIED]
    assert len(page.button) == 0  # until it fails anew there is nothing to press


def test_what_failed_is_set_aside(service: Service, page: AppTest) -> None:
    reference = fail(service)
    page.run()
    page.button(key=f"discard-{reference}").click().run()
    assert states(service) == [FailureState.DISCARDED]
    assert "Nothing waits here" in page.markdown[0].value


def test_why_it_cannot_be_tried_again_is_told_plainly(service: Service, page: AppTest) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4"))
    run_id = service.request(month, "draft")
    with service.engine.begin() as connection:
        payload = names_of_inputs(load_run(connection, run_id))
        reference = record_failure(
            connection,
            FailureKind.RUN,
            CAUSE,
            subject=f"submission/{month}",
            title="ZX1",
            payload=payload,
        )
    page.run()
    page.button(key=f"retry-{reference}").click().run()
    assert "This submission is queued" in page.error[0].value
    assert states(service) == [FailureState.WAITING]
