"""Events say what they are about in ids and in words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.events.outbox import read_event
from core.vocabulary.event_catalogue import CATALOGUE, Event, FileReceived, ReportReady, RunFailed


def test_an_event_knows_its_subject_and_title() -> None:
    event = FileReceived(file_id=12, submission_id=3, provider="ZX1", month="2017-04", file="a.csv")
    assert (event.subject, event.title) == ("file/12", "ZX1 2017-04 a.csv")
    report = ReportReady(report_id=4, kind="backing-data", report="ZX1 2017-04 backing data")
    assert (report.subject, report.title) == ("report/4", "ZX1 2017-04 backing data")


def test_events_come_back_from_their_payload() -> None:
    event = RunFailed(failed_subject="file/1", failed_title="a", attempts=3, reason="gone")
    assert read_event("run.failed", event.model_dump(mode="json")) == event


def kinds_of(base: type[Event]) -> list[type[Event]]:
    """The classes below it that have a name of their own."""
    below = base.__subclasses__()
    return [each for each in below if "name" in vars(each)] + [
        kind for each in below for kind in kinds_of(each)
    ]


def test_every_event_is_in_the_catalogue_and_names_have_a_kind() -> None:
    declared = kinds_of(Event)
    assert sorted(CATALOGUE) == sorted(event.name for event in declared)
    assert len(declared) == len(set(declared))
    assert all(name.count(".") == 1 for name in CATALOGUE)


def test_a_month_is_written_year_first() -> None:
    with pytest.raises(ValidationError, match="month"):
        FileReceived(file_id=1, submission_id=1, provider="ZX1", month="April", file="a.csv")
