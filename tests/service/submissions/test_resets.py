"""A submitted month is opened again: asked for by its host, granted or refused by one who may."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from core.access.people import Membership, Person
from core.access.scope import EVERYTHING
from core.accounts.organisations import find_organisation
from core.database import tables
from core.notifications.notify import notify
from core.submissions.commands.resets import (
    LONGEST_REASON,
    ask_for_reset,
    grant_reset,
    refuse_reset,
)
from core.submissions.commands.uploads import SubmissionLocked
from core.submissions.queries.reset_list import hosted_months, last_reset, list_resets
from core.submissions.reset_requests import Reset, get_reset
from core.submissions.reset_rights import asking_commissioners, may_decide_resets
from core.user_errors import UserError
from core.vocabulary.event_catalogue import CATALOGUE
from core.vocabulary.permissions import Kind
from core.vocabulary.states.submissions import SubmissionState
from deployments.demo.cast import PROVIDERS
from tests.service.month import HACKNEY, visit
from tests.subscribed import subscribe

if TYPE_CHECKING:
    from tests.service.month import Service

LEA_VALLEY = PROVIDERS["ZX1"]
HOST, PAYER = "E09000030", "E09000012"
"""Tower Hamlets hosts the clinic ZX1-A; Hackney pays for one of its patients."""


@pytest.fixture
def month(service: Service) -> int:
    """A submitted month with a charge of the host's clinic to each of two commissioners."""
    number = service.month()
    host = sa.select(tables.clinics.c.commissioner).where(tables.clinics.c.clinic_id == "ZX1-A")
    assert service.one(host) == HOST
    service.ready(number, visit(1, "T2"), visit(2, "T4", lsoa=HACKNEY))
    service.run(number, "final")
    return number


def ask(service: Service, month: int, *, host: str = HOST, reason: str = "A clinic lacks.") -> int:
    with service.engine.begin() as connection:
        return ask_for_reset(
            connection, month, host=host, reason=reason, user_id=service.users[HOST]
        )


def grant(service: Service, number: int) -> Reset:
    with service.engine.begin() as connection:
        return grant_reset(connection, number, answer="", user_id=service.users["None"])


def refuse(service: Service, number: int, answer: str = "Too late.") -> Reset:
    with service.engine.begin() as connection:
        return refuse_reset(connection, number, answer=answer, user_id=None, by="by root")


def audited(service: Service, month: int) -> list[tuple[Any, ...]]:
    audit = tables.audit.c
    query = sa.select(audit.from_state, audit.to_state, audit.reason, audit.user_id)
    rows = service.rows(query.where(audit.subject == f"submission:{month}").order_by(audit.id))
    return [tuple(row) for row in rows]


def titles_by_recipient(service: Service, name: str) -> dict[str, str]:
    """The recipients of the last event of a name, with their titles."""
    events, users, notifications = tables.events, tables.users, tables.notifications
    query = sa.select(events).where(events.c.name == name).order_by(events.c.id.desc()).limit(1)
    [row] = service.rows(query)
    event_id: UUID = row.event_id
    with service.engine.begin() as connection:
        notify(connection, event_id, CATALOGUE[name].model_validate(row.payload))
    query = sa.select(users.c.subject, notifications.c.title).join(
        notifications, notifications.c.user_id == users.c.id
    )
    return {
        row.subject: row.title
        for row in service.rows(query.where(notifications.c.event_id == event_id))
    }


def test_a_granted_month_is_open_and_its_charges_are_history(service: Service, month: int) -> None:
    run = service.submission(month).run_id
    count = sa.select(sa.func.count()).where(tables.charges.c.run_id == run)
    charges = service.one(count)
    number = ask(service, month)
    assert service.submission(month).state == SubmissionState.RESET_ASKED
    assert service.submission(month).run_id == run  # published until it is decided
    grant(service, number)
    submission = service.submission(month)
    assert (submission.state, submission.run_id) == (SubmissionState.OPEN, None)
    assert service.one(sa.select(tables.runs.c.state).where(tables.runs.c.id == run)) == "replaced"
    assert service.one(count) == charges > 0
    boss = service.users["None"]
    assert audited(service, month)[-2:] == [
        ("submitted", "reset asked", "A clinic lacks.", service.users[HOST]),
        ("reset asked", "open", f"request {number} granted", boss),
    ]


