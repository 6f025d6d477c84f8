"""Asking for runs, and their publication, on the real database; tariffs and data sets coming in."""

from __future__ import annotations

import datetime as dt
import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.access.scope import EVERYTHING
from core.accounts.clinics import place_clinic
from core.configurations.importing import import_configuration
from core.database import tables
from core.engine.dataset.specification import load_specification
from core.operations.dataset_import import import_dataset
from core.submissions.clinics_to_place import clinics_to_place
from core.submissions.commands.requests import NotReady, NotRunnable, obstacles, request_run
from core.submissions.commands.runs import RunIncomplete, publish
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.commands.uploads import remove_file
from core.submissions.months import list_submissions, selectable_months
from core.submissions.queries.run_totals import run_summary
from core.user_errors import DocumentError, UserError
from core.vocabulary.heading_look import Look
from core.vocabulary.process import State
from core.vocabulary.states import submissions as states
from core.vocabulary.states.reports import ReportState
from core.vocabulary.states.submissions import STAGES, SubmissionState
from deployments.demo.run import CONFIGURATION, DATASET
from tests.service.month import HACKNEY, HEADINGS, REGISTER, visit

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.service.month import Service

TARIFF, SPECIFICATION = CONFIGURATION.read_text(), DATASET.read_text()
VERSION = load_specification(DATASET).version
LATER = dt.date(2018, 4, 1)


def standing(service: Service, submission_id: int) -> list[tuple[str, str]]:
    """Code and subject of every obstacle."""
    submission = service.submission(submission_id)
    with service.engine.connect() as connection:
        return [(each.code, each.subject) for each in obstacles(connection, submission)]


def count(service: Service, table: sa.Table) -> int:
    return int(service.one(sa.select(sa.func.count()).select_from(table)))


def test_everything_that_stands_in_the_way_is_listed(service: Service) -> None:
    month = service.month(month=LATER)
    assert [code for code, _ in standing(service, month)] == ["no-files", "no-configuration"]
    service.upload(month, visit(1, "T2"), name="waiting.csv")
    looked_at = UploadDetails("looked at.csv", look=Look.ALWAYS)
    good = io.BytesIO(f"{HEADINGS}\n{visit(1, 'T2')}\n".encode())
    service.check(store_upload(service.engine, service.store, month, looked_at, good, user_id=None))
    wrong = service.upload(month, visit(1, "T4A"), name="wrong.csv")
    service.check(wrong)
    stream = io.BytesIO(b"Colour\nblue\n")
    strange = store_upload(
        service.engine, service.store, month, UploadDetails("strange.csv"), stream, user_id=None
    )
    service.check(strange)
    service.ready(month, visit(2, "T2", clinic="NEW"), name="ready.csv")
    assert standing(service, month) == [
        ("file-not-checked", "waiting.csv"),
        ("file-unconfirmed", "looked at.csv"),
        ("file-in-error", "wrong.csv"),
        ("file-rejected", "strange.csv"),
        ("clinic-to-be-placed", "NEW"),
        ("no-configuration", "Lea Valley Sexual Health (fictional) in April 2018"),
    ]
    before = service.events()
    with pytest.raises(NotReady, match=r"Correct them\..* Clinic NEW is new\.") as refused:
        service.request(month, "final")
    assert len(refused.value.obstacles) == 6
    assert (count(service, tables.runs), service.events()) == (0, before)
    assert service.submission(month).state == SubmissionState.OPEN


def test_a_clinic_that_was_a_slip_stands_in_nobodys_way(service: Service) -> None:
    month = service.month()
    slip = service.ready(month, visit(1, "T2", clinic="ZX1-Q"), name="slip.csv")
    service.ready(month, visit(1, "T2"))
    assert standing(service, month) == [("clinic-to-be-placed", "ZX1-Q")]
    with service.engine.begin() as connection:
        remove_file(connection, slip, user_id=service.amira)
    assert standing(service, month) == []
    may = service.month(month=dt.date(2017, 5, 1))
    service.ready(may, visit(2, "T2", date="2017-05-03"))
    assert standing(service, may) == []


