"""While a file is checked and a month calculated, its page says how far that is, with counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.access.people import person_of
from core.access.scope import EVERYTHING, NOTHING
from core.database.acting import acting_for
from core.submissions.commands.file_checks import load_file_check, set_expected_chunks
from core.submissions.commands.run_inputs import load_run
from core.submissions.commands.runs import begin_run
from core.submissions.stage_progress import StageProgress, record_stage, stages_of
from core.vocabulary.states.submissions import SubmissionState
from tests.service.month import APRIL, Service, visit
from tests.service.permissions.permission_pages import page_at, pages_on

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from streamlit.testing.v1 import AppTest

MERGING, TRIGGERING = SubmissionState.MERGING, SubmissionState.TRIGGERING


def look(engine: Engine, user: int, address: str) -> AppTest:
    with pages_on(engine):
        with acting_for(engine, user, None).connect() as connection:
            person = person_of(connection, user)
        return page_at(person, address, "ZX1", APRIL)


def text_of(page: AppTest) -> str:
    bars = [bar.proto.text for bar in page.get("progress")]  # type: ignore[attr-defined]
    return " ".join([*bars, *(each.value for each in (*page.markdown, *page.caption))])


def test_a_check_says_how_many_parts_are_done(service: Service, portal_engine: Engine) -> None:
    month = service.month()
    file_id = service.upload(month, *(visit(number, "T4") for number in range(5_000)))
    assert service.check(file_id, chunk_rows=1, stop_after=2) == "stopped"
    known = look(portal_engine, service.amira, "upload")
    assert re.search(r"2 of 3 parts checked, [1-4],\d{3} records", text_of(known))
    with service.engine.begin() as connection:  # as for a transposed file
        set_expected_chunks(connection, load_file_check(connection, file_id), None)
    unknown = look(portal_engine, service.amira, "upload")
    assert re.search(r"2 parts checked so far, [1-4],\d{3} records", text_of(unknown))


def test_stages_say_what_came_out_of_them(service: Service, portal_engine: Engine) -> None:
    month = service.month()
    service.ready(month, visit(1, "T4"))
    run_id = service.request(month, "draft")
    service.move_to_state(month, TRIGGERING)
    with service.engine.begin() as connection:
        record_stage(connection, run_id, MERGING, StageProgress(8, 3, 400))
        record_stage(connection, run_id, MERGING, StageProgress(8, 8, 1100))
        record_stage(connection, run_id, TRIGGERING, StageProgress(8, 2, 310))
    page = text_of(look(portal_engine, service.amira, "submission"))
    assert "8 of 8 parts: 1,100 episodes." in page
    assert "2 of 8 parts: 310 currencies fired." in page
    with service.engine.begin() as connection:
        assert stages_of(connection, NOTHING, month) == {}
        assert set(stages_of(connection, EVERYTHING, month)) == {MERGING, TRIGGERING}
        begin_run(connection, load_run(connection, run_id), flow_run=None)
        assert stages_of(connection, EVERYTHING, month) == {}  # taken up again, it counts anew