def test_an_open_month_can_be_put_right_and_submitted_again(service: Service, month: int) -> None:
    first = service.submission(month).run_id
    grant(service, ask(service, month))
    service.ready(month, visit(3, "T2", clinic="ZX1-B"), name="more.csv")
    second = service.run(month, "final")
    submission = service.submission(month)
    assert (submission.state, submission.run_id) == (SubmissionState.SUBMITTED, second)
    assert second != first
    again = ask(service, month)
    assert [each.id for each in listed(service)] == [again]


def listed(service: Service, *, everything: bool = False) -> list[Reset]:
    with service.engine.connect() as connection:
        return list_resets(connection, EVERYTHING, everything=everything)


def test_a_refused_month_stays_submitted_and_says_why(service: Service, month: int) -> None:
    run = service.submission(month).run_id
    number = ask(service, month)
    refuse(service, number)
    submission = service.submission(month)
    assert (submission.state, submission.run_id) == (SubmissionState.SUBMITTED, run)
    with service.engine.connect() as connection:
        last = last_reset(connection, EVERYTHING, month)
    assert last is not None
    assert (last.decision, last.answer) == ("refused", "Too late.")
    why = f"request {number} refused, by root, Too late."
    assert audited(service, month)[-1][:3] == ("reset asked", "submitted", why)
    assert listed(service) == []
    assert [each.id for each in listed(service, everything=True)] == [number]


def test_only_a_host_may_ask(service: Service, month: int) -> None:
    with pytest.raises(UserError, match=r"E09000012 hosts no clinic of Lea Valley.* April 2017"):
        ask(service, month, host=PAYER)
    assert service.submission(month).state == SubmissionState.SUBMITTED


@pytest.mark.parametrize("reason", ["", "  \n", "x" * (LONGEST_REASON + 1)])
def test_a_reason_is_needed(service: Service, month: int, reason: str) -> None:
    with pytest.raises(UserError, match="Say why the month should be opened again"):
        ask(service, month, reason=reason)
    number = ask(service, month)
    with pytest.raises(UserError, match="Say why the month stays"):
        refuse(service, number, reason)


def test_only_a_submitted_month_can_be_asked_for(service: Service, month: int) -> None:
    ask(service, month)
    with pytest.raises(UserError, match=r"April 2017 of Lea Valley.* is not submitted"):
        ask(service, month)
    draft = service.month("ZX2")
    with pytest.raises(UserError, match=r"is not submitted. Files can be added"):
        ask(service, draft)


def test_nothing_changes_while_it_is_decided(service: Service, month: int) -> None:
    ask(service, month)
    with pytest.raises(SubmissionLocked):
        service.upload(month, visit(4, "T2"))


def test_of_two_who_decide_at_once_one_wins(service: Service, month: int) -> None:
    number = ask(service, month)
    both_are_in = threading.Barrier(2)

    def press(verb: Any) -> str:
        both_are_in.wait(10)
        try:
            verb(service, number)
        except UserError as refused:
            return str(refused)
        return ""

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(press, (grant, refuse)))
    assert answers[0] == ""
    assert answers[1].startswith(f"Request {number} is ")
    with service.engine.connect() as connection:
        granted = get_reset(connection, number).granted
    assert (service.submission(month).state == SubmissionState.OPEN) == granted


def test_a_request_that_is_not_there(service: Service) -> None:
    with pytest.raises(UserError, match="There is no request 7"):
        grant(service, 7)