def test_a_new_clinic_is_placed_with_an_authority(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2", clinic="NEW"))
    submission = service.submission(month)

    def place(clinic: str, authority: str) -> None:
        with service.engine.begin() as connection:
            place_clinic(
                connection,
                submission.provider_id,
                clinic,
                authority,
                register=REGISTER,
                user_id=service.amira,
            )

    with pytest.raises(UserError, match="Narnia is no authority"):
        place("NEW", "Narnia")
    with pytest.raises(UserError, match="ELSEWHERE is no clinic"):
        place("ELSEWHERE", "E09000012")
    with service.engine.connect() as connection:
        assert clinics_to_place(connection, submission) == ["NEW"]
    place("NEW", "E09000012")
    with service.engine.connect() as connection:
        assert clinics_to_place(connection, submission) == []
    audit = tables.audit
    query = sa.select(audit.c.user_id, audit.c.detail).where(audit.c.action == "clinic placed")
    assert list(map(tuple, service.rows(query))) == [(service.amira, {"commissioner": "E09000012"})]


def test_of_two_who_press_submit_at_once_one_wins(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    both_are_in = threading.Barrier(2)

    def press(_number: int) -> str:
        try:
            with service.engine.begin() as connection:
                connection.execute(sa.select(1))
                both_are_in.wait(10)
                return str(request_run(connection, month, "final", user_id=service.amira))
        except NotRunnable as refused:
            return str(refused)

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(press, range(2)))
    run_id = str(service.one(sa.select(tables.runs.c.id)))
    assert answers == [run_id, "April 2017 cannot be run now. It waits for its turn."]
    assert service.events().count("submission.requested") == 1


@pytest.mark.parametrize(
    "state", [state for state in SubmissionState if state not in ("open", "draft", "failed")]
)
def test_a_month_that_runs_or_is_submitted_cannot_be_run(
    service: Service, state: SubmissionState
) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"))
    service.move_to_state(month, state)
    with pytest.raises(NotRunnable, match="April 2017 cannot be run now"):
        service.request(month, "draft")
    assert count(service, tables.runs) == 0


def test_a_draft_is_replaced_by_the_next_and_by_the_final_run(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"), visit(2, "T4", lsoa=HACKNEY))
    drafts = [service.run(month, "draft") for _ in range(2)]
    final = service.run(month, "final")
    runs = tables.runs
    found = service.rows(sa.select(runs.c.id, runs.c.number, runs.c.state).order_by(runs.c.id))
    assert list(map(tuple, found)) == [
        (drafts[0], 1, "replaced"),
        (drafts[1], 2, "replaced"),
        (final, 3, "published"),
    ]
    submission = service.submission(month)
    assert (submission.state, submission.run_id) == (SubmissionState.SUBMITTED, final)
    finished = [name for name in service.events() if name == "submission.stage-finished"]
    assert len(finished) == 3 * (len(STAGES) - 1)


def test_what_a_run_came_to(service: Service) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"), visit(2, "T4", lsoa=HACKNEY), visit(2, "C4", lsoa=HACKNEY))
    run_id = service.run(month, "final")
    with service.engine.connect() as connection:
        outcome = run_summary(connection, EVERYTHING, run_id)
    # The later record of the second episode overwrites T4 with C4 (SHHAPT 1): it earns nothing.
    assert (outcome.records, outcome.episodes, outcome.charges) == (3, 2, 2)
    assert outcome.overwritten == 1
    by_payer = {code: pence for code, _, pence in outcome.by_commissioner}
    by_currency = {code: pence for code, _, pence in outcome.by_currency}
    assert by_payer == {"E09000030": by_currency["T2"], "E09000012": by_currency["STIA"]}
    assert by_currency["T2"] == 5215  # £44.57 × 1.17
    assert sum(by_payer.values()) == outcome.amount_pence
    assert outcome.currency_names["T2"].startswith("T2 ")


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM run_chunks",
        "UPDATE charges SET amount_pence = amount_pence - 1",
        "DELETE FROM charges WHERE currency = 'T2'",
        "UPDATE run_chunks SET records = records - 1",
    ],
)
def test_a_run_with_a_chunk_or_a_penny_missing_is_never_published(
    service: Service, loss: str
) -> None:
    month = service.month()
    service.ready(month, visit(1, "T2"), visit(2, "T4"))
    run_id = service.request(month, "final")
    with service.measured(run_id) as (connection, run):
        connection.execute(sa.text(loss))
        with pytest.raises(RunIncomplete, match=f"run {run_id}: expected"):
            publish(connection, run)
    submission = service.submission(month)
    assert (submission.state, submission.run_id) == (SubmissionState.MEASURING, None)
    assert "submission.submitted" not in service.events()


def test_months_on_offer_are_those_of_the_tariff_and_those_begun(service: Service) -> None:
    month = service.submission(service.month(month=dt.date(2019, 1, 1)))
    service.month(month=dt.date(2017, 6, 1))
    with service.engine.connect() as connection:
        offered = selectable_months(connection, EVERYTHING, month.provider_id, "ZX1")
        listed = list_submissions(connection, EVERYTHING)
    assert offered[:3] == [dt.date(2019, 1, 1), dt.date(2017, 6, 1), dt.date(2017, 4, 1)]
    assert offered[-1] == dt.date(2018, 3, 1)
    assert len(offered) == 13
    assert [each.month for each in listed] == offered[:2]


def imported(engine: Engine, text: str) -> None:
    with engine.begin() as connection:
        import_configuration(connection, text, name="tariff.yaml")


def second_tariff(**changes: str) -> str:
    """The tariff under another name, with other lines instead of some."""
    text = TARIFF.replace("configuration: illustrative-isht-2017-18", "configuration: second", 1)
    for name, value in changes.items():
        text, times = re.subn(rf"(?m)^{name}: .*$", f"{name}: {value}", text, count=1)
        assert times == 1
    return text


