"""A run keeps its inputs: made again it is the same byte for byte, whatever changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from core.access.scope import scope_of
from core.areas.register_store import ensure_register, increment_version
from core.database import tables
from core.engine.calculation import revision
from core.engine.dataset.corrections import Correction
from core.operations.rerunning import rerun
from core.submissions.commands.headings import choose_headings
from core.submissions.commands.uploads import correct, remove_file
from core.submissions.queries.charge_explanation import explain
from core.submissions.queries.charge_list import ChargeFilter, lines_of, visible_runs
from core.user_errors import UserError
from core.vocabulary.states.submissions import FileState
from tests.service.configurations.world import (
    APRIL,
    FIRST,
    HEADINGS,
    LESSONS,
    MAY,
    PENCE,
    REQUIRED,
    SWIMS,
    TARIFF,
    import_set,
    import_tariff,
    pence,
    reset,
    swimming,
    upload,
)
from tests.service.month import HACKNEY, visit

if TYPE_CHECKING:
    from tests.service.month import Service


def run_of(service: Service, submission: int) -> int:
    months = tables.submissions
    return int(service.one(sa.select(months.c.run_id).where(months.c.id == submission)))


@pytest.fixture
def corrected(service: Service) -> int:
    """April of swimming with a heading that was chosen, a correction and two files."""
    swimming(service)
    april = service.month(dataset=SWIMS)
    headings = HEADINGS.replace("Lesson 2", "Second")
    file_id = upload(service, april, LESSONS[0], LESSONS[1].replace("L2", "L9"), headings=headings)
    assert service.check(file_id) == FileState.IN_ERROR
    with service.engine.begin() as connection:
        right = [Correction("Lesson 1", "L9", "L2")]
        correct(connection, file_id, right, user_id=service.amira)
    service.check(file_id)
    with service.engine.begin() as connection:
        choose_headings(connection, file_id, {"Second": "Lesson 2"}, user_id=service.amira)
    assert service.check(file_id) == FileState.READY
    more = [f"ZX1-A,3,2017-04-05,{HACKNEY},L3,", "ZX1-A,4,2017-04-05,X99999999,L1,"]
    assert service.check(upload(service, april, *more, name="more.csv")) == FileState.READY
    service.run(april, "final")
    assert pence(service, april) == PENCE + 2000 + 1000  # who lives nowhere known is the host's
    return april


def change_everything(service: Service, april: int) -> None:
    """Tariff, version, host, headings, register, and the files of the month itself."""
    dearer = TARIFF.replace('primary: "10.00"', 'primary: "12.00"')
    import_tariff(service, dearer, since=APRIL, why="dearer", leave=True)
    import_set(service, REQUIRED)
    reset(service, april)
    files = tables.files
    query = sa.select(files.c.id).where(files.c.submission_id == april).order_by(files.c.id)
    first, second = service.rows_of_one(query)
    with service.engine.begin() as connection:
        choose_headings(connection, first, {"Second": None}, user_id=service.amira)
        remove_file(connection, second, user_id=service.amira)
        connection.execute(tables.clinics.update().values(commissioner="E09000012"))
        ensure_register(connection)
        connection.execute(tables.areas.update().values(parent="E09000033"))
        increment_version(connection)


def test_a_run_is_made_again_byte_for_byte(service: Service, corrected: int) -> None:
    run_id = run_of(service, corrected)
    change_everything(service, corrected)
    made = rerun(service.engine, service.store, run_id)
    assert made.same
    assert made.digests[0] == made.digests[1]
    lines = made.again.decode().splitlines()
    assert len(lines) == 6  # the headings, and five charges
    assert (made.gone, made.new) == ([], [])


def test_whatever_is_kept_decides(service: Service, corrected: int) -> None:
    """The same inputs with one of them changed come to something else, so each is used."""
    run_id = run_of(service, corrected)
    runs, kept = tables.runs, tables.run_files
    for change in (
        runs.update().where(runs.c.id == run_id).values(hosts={"ZX1-A": "E09000012"}),
        kept.update().where(kept.c.name == "s.csv").values(corrections=[]),
        kept.update().where(kept.c.name == "s.csv").values(headings={"second": None}),
        kept.delete().where(kept.c.name == "more.csv"),
    ):
        with service.engine.begin() as connection:
            connection.execute(change)
        assert not rerun(service.engine, service.store, run_id).same


def test_what_was_removed_since_is_named(service: Service, corrected: int) -> None:
    run_id = run_of(service, corrected)
    kept = tables.run_files
    key = service.one(sa.select(kept.c.storage_key).where(kept.c.name == "more.csv"))
    service.store.delete(key)
    with pytest.raises(UserError, match=r"removed since: more\.csv"):
        rerun(service.engine, service.store, run_id)


def test_a_rule_that_changed_since_is_named(
    service: Service, corrected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = revision.RULES_REVISION + 1
    monkeypatch.setitem(revision.RULES, newest, "Everything costs twice as much.")
    made = rerun(service.engine, service.store, run_of(service, corrected))
    assert made.changed_rules == ("Everything costs twice as much.",)


def test_a_run_without_kept_inputs_says_so(service: Service) -> None:
    april = service.month()
    service.ready(april, visit(1, "T2"))
    run_id = service.run(april, "final")
    with service.engine.begin() as connection:
        connection.execute(tables.runs.update().values(rules=None))
    with pytest.raises(UserError, match="before runs kept their inputs"):
        rerun(service.engine, service.store, run_id)
    with pytest.raises(UserError, match="no run 999"):
        rerun(service.engine, service.store, 999)


def test_an_explanation_reads_the_revision_and_the_hosts_that_priced_the_charge(
    service: Service,
) -> None:
    weighted = TARIFF.replace("{ZX1: {factor: 1}}", "{ZX1: {}}").replace(
        "E09000030: {}", "E09000030: {geo_weighting: 1.5}"
    )
    swimming_with(service, weighted)
    april = submitted_as(service)
    import_tariff(
        service, weighted.replace("title: Swimming 2017", "title: Renamed"), since=MAY, why="title"
    )
    with service.engine.begin() as connection:
        connection.execute(tables.clinics.update().values(commissioner="E09000012"))
    with service.engine.connect() as connection:
        [run] = [
            each
            for each in visible_runs(connection, scope_of(connection, service.amira))
            if each.dataset == SWIMS
        ]
        [line, *_] = lines_of(connection, run, ChargeFilter())
        explained = explain(connection, run, line)
    assert run.run_id == run_of(service, april)
    assert explained.tariff == "Swimming 2017"
    assert "geo-weighting of Tower Hamlets" in explained.factor
    assert explained.specification.version == "1"


def swimming_with(service: Service, tariff: str) -> None:
    import_set(service, FIRST)
    import_tariff(service, tariff)


def submitted_as(service: Service) -> int:
    april = service.month(dataset=SWIMS)
    assert service.check(upload(service, april)) == FileState.READY
    service.run(april, "final")
    return april
