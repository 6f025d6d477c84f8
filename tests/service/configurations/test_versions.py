"""What is imported later never moves money that was submitted: it leaves it, or it is refused."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from core.access.scope import EVERYTHING
from core.configurations.catalogue import revision_named
from core.configurations.import_lock import IMPORT_LOCK
from core.configurations.importing import Change, import_configuration
from core.database import tables
from core.database.acting import acting_for
from core.database.locks import share_until_end
from core.engine.dataset.corrections import Correction
from core.engine.reading.revision import TAKEN_OVER_READER
from core.operations.dataset_import import NamedText, import_together
from core.operations.reprocessing import corrections_by
from core.submissions.commands.calculate_month import calculate_month, one_by_one
from core.submissions.commands.requests import NotReady, obstacles
from core.submissions.commands.uploads import correct
from core.submissions.months import open_submission
from core.submissions.queries.file_list import files_of
from core.submissions.versions import specification_for
from core.user_errors import UserError
from core.vocabulary.states.submissions import FileState, SubmissionState
from tests.service.configurations.world import (
    APRIL,
    FIRST,
    HEADINGS,
    HOME_RENAMED,
    HOST,
    JULY,
    JUNE,
    LESSONS,
    MAY,
    PENCE,
    RENAMED,
    REQUIRED,
    RETIRED,
    SWIMS,
    TARIFF,
    import_set,
    import_tariff,
    payers,
    pence,
    read_again,
    records,
    reset,
    submitted,
    swimming,
    upload,
    versions_of_files,
)
from tests.service.month import visit

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.service.month import Service

TARIFF_UP_TO_APRIL = TARIFF.replace("end: 2018-03-31", "end: 2017-04-30")
TARIFF_OF_RENAMED = (
    TARIFF.replace("swims-2017", "swims-courses")
    .replace("start: 2017-04-01", "start: 2017-05-01")
    .replace("Lesson =", "Course =")
)
TARIFF_OF_RETIRED = (
    TARIFF.replace("swims-2017", "swims-no-rescue")
    .replace("start: 2017-04-01", "start: 2017-06-01")
    .replace('["Lesson = L3"]', "[]")
)
WHY = "agreed by the councils"
HACKNEY_PAYS = "E09000012"


@pytest.fixture
def swims(service: Service) -> Service:
    """Both data sets are live, and ZX1 takes part in a tariff of each."""
    swimming(service)
    return service


# A renamed field ----------------------------------------------------------------------------------


def test_a_renamed_field_that_a_tariff_names_is_refused_with_both_names(swims: Service) -> None:
    refused = pytest.raises(UserError, match=r"'swims-2017' does not fit version 2.*Lesson")
    with refused:
        import_set(swims, RENAMED)
    assert versions_there(swims) == ["1"]
    assert pence(swims, submitted(swims)) == PENCE


def test_a_renamed_field_leaves_the_months_before_it(swims: Service) -> None:
    april = submitted(swims)
    import_tariff(swims, TARIFF_UP_TO_APRIL, since=MAY, why=WHY)
    import_set(swims, RENAMED)
    import_tariff(swims, TARIFF_OF_RENAMED)
    may = swims.month(month=MAY, dataset=SWIMS)
    headings = "Pool,Swimmer,Day,Home,Course 1,Course 2"
    assert swims.check(upload(swims, may, headings=headings)) == FileState.READY
    swims.run(may, "final")
    assert pence(swims, may) == pence(swims, april) == PENCE
    reset(swims, april)
    read_again(swims)
    swims.run(april, "final")
    assert pence(swims, april) == PENCE
    assert (versions_of_files(swims, april), versions_of_files(swims, may)) == (["1"], ["2"])


def test_a_renamed_residence_moves_no_charge_to_the_host(swims: Service) -> None:
    april = submitted(swims)
    before = payers(swims, april)
    assert before == {"E09000012": 1000, "E09000030": 2500}
    import_set(swims, HOME_RENAMED)
    reset(swims, april)
    read_again(swims)
    swims.run(april, "final")
    assert payers(swims, april) == before
    may = swims.month(month=MAY, dataset=SWIMS)
    old = upload(swims, may)
    assert swims.check(old) == FileState.REJECTED  # Residence is required, and Home is no heading
    with pytest.raises(NotReady, match="could not be read"):
        swims.run(may, "final")


# A retired code -----------------------------------------------------------------------------------


def test_a_retired_code_that_a_tariff_names_is_refused_with_the_code(swims: Service) -> None:
    with pytest.raises(UserError, match=r"'swims-2017' does not fit version 3.*L3"):
        import_set(swims, RETIRED)
    assert versions_there(swims) == ["1"]


def test_a_retired_code_still_counts_in_earlier_months(swims: Service) -> None:
    may = submitted(swims, MAY)
    ends = TARIFF.replace("end: 2018-03-31", "end: 2017-05-31")
    import_tariff(swims, ends, since=JUNE, why=WHY)
    import_set(swims, RETIRED)
    import_tariff(swims, TARIFF_OF_RETIRED)
    reset(swims, may)
    swims.run(may, "final")
    assert pence(swims, may) == PENCE
    june = swims.month(month=JUNE, dataset=SWIMS)
    assert swims.check(upload(swims, june)) == FileState.IN_ERROR  # L3 is no code any more


# A new required field -----------------------------------------------------------------------------


def test_a_new_required_field_that_reaches_a_submitted_month_is_refused_with_it(
    swims: Service,
) -> None:
    july = submitted(swims, JULY)
    with pytest.raises(UserError, match="submitted: July 2017 of ZX1"):
        import_set(swims, REQUIRED)
    reset(swims, july)
    with pytest.raises(UserError, match="submitted: July 2017 of ZX1"):
        import_set(swims, REQUIRED)  # opened again, it still follows its own version
    swims.run(july, "final")
    assert pence(swims, july) == PENCE


def test_a_new_required_field_has_open_months_judged_anew(swims: Service) -> None:
    july = swims.month(month=JULY, dataset=SWIMS)
    file_id = upload(swims, july)
    assert swims.check(file_id) == FileState.READY
    swims.run(july, "draft")
    import_set(swims, REQUIRED)
    with swims.engine.connect() as connection:
        [file] = files_of(connection, EVERYTHING, july)
    assert file.outdated
    with pytest.raises(NotReady, match="earlier version"):
        swims.run(july, "final")
    read_again(swims)
    assert swims.state(file_id) == FileState.REJECTED
    assert swims.submission(july).state == SubmissionState.OPEN
    assert records(swims, "records_swims", file_id) == 0
    mended = upload(
        swims,
        july,
        *(f"{line},7" for line in LESSONS),
        headings="Pool,Swimmer,Day,Home,Lesson 1,Lesson 2,Age",
    )
    assert swims.check(mended) == FileState.READY


# A second data set --------------------------------------------------------------------------------


def test_a_second_data_set_leaves_the_first_ones_months(service: Service) -> None:
    april = service.month()
    file_id = service.ready(april, visit(1, "T2"), visit(2, "T4"))
    service.run(april, "final")
    before = (pence(service, april), payers(service, april))
    may = service.month(month=MAY)
    open_file = service.ready(may, visit(1, "T2"))
    swimming(service)
    reset(service, april)
    read_again(service)
    assert (service.state(file_id), service.state(open_file)) == ("ready", "ready")
    service.run(april, "final")
    assert (pence(service, april), payers(service, april)) == before
    service.run(may, "final")


def test_each_data_set_has_its_own_submission_of_a_month(swims: Service) -> None:
    with pytest.raises(UserError, match=r"sexual-health, swims. Say which one"):
        swims.month()
    health = swims.month(dataset="sexual-health")
    swim = submitted(swims)
    assert health != swim
    swims.ready(health, visit(1, "T2"))
    swims.run(health, "final")
    assert pence(swims, swim) == PENCE
    assert pence(swims, health) not in {0, PENCE}
    assert swims.month(dataset="sexual-health") == health


def test_a_data_set_without_a_tariff_of_the_provider_is_refused_with_those_there_are(
    swims: Service,
) -> None:
    with pytest.raises(UserError, match=r"no tariff of the data set 'other'.*sexual-health, swims"):
        swims.month(dataset="other")
    refused = pytest.raises(UserError, match="no tariff of the data set 'swims'")
    with swims.engine.begin() as connection, refused:
        open_submission(connection, provider_id(swims, "ZX2"), APRIL, dataset=SWIMS)


def test_a_file_that_is_checked_again_under_another_data_set_leaves_no_records(
    service: Service,
) -> None:
    import_set(service, FIRST)
    later = dt.date(2019, 4, 1)  # no tariff yet
    month = open_without(service, later)
    file_id = service.ready(month, visit(1, "T2", date="2019-04-03"))
    assert records(service, "records_sexual_health", file_id) == 1
    tariff = TARIFF.replace("2017-04-01", "2019-04-01").replace("2018-03-31", "2020-03-31")
    import_tariff(service, tariff)
    assert service.submission(month).dataset == SWIMS
    read_again(service)
    assert service.state(file_id) == FileState.REJECTED
    assert records(service, "records_sexual_health", file_id) == 0
    good = upload(service, month)
    assert service.check(good) == FileState.READY
    with pytest.raises(NotReady):
        service.run(month, "final")


def open_without(service: Service, month: dt.date) -> int:
    """A month that was begun under sexual health before another data set had a tariff for it."""
    with service.engine.begin() as connection:
        months = tables.submissions
        made = months.insert().values(
            provider_id=provider_id(service, "ZX1"), month=month, dataset="sexual-health"
        )
        return int(connection.execute(made.returning(months.c.id)).scalar_one())


# A tariff that changes ----------------------------------------------------------------------------

DEARER = TARIFF.replace('primary: "10.00"', 'primary: "12.00"')


@pytest.mark.parametrize(
    ("since", "why", "asked"), [(None, WHY, "--from"), (MAY, " ", "--why"), (None, "", "--from")]
)
def test_a_live_tariff_is_never_overwritten(
    swims: Service, since: dt.date | None, why: str, asked: str
) -> None:
    april = submitted(swims)
    with pytest.raises(UserError, match=asked):
        import_tariff(swims, DEARER, since=since, why=why)
    assert bodies(swims) == [(1, TARIFF)]
    reset(swims, april)
    swims.run(april, "final")
    assert pence(swims, april) == PENCE


def test_a_change_holds_from_its_month_on_and_keeps_the_revision_before(swims: Service) -> None:
    april = submitted(swims)
    import_tariff(swims, DEARER, since=MAY, why=WHY)
    assert bodies(swims) == [(1, TARIFF), (2, DEARER)]
    may = swims.month(month=MAY, dataset=SWIMS)
    assert swims.check(upload(swims, may)) == FileState.READY
    swims.run(may, "final")
    assert pence(swims, may) == PENCE + 200
    reset(swims, april)
    swims.run(april, "final")
    assert pence(swims, april) == PENCE
    assert [revision(swims, april), revision(swims, may)] == [1, 2]


def test_the_audit_tells_who_changed_a_tariff_from_when_and_why(swims: Service) -> None:
    import_tariff(swims, DEARER, since=MAY, why=WHY)
    audit = tables.audit
    query = sa.select(audit.c.reason, audit.c.detail).where(audit.c.action == "configuration live")
    reason, detail = swims.rows(query.order_by(audit.c.id.desc()))[0]
    assert reason == WHY
    assert detail == {
        "configuration": "swims-2017",
        "revision": 2,
        "holds_from": "2017-05-01",
        "by": "the test",
    }


def test_a_change_that_reaches_back_names_the_months_and_leaves_them_when_told(
    swims: Service,
) -> None:
    april = submitted(swims)
    with pytest.raises(UserError, match=r"submitted: April 2017 of ZX1.*--leave-submitted"):
        import_tariff(swims, DEARER, since=APRIL, why=WHY)
    assert bodies(swims) == [(1, TARIFF)]
    import_tariff(swims, DEARER, since=APRIL, why=WHY, leave=True)
    reset(swims, april)
    swims.run(april, "final")
    assert (pence(swims, april), revision(swims, april)) == (PENCE, 1)


def test_a_change_that_reaches_back_may_calculate_the_months_anew(swims: Service) -> None:
    april = submitted(swims)
    with swims.engine.begin() as connection:
        _, consequences = import_together(
            connection,
            [NamedText("tariff.yaml", DEARER)],
            change=Change(APRIL, WHY, by="the test", reprocess=True),
        )
    assert consequences.sentences[0] == "Submitted, and calculated anew: April 2017 of ZX1."
    runs = tables.runs
    run_id = swims.one(sa.select(sa.func.max(runs.c.id)))
    totals = calculate_month(swims.engine, run_id, run_stage=one_by_one)
    assert totals is not None
    assert (pence(swims, april), revision(swims, april)) == (PENCE + 200, 2)
    with swims.engine.connect() as connection:
        number = revision_named(connection, "swims-2017").id
        [line] = corrections_by(connection, number)
    assert (line.provider, line.month, line.commissioner) == ("ZX1", APRIL, "E09000012")
    assert (line.pence_before, line.pence_after, line.pence) == (1000, 1200, 200)
    reset(swims, april)
    swims.run(april, "final")
    assert (pence(swims, april), revision(swims, april)) == (PENCE + 200, 2)


def test_what_cannot_be_calculated_anew_refuses_the_change(swims: Service) -> None:
    april = submitted(swims)
    with swims.engine.begin() as connection:
        connection.execute(tables.clinics.update().values(commissioner=None))
    refused = pytest.raises(UserError, match="cannot be calculated anew: Clinic ZX1-A is new")
    with refused, swims.engine.begin() as connection:
        change = Change(APRIL, WHY, reprocess=True)
        import_together(connection, [NamedText("tariff.yaml", DEARER)], change=change)
    assert (pence(swims, april), bodies(swims)) == (PENCE, [(1, TARIFF)])


def test_a_version_that_reaches_a_submitted_month_is_refused_whatever_is_said(
    swims: Service,
) -> None:
    submitted(swims, JULY)
    for change in (Change(leave_submitted=True), Change(reprocess=True)):
        refused = pytest.raises(UserError, match="Let the version start in a later month")
        with refused, swims.engine.begin() as connection:
            import_together(connection, [NamedText("set.yaml", REQUIRED)], change=change)


def test_a_change_while_the_month_is_calculated_is_refused(swims: Service) -> None:
    april = swims.month(dataset=SWIMS)
    assert swims.check(upload(swims, april)) == FileState.READY
    swims.request(april, "final")
    with pytest.raises(UserError, match="under way for April 2017 of ZX1"):
        import_tariff(swims, DEARER, since=APRIL, why=WHY)
    with pytest.raises(UserError, match="under way for April 2017 of ZX1"):
        import_set(swims, FIRST.replace('version: "1"', 'version: "2"\nstart: 2017-04'))


def test_a_provider_has_one_tariff_of_a_data_set_on_a_date(swims: Service) -> None:
    second = TARIFF.replace("swims-2017", "second")
    with pytest.raises(UserError, match=r"ZX1 is in 'swims-2017'.*one configuration on any date"):
        import_tariff(swims, second)


def test_a_tariff_is_read_against_every_version_in_force_during_it(service: Service) -> None:
    import_set(service, FIRST)
    import_set(service, RETIRED)
    with pytest.raises(UserError, match="L3"):
        import_tariff(service, TARIFF)
    import_tariff(service, TARIFF.replace("2018-03-31", "2017-05-31"))


def test_a_second_version_needs_its_month(swims: Service) -> None:
    with pytest.raises(UserError, match="version 2 needs its first month: `start: YYYY-MM`"):
        import_set(swims, FIRST.replace('version: "1"', 'version: "2"'))


def test_each_month_follows_the_latest_version_that_has_begun(service: Service) -> None:
    for body in (FIRST, RETIRED, HOME_RENAMED):  # in any order
        import_set(service, body)
    import_tariff(service, TARIFF.replace('["Lesson = L3"]', "[]"))
    wanted = {APRIL: "1", MAY: "2", JUNE: "3", JULY: "3"}
    followed = {}
    for month in wanted:
        submission = service.submission(service.month(month=month, dataset=SWIMS))
        with service.engine.connect() as connection:
            followed[month] = specification_for(connection, submission).version
    assert followed == wanted


def versions_there(service: Service) -> list[str]:
    datasets = tables.datasets
    query = sa.select(datasets.c.version).where(datasets.c.dataset == SWIMS)
    return list(service.rows_of_one(query.order_by(datasets.c.id)))


def bodies(service: Service) -> list[tuple[int, str]]:
    configurations = tables.configurations
    query = sa.select(configurations.c.revision, configurations.c.body).where(
        configurations.c.configuration == "swims-2017"
    )
    return [tuple(row) for row in service.rows(query.order_by(configurations.c.revision))]


def revision(service: Service, submission: int) -> int:
    """The revision of the tariff that the published run names."""
    months, runs, configurations = tables.submissions, tables.runs, tables.configurations
    query = (
        sa.select(configurations.c.revision)
        .join(runs, runs.c.configuration_id == configurations.c.id)
        .join(months, months.c.run_id == runs.c.id)
        .where(months.c.id == submission)
    )
    return int(service.one(query))


def provider_id(service: Service, code: str) -> int:
    organisations = tables.organisations
    return int(service.one(sa.select(organisations.c.id).where(organisations.c.code == code)))


def test_who_goes_on_after_a_refusal_keeps_nothing_of_the_import(swims: Service) -> None:
    submitted(swims)
    with swims.engine.begin() as connection:
        for change in (Change(APRIL, WHY), Change(APRIL, WHY)):  # the second is refused as well
            with pytest.raises(UserError, match="submitted: April 2017 of ZX1"):
                import_configuration(connection, DEARER, name="tariff.yaml", change=change)
    assert bodies(swims) == [(1, TARIFF)]


def test_an_administrator_changes_a_tariff_in_the_portal(
    swims: Service, portal_engine: Engine
) -> None:
    """By the role of the portal, which row-level security binds: the same refusals and the same
    revision."""
    april, administrator = submitted(swims), swims.person("erin@grouper.example")
    texts = [NamedText("tariff.yaml", DEARER)]
    for since, refusal in ((APRIL, "submitted: April 2017 of ZX1"), (None, "--from")):
        refused = pytest.raises(UserError, match=refusal)
        with acting_for(portal_engine, administrator).begin() as connection, refused:
            import_together(
                connection, texts, user_id=administrator, change=Change(since=since, why=WHY)
            )
    with acting_for(portal_engine, administrator).begin() as connection:
        change = Change(since=MAY, why=WHY)
        _, consequences = import_together(connection, texts, user_id=administrator, change=change)
    assert consequences.sentences == [
        "swims-2017: T2: the primary rate is £12.00 instead of £10.00."
    ]
    assert bodies(swims) == [(1, TARIFF), (2, DEARER)]
    assert pence(swims, april) == PENCE
    refused = pytest.raises(UserError, match="An operator brings it in")
    with acting_for(portal_engine, administrator).begin() as connection, refused:
        import_together(connection, [NamedText("set.yaml", REQUIRED)], user_id=administrator)


def test_a_month_before_the_first_version_says_so(service: Service) -> None:
    import_set(service, FIRST.replace('version: "1"', 'version: "1"\nstart: 2017-06'))
    import_tariff(service, TARIFF)
    april = service.month(dataset=SWIMS)
    with pytest.raises(UserError, match="in force in April 2017: the first starts in June 2017"):
        upload(service, april)
    with service.engine.connect() as connection:
        standing = [each.code for each in obstacles(connection, service.submission(april))]
    assert standing == ["no-files", "no-version"]
    assert service.check(upload(service, service.month(month=JUNE, dataset=SWIMS))) == "ready"


def test_corrections_of_a_field_that_is_gone_are_named(service: Service) -> None:
    import_set(service, FIRST)
    import_tariff(service, TARIFF)
    plain = FIRST.replace('version: "1"', 'version: "2"\nstart: 2017-05').replace(
        "repeat: 2", "repeat: 1"
    )
    may = service.month(month=MAY, dataset=SWIMS)
    file_id = upload(service, may, LESSONS[0].replace("L1,", "L1,L9"))
    assert service.check(file_id) == FileState.IN_ERROR
    with service.engine.begin() as connection:
        correct(connection, file_id, [Correction("Lesson 2", "L9", None)], user_id=service.amira)
    assert service.check(file_id) == FileState.READY
    with service.engine.begin() as connection:
        _, consequences = import_together(connection, [NamedText("set.yaml", plain)])
    assert consequences.sentences == [
        "Checked again under another version: May 2017 of ZX1.",
        "swims 2: In force from May 2017 instead of from the beginning.",
        "swims 2: The field Lesson: repeat is 1 instead of 2.",
        "Corrections of s.csv count no more, since these columns are gone: Lesson 2.",
    ]
    read_again(service)
    assert service.state(file_id) != FileState.CHECKING


def test_three_versions_and_two_data_sets_come_to_the_same_when_all_is_opened_again(
    service: Service,
) -> None:
    """Each month under its own version, however often it is opened, whatever came later."""
    health = service.month()
    service.ready(health, visit(1, "T2"), visit(2, "T4"))
    service.run(health, "final")
    for body in (FIRST, HOME_RENAMED, REQUIRED):
        import_set(service, body)
    import_tariff(service, TARIFF)
    with_age = [f"{line},7" for line in LESSONS]
    layouts = {
        APRIL: (HEADINGS, LESSONS),
        MAY: (HEADINGS.replace("Home", "Residence"), LESSONS),
        JULY: (f"{HEADINGS},Age", with_age),
    }
    months = {health: (pence(service, health), payers(service, health))}
    for month, (headings, lines) in layouts.items():
        submission = service.month(month=month, dataset=SWIMS)
        file_id = upload(service, submission, *lines, headings=headings)
        assert service.check(file_id) == FileState.READY
        service.run(submission, "final")
        months[submission] = (PENCE, {"E09000012": 1000, "E09000030": 2500})
    for submission, money in months.items():
        assert (pence(service, submission), payers(service, submission)) == money
        reset(service, submission)
    read_again(service)
    for submission, money in months.items():
        service.run(submission, "final")
        assert (pence(service, submission), payers(service, submission)) == money
    followed = [versions_of_files(service, submission) for submission in months]
    assert followed == [["2017.1"], ["1"], ["2"], ["4"]]


def test_an_import_waits_for_requests_that_are_under_way_and_they_do_not_wait_for_each_other(
    swims: Service,
) -> None:
    with swims.engine.begin() as first, swims.engine.begin() as second:
        share_until_end(first, IMPORT_LOCK)
        share_until_end(second, IMPORT_LOCK)
        with pytest.raises(OperationalError, match="lock timeout"), swims.engine.begin() as third:
            third.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
            import_configuration(third, DEARER, name="tariff.yaml", change=Change(MAY, WHY))
    import_tariff(swims, DEARER, since=MAY, why=WHY)


def test_a_month_taken_over_keeps_its_version_since_no_file_is_there_to_check_again(
    swims: Service,
) -> None:
    may = swims.month(month=MAY, dataset=SWIMS)
    file_id = upload(swims, may)
    assert swims.check(file_id) == FileState.READY
    with swims.engine.begin() as connection:
        files = tables.files
        taken_over = files.update().where(files.c.id == file_id)
        connection.execute(taken_over.values(reader=TAKEN_OVER_READER))
    for body in (HOME_RENAMED, REQUIRED.replace("2017-07", "2017-05")):
        with swims.engine.begin() as connection:
            _, consequences = import_together(connection, [NamedText("set.yaml", body)])
        read_again(swims)
        assert swims.state(file_id) == FileState.READY
        assert ("May 2017 of ZX1" in consequences.sentences[0]) == (body == HOME_RENAMED)
    swims.run(may, "final")
    assert (pence(swims, may), payers(swims, may)) == (PENCE, {HACKNEY_PAYS: 1000, HOST: 2500})
    with pytest.raises(UserError, match="submitted: May 2017 of ZX1"):
        import_set(swims, REQUIRED.replace('"4"', '"5"').replace("2017-07", "2017-05"))


def test_a_draft_that_a_version_breaks_is_named_and_breaks_nothing(service: Service) -> None:
    import_set(service, FIRST)
    import_tariff(service, TARIFF.replace("status: live", "status: draft"))
    with service.engine.begin() as connection:
        _, consequences = import_together(connection, [NamedText("set.yaml", RETIRED)])
    [told] = [each for each in consequences.sentences if "draft" in each]
    assert "'swims-2017' does not fit version 3 of swims, in force from June 2017" in told
    assert "L3" in told