def test_a_provider_has_one_tariff_on_any_date(service: Service) -> None:
    with pytest.raises(UserError, match="ZX1 is in 'illustrative-isht-2017-18' from 2017-04-01"):
        imported(service.engine, second_tariff())
    with pytest.raises(UserError, match="end that one first"):
        imported(service.engine, second_tariff(start="2018-03-31", end="2019-03-31"))
    assert count(service, tables.configurations) == 1
    imported(service.engine, second_tariff(start="2018-04-01", end="2019-03-31"))
    assert count(service, tables.configurations) == 2


def test_a_draft_tariff_may_overlap_and_is_never_used(service: Service) -> None:
    imported(service.engine, second_tariff(status="draft"))
    imported(service.engine, second_tariff(status="draft", start="2018-04-01", end="2019-03-31"))
    assert count(service, tables.configurations) == 2
    month = service.month(month=LATER)
    assert "no-configuration" in dict(standing(service, month))
    imported(service.engine, second_tariff(status="shadow", start="2018-04-01", end="2019-03-31"))
    assert "no-configuration" not in dict(standing(service, month))


def test_a_draft_that_becomes_live_over_another_is_refused(service: Service) -> None:
    imported(service.engine, second_tariff(status="draft"))
    with pytest.raises(UserError, match="a provider has one configuration"):
        imported(service.engine, second_tariff())
    assert (
        service.one(
            sa.select(tables.configurations.c.status).where(
                tables.configurations.c.configuration == "second"
            )
        )
        == "draft"
    )


def test_of_two_tariffs_that_come_in_at_once_for_a_provider_one_is_refused(
    service: Service,
) -> None:
    later = {"start": "2018-04-01", "end": "2019-03-31"}
    texts = [
        second_tariff(**later).replace("configuration: second", f"configuration: {name}", 1)
        for name in ("left", "right")
    ]
    both_are_in = threading.Barrier(2)

    def take_in_at_once(text: str) -> str:
        try:
            with service.engine.begin() as connection:
                connection.execute(sa.select(1))
                both_are_in.wait(10)
                import_configuration(connection, text, name="tariff.yaml")
        except UserError as refused:
            return str(refused)
        return ""

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(take_in_at_once, texts))
    assert answers[0] == ""
    assert "a provider has one configuration on any date" in answers[1]
    assert count(service, tables.configurations) == 2


def test_a_tariff_needs_its_data_set(database: Engine) -> None:
    with pytest.raises(UserError, match="'sexual-health' has not been imported"):
        imported(database, TARIFF)


def test_what_is_wrong_in_a_tariff_is_told_with_its_line(service: Service) -> None:
    text = TARIFF.replace('"SHHAPT = T2"', '"SHHAPT = T2222"', 1)
    line = text.split("T2222")[0].count("\n") + 1
    with pytest.raises(DocumentError, match=f"tariff.yaml:{line}: .*T2222"):
        imported(service.engine, text)


def test_a_version_of_a_data_set_keeps_its_content(service: Service) -> None:
    changed = SPECIFICATION.replace("maximum: 120", "maximum: 130", 1)
    for text in (SPECIFICATION, SPECIFICATION):  # again and again changes nothing
        with service.engine.begin() as connection:
            import_dataset(connection, text, name="set.yaml")
    refused = pytest.raises(UserError, match="give the changed specification a new version")
    with refused, service.engine.begin() as connection:
        import_dataset(connection, changed, name="set.yaml")
    assert count(service, tables.datasets) == 1
    with service.engine.begin() as connection:
        newer = changed.replace(f'version: "{VERSION}"', 'version: "newer"\nstart: 2018-04', 1)
        import_dataset(connection, newer, name="set.yaml")
    assert count(service, tables.datasets) == 2


def test_the_same_data_set_may_come_in_twice_at_once(database: Engine) -> None:
    def take_in_once(_number: int) -> None:
        with database.begin() as connection:
            import_dataset(connection, SPECIFICATION, name="set.yaml")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take_in_once, range(4)))
    with database.connect() as connection:
        query = sa.select(tables.datasets.c.version)
        assert connection.execute(query).scalars().all() == [VERSION]


@pytest.mark.parametrize(
    ("table", "declared"),
    [
        ("files", states.FileState),
        ("submissions", states.SubmissionState),
        ("reports", ReportState),
    ],
)
def test_the_tables_allow_the_states_that_are_declared(
    database: Engine, table: str, declared: type[State]
) -> None:
    query = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    with database.connect() as connection:
        rule = connection.execute(query, {"name": f"ck_{table}_state"}).scalar_one()
    assert set(re.findall(r"'([^']+)'", rule)) == {state.value for state in declared}


def test_a_month_begins_on_its_first_day(service: Service) -> None:
    with pytest.raises(IntegrityError, match="ck_submissions_month"):
        service.month(month=dt.date(2017, 4, 2))
