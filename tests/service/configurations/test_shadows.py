"""A shadow stands beside what charges and never takes its place; a tariff serves whole months."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import EVERYTHING
from core.database import tables
from core.operations.dataset_import import NamedText, import_together
from core.submissions.months import get_submission
from core.submissions.queries.run_history import runs_of
from core.submissions.queries.run_totals import run_summary
from core.submissions.versions import configuration_in_force
from core.user_errors import UserError
from tests.service.configurations.world import (
    APRIL,
    FIRST,
    JUNE,
    MAY,
    PENCE,
    SWIMS,
    TARIFF,
    import_set,
    import_tariff,
    pence,
    reset,
    submitted,
    upload,
)

if TYPE_CHECKING:
    import datetime as dt

    from tests.service.month import Service

SHADOW = (
    TARIFF.replace("swims-2017", "swims-shadow")
    .replace("status: live", "status: shadow")
    .replace('primary: "10.00"', 'primary: "90.00"')
)
WHY = "agreed by the councils"


@pytest.fixture
def swims(service: Service) -> Service:
    """The first version of the data set, without a tariff."""
    import_set(service, FIRST)
    return service


def in_force(service: Service, month: dt.date) -> str:
    """The name and revision of the tariff that the month follows."""
    number = service.month(month=month, dataset=SWIMS)
    with service.engine.connect() as connection:
        tariff = configuration_in_force(connection, get_submission(connection, number))
        query = sa.select(tables.configurations).where(tables.configurations.c.id == tariff)
        row = connection.execute(query).one()
    return f"{row.configuration}@{row.revision}"


def last_run(service: Service, submission: int) -> tuple[str, bool]:
    """Of the published run: its tariff in words, and whether it charges."""
    with service.engine.connect() as connection:
        run_id = get_submission(connection, submission).run_id
        assert run_id is not None
        summary = run_summary(connection, EVERYTHING, run_id)
        [row] = [each for each in runs_of(connection, EVERYTHING, submission) if each.id == run_id]
    assert summary.tariff is not None
    assert row.tariff == summary.tariff
    return summary.tariff.text, summary.tariff.charges


@pytest.mark.parametrize("order", [(TARIFF, SHADOW), (SHADOW, TARIFF)])
def test_a_shadow_beside_a_live_tariff_is_taken_in_and_never_charges(
    swims: Service, order: tuple[str, str]
) -> None:
    for body in order:
        import_tariff(swims, body)
    april = submitted(swims)
    assert last_run(swims, april) == ("swims-2017", True)
    reset(swims, april)
    swims.run(april, "final")
    assert (pence(swims, april), in_force(swims, APRIL)) == (PENCE, "swims-2017@1")


def test_a_shadow_that_comes_later_moves_no_month(swims: Service) -> None:
    import_tariff(swims, TARIFF)
    april = submitted(swims)
    may = swims.month(month=MAY, dataset=SWIMS)
    swims.check(upload(swims, may))
    import_tariff(swims, SHADOW)
    swims.run(may, "final")
    assert (pence(swims, april), pence(swims, may)) == (PENCE, PENCE)


def test_where_a_shadow_stands_alone_the_month_is_marked_as_not_for_charging(
    swims: Service,
) -> None:
    import_tariff(swims, SHADOW)
    import_tariff(swims, TARIFF.replace("start: 2017-04-01", "start: 2017-05-01"))
    april = swims.month(dataset=SWIMS)
    swims.check(upload(swims, april))
    swims.run(april, "final")
    assert last_run(swims, april) == ("swims-shadow (shadow: not for charging)", False)
    assert pence(swims, april) == 9000 + 9000 + 800
    assert in_force(swims, MAY) == "swims-2017@1"


def test_a_live_tariff_over_a_month_that_a_shadow_calculated_names_it(swims: Service) -> None:
    import_tariff(swims, SHADOW)
    april = swims.month(dataset=SWIMS)
    swims.check(upload(swims, april))
    swims.run(april, "final")
    with pytest.raises(UserError, match="submitted: April 2017 of ZX1"):
        import_tariff(swims, TARIFF)
    import_tariff(swims, TARIFF, leave=True)
    assert (in_force(swims, APRIL), in_force(swims, MAY)) == ("swims-shadow@1", "swims-2017@1")


def test_two_shadows_on_one_date_are_refused_with_both_names(swims: Service) -> None:
    import_tariff(swims, SHADOW)
    with pytest.raises(UserError, match=r"ZX1 is in 'swims-shadow' from 2017-04-01.*one shadow"):
        import_tariff(swims, SHADOW.replace("swims-shadow", "second"))


def test_a_shadow_becomes_live_where_the_live_one_has_ended(swims: Service) -> None:
    import_tariff(swims, TARIFF)
    import_tariff(swims, SHADOW)
    live = SHADOW.replace("status: shadow", "status: live")
    with pytest.raises(UserError, match=r"ZX1 is in 'swims-2017' from 2017-04-01 to 2018-03-31"):
        import_tariff(swims, live, since=MAY, why=WHY)
    ends = TARIFF.replace("end: 2018-03-31", "end: 2017-04-30")
    import_tariff(swims, ends, since=MAY, why=WHY)
    import_tariff(swims, live, since=MAY, why=WHY)
    assert [in_force(swims, month) for month in (APRIL, MAY)] == ["swims-2017@1", "swims-shadow@2"]


def test_a_tariff_serves_the_whole_month_in_which_it_begins_or_ends(swims: Service) -> None:
    """As ``grouper price`` does, which is asked with one tariff alone."""
    within = TARIFF.replace("2017-04-01", "2017-04-15").replace("2018-03-31", "2017-05-02")
    import_tariff(swims, within)
    assert pence(swims, submitted(swims)) == PENCE
    assert in_force(swims, MAY) == "swims-2017@1"
    with pytest.raises(UserError, match="no tariff of the data set 'swims' in June 2017"):
        in_force(swims, JUNE)


def test_where_two_tariffs_meet_in_a_month_the_earlier_serves_it_and_the_import_says_so(
    swims: Service,
) -> None:
    import_tariff(swims, TARIFF.replace("2018-03-31", "2017-05-14"))
    later = TARIFF.replace("swims-2017", "later").replace("2017-04-01", "2017-05-15")
    with swims.engine.begin() as connection:
        _, consequences = import_together(connection, [NamedText("later.yaml", later)])
    assert consequences.sentences == [
        "May 2017 of ZX1 is priced by 'swims-2017' whole, which ends on 2017-05-14; 'later' prices "
        "from June 2017 on."
    ]
    followed = [in_force(swims, month) for month in (APRIL, MAY, JUNE)]
    assert followed == ["swims-2017@1", "swims-2017@1", "later@1"]


def test_a_tariff_that_would_serve_no_month_is_refused_with_both_names(swims: Service) -> None:
    import_tariff(swims, TARIFF.replace("2018-03-31", "2017-05-14"))
    between = TARIFF.replace("swims-2017", "between").replace("2017-04-01", "2017-05-15")
    with pytest.raises(UserError, match=r"'between' would price no month of ZX1.*'swims-2017'"):
        import_tariff(swims, between.replace("2018-03-31", "2017-05-31"))
    import_tariff(swims, between)


def test_a_revision_serves_the_month_from_which_it_was_said_to_hold(swims: Service) -> None:
    import_tariff(swims, TARIFF)
    later = TARIFF.replace("start: 2017-04-01", "start: 2017-05-15")
    import_tariff(swims, later, since=MAY, why=WHY)
    assert [in_force(swims, month) for month in (APRIL, MAY)] == ["swims-2017@1", "swims-2017@2"]


def test_a_tariff_that_ends_in_a_month_makes_room_from_the_day_after(swims: Service) -> None:
    import_tariff(swims, TARIFF)
    ends = TARIFF.replace("2018-03-31", "2017-05-14")
    import_tariff(swims, ends, since=JUNE, why=WHY)
    import_tariff(swims, TARIFF.replace("swims-2017", "later").replace("2017-04-01", "2017-05-15"))
    followed = [in_force(swims, month) for month in (APRIL, MAY, JUNE)]
    assert followed == ["swims-2017@1", "swims-2017@1", "later@1"]