def test_each_is_told_once_in_words_of_their_own(service: Service, month: int) -> None:
    ben, hana = "ben@zx2.example", "hana@hackney.example"
    with service.engine.begin() as connection:
        made = tables.users.insert().values(subject=hana, name="Hana").returning(tables.users.c.id)
        hackney = find_organisation(connection, "commissioner", PAYER)
        user_id = connection.execute(made).scalar_one()
        subscribe(connection, user_id, "commissioner", hackney.id)
    number = ask(service, month)
    asked = titles_by_recipient(service, "submission.reset-asked")
    assert asked == {
        "amira@zx1.example": "Tower Hamlets asks to open April 2017 again",
        "erin@grouper.example": f"Tower Hamlets asks to open April 2017 of {LEA_VALLEY} again",
    }
    refuse(service, number)
    assert titles_by_recipient(service, "submission.reset-refused") == {
        "amira@zx1.example": "April 2017 stays submitted",
        "carys@towerhamlets.example": f"April 2017 of {LEA_VALLEY} stays submitted",
    }
    grant(service, ask(service, month))
    granted = titles_by_recipient(service, "submission.reset-granted")
    assert granted == {
        "amira@zx1.example": "April 2017 is open again",
        "carys@towerhamlets.example": f"April 2017 of {LEA_VALLEY} is open again",
        hana: f"{LEA_VALLEY} puts April 2017 right",
    }
    assert ben not in granted


def test_a_host_sees_the_submitted_months_of_its_clinics_alone(
    service: Service, month: int
) -> None:
    draft = service.month("ZX2")
    service.ready(draft, visit(1, "T2", clinic="ZX2-A"))
    service.run(draft, "draft")
    with service.engine.connect() as connection:
        assert [each.id for each in hosted_months(connection, EVERYTHING, HOST)] == [month]
        assert hosted_months(connection, EVERYTHING, PAYER) == []
    number = ask(service, month)
    with service.engine.connect() as connection:
        assert [each.id for each in hosted_months(connection, EVERYTHING, HOST)] == [month]
    grant(service, number)
    with service.engine.connect() as connection:
        assert hosted_months(connection, EVERYTHING, HOST) == []


def test_commissioners_ask_and_administrators_decide() -> None:
    carys = Person(
        1, "Carys", "", (Membership("commissioner", 3, HOST, "Tower Hamlets", Kind.COMMISSIONER),)
    )
    erin = Person(
        2, "Erin", "", (Membership("administrator", None, None, None, Kind.ADMINISTRATOR),)
    )
    dev = Person(3, "Dev", "", (Membership("operator", None, None, None, Kind.OPERATOR),))
    assert [each.code for each in asking_commissioners(carys)] == [HOST]
    assert [may_decide_resets(each) for each in (carys, erin, dev)] == [False, True, False]
    assert asking_commissioners(erin) == asking_commissioners(dev) == []


def grouper(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", "resets", *arguments],
        env={**os.environ, "GROUPER_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_administrator_decides_on_the_command_line(
    service: Service, month: int, database_url: str
) -> None:
    assert grouper(database_url, "list").stdout == "Nobody asks for a month.\n"
    first = ask(service, month)
    [found] = json.loads(grouper(database_url, "list", "--json").stdout)["resets"]
    asked = (found["id"], found["provider"], found["month"], found["host"], found["decision"])
    assert asked == (first, "ZX1", "2017-04", HOST, "undecided")
    done = grouper(database_url, "refuse", str(first), "--answer", "Too late.")
    assert (done.returncode, done.stdout) == (0, "ZX1 2017-04 stays submitted.\n")
    twice = grouper(database_url, "grant", str(first))
    assert (twice.returncode, twice.stderr) == (
        2,
        f"grouper: Request {first} is refused already.\n",
    )
    done = grouper(database_url, "grant", str(ask(service, month)))
    assert done.stdout == "ZX1 2017-04 is open again; its charges are withdrawn.\n"
    said = grouper(database_url, "list", "--all").stdout
    assert "refused   ZX1 2017-04, asked by Tower Hamlets: A clinic lacks. (Too late.)" in said
    assert said.endswith("2 requests\n")
    assert f"by {getpass.getuser()} on the command line" in audited(service, month)[-1][2]
