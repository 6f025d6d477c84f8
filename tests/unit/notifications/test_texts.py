"""Every event that belongs to a topic has words for each person whom it concerns."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from core.notifications.texts import NOT_NOTIFIED, TEMPLATES, fill_template, templates_of
from core.vocabulary.event_catalogue import (
    CATALOGUE,
    DeadlinesNear,
    FileChecked,
    MonthDue,
    RunFailed,
)
from deployments.rules import load_rules

OF_MONTH = {"provider": "ZX1", "month": "2017-04", "submission_id": 3}
OF_FILE = {**OF_MONTH, "file_id": 12, "file": "april.csv"}
OF_RUN = {**OF_MONTH, "run_id": 7}
COUNTED = {**OF_RUN, "records": 9, "episodes": 8, "charges": 1234, "amount_pence": 123405}
OF_RESET = {
    **OF_RUN,
    "reset_id": 2,
    "host": "E09000030",
    "host_name": "Tower Hamlets",
    "reason": "A clinic is missing.",
}
OF_REPORT = {"report_id": 4, "kind": "backing-data", "report": "ZX1 April 2017 Backing Data"}
SUBSCRIPTION = {
    "subscription_id": 1,
    "kind": "Provider+",
    "organisation": "Lea Valley",
    "addressee": 1,
    "last_day": "2027-03-31",
}
PAYLOADS: list[tuple[str, dict[str, Any]]] = [
    ("subscription.began", SUBSCRIPTION),
    ("subscription.ending", {**SUBSCRIPTION, "days_left": 30, "renewal_id": 2}),
    ("subscription.ended", SUBSCRIPTION),
    ("file.outdated", OF_FILE),
    ("file.unconfirmed", {**OF_FILE, "new": 2}),
    *(
        ("file.checked", {**OF_FILE, "state": state, "records": 9, "errors": 1200, "warnings": 0})
        for state in ("rejected", "in error", "ready")
    ),
    ("submission.drafted", COUNTED),
    ("submission.submitted", COUNTED),
    ("submission.failed", {**OF_RUN, "reason": "1A2B3C4D"}),
    ("submission.reset-asked", OF_RESET),
    ("submission.reset-granted", {**OF_RESET, "answer": ""}),
    ("submission.reset-refused", {**OF_RESET, "answer": "It is too late."}),
    ("report.ready", OF_REPORT),
    ("report.failed", {**OF_REPORT, "reason": "1A2B3C4D"}),
    (
        "run.failed",
        {"failed_subject": "file/12", "failed_title": "a", "attempts": 3, "reason": "Gone."},
    ),
    (
        "queue.not-served",
        {"thing": "work-queue/1", "called": "checks", "happened": "not ready", "reason": "x"},
    ),
    ("area.payer-changed", {**OF_MONTH, "areas": 2, "records": 31, "example": "E01 from A to B"}),
    ("area.held", {"run_id": 1, "code": "E09", "area": "Hackney", "reason": "It lacks E01."}),
    (
        "deadlines.near",
        {
            "addressee": 1,
            "day": "2017-05-14",
            "months": [
                {
                    "provider": "ZX1",
                    "provider_name": "Lea Valley",
                    "month": "2017-04",
                    "due": "2017-05-21",
                    "days_left": 7,
                }
            ],
        },
    ),
]


def test_every_event_has_a_topic_or_is_known_to_need_none() -> None:
    told = {template.event.name for template in TEMPLATES}
    assert told | NOT_NOTIFIED == set(CATALOGUE)
    assert not told & NOT_NOTIFIED
    assert {name for name, _ in PAYLOADS} == told


def test_the_rule_covers_every_event_of_a_topic() -> None:
    [rule] = [rule for rule in load_rules().rules if rule.target.function == "notify"]
    assert set(rule.names) == {template.event.name for template in TEMPLATES}


@pytest.mark.parametrize(("name", "payload"), PAYLOADS)
def test_the_words_are_whole(name: str, payload: dict[str, Any]) -> None:
    event = CATALOGUE[name].model_validate(payload)
    tellings = templates_of(event)
    assert tellings
    for template in tellings:
        said = fill_template(template, event)
        assert said.title
        assert said.text.endswith(".")
        assert said.address
        assert "{" not in said.title + said.text + said.address
        assert ".." not in said.text


def test_commissioners_read_no_amount_of_others() -> None:
    event = CATALOGUE["submission.submitted"].model_validate(COUNTED)
    own, charged = (fill_template(template, event) for template in templates_of(event))
    assert "1,234 charges, £1,234.05" in own.text
    assert not any(character.isdigit() for character in charged.text)


def test_a_name_never_breaks_a_title_into_lines() -> None:
    checked = {"state": "rejected", "records": 9, "errors": 0, "warnings": 0}
    event = FileChecked.model_validate({**OF_FILE, **checked, "file": "a\r\nBcc: x.csv"})
    [template] = templates_of(event)
    assert fill_template(template, event).title == "a Bcc: x.csv was not accepted"


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (7, "April 2017 is due in 7 days"),
        (1, "April 2017 is due tomorrow"),
        (0, "April 2017 is due today"),
        (-1, "April 2017 is late by a day"),
        (-9, "April 2017 is late by 9 days"),
    ],
)
def test_a_digest_says_how_long_there_is(days: int, said: str) -> None:
    event = digest(days)
    [template] = templates_of(event)
    assert fill_template(template, event).title == said


def test_a_digest_of_several_months_is_one_notification() -> None:
    event = digest(7, 0, -3)
    [template] = templates_of(event)
    said = fill_template(template, event)
    assert said.title == "3 months are to be submitted"
    assert said.text.splitlines() == [
        "Lea Valley, April 2017: due in 7 days, 21 May 2017.",
        "Lea Valley, April 2017: due today, 21 May 2017.",
        "Lea Valley, April 2017: late by 3 days, 21 May 2017.",
    ]


def digest(*days_left: int) -> DeadlinesNear:
    due = dt.date(2017, 5, 21)
    months = tuple(
        MonthDue(
            provider="ZX1", provider_name="Lea Valley", month="2017-04", due=due, days_left=days
        )
        for days in days_left
    )
    return DeadlinesNear(addressee=1, day=due, months=months)


def test_operators_read_the_reason_once() -> None:
    event = RunFailed(failed_subject="file/1", failed_title="a", attempts=3, reason="Gone.")
    [template] = templates_of(event)
    assert fill_template(template, event).text.startswith("Gone. It waits")
