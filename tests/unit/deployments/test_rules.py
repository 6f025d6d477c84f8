"""Event rules: each problem is told with its line, and templates carry values as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.user_errors import DocumentError
from core.vocabulary.event_catalogue import CATALOGUE, FileReceived, SubmissionRequested
from deployments.rules import fill, load_rules

RECEIVED = FileReceived(
    file_id=12, submission_id=3, provider="ZX1", month="2017-04", file="april.csv"
)


def problems(tmp_path: Path, rules: str) -> list[str]:
    path = tmp_path / "rules.yaml"
    path.write_text(f"rules:\n{rules}")
    with pytest.raises(DocumentError) as refused:
        load_rules(path)
    return [f"{problem.place.rpartition(':')[2]}: {problem.text}"
            for problem in refused.value.problems]  # fmt: skip


def test_the_rules_that_ship_are_good() -> None:
    rules = load_rules()
    started = {name: rules.queued_by(name) for name in CATALOGUE}
    assert {name: str(rule.target) for name, rule in started.items() if rule} == {
        "file.received": "queue check-file/check-file",
        "file.corrected": "queue check-file/check-file",
        "file.outdated": "queue check-file/check-file",
        "file.retried": "queue check-file/check-file",
        "submission.requested": "queue submit/submit",
        "submission.drafted": "queue measure/measure",
        "submission.submitted": "queue measure/measure",
        "kpis.requested": "queue measure/measure",
        "kpi.trial-requested": "queue try-kpi/try-kpi",
        "report.requested": "queue collate-report/collate-report",
        "spider.requested": "queue spider-areas/spider-areas",
        "migration.requested": "queue migrate/migrate",
    }
    assert all("log-activity" in [rule.name for rule in rules.for_event(name)]
               for name in CATALOGUE)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (
            "  - name: a\n    on: file.recieved\n    target: {log: {group: g}}\n",
            "3: no event is called 'file.recieved'",
        ),
        (
            "  - name: a\n    on: file.ready\n    target:\n      function: vanish\n",
            "5: no function is registered as 'vanish'",
        ),
        (
            "  - name: a\n    on: file.ready\n    target:\n      queue:\n"
            "        deployment: x/y\n        parameters:\n          run: '{payload.run_id}'\n",
            "8: file.ready has no {payload.run_id}",
        ),
        (
            "  - name: a\n    on: file.ready\n    target:\n      log: {group: g}\n"
            "      function: f\n",
            "4: rules.0.target: Value error, a target is one of queue, function, log",
        ),
        (
            "  - {name: a, on: file.ready, target: {log: {group: g}}}\n"
            "  - {name: a, on: file.ready, target: {log: {group: g}}}\n",
            "3: a second rule 'a'",
        ),
        ("  - {name: a, when: file.ready}\n", "2: rules.0.on: Field required"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_line(tmp_path: Path, rule: str, problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(tmp_path, rule))


def test_a_lone_placeholder_keeps_the_type_of_its_value() -> None:
    template = {"file_id": "{payload.file_id}", "text": "file {payload.file_id}", "fixed": 3}
    assert fill(template, RECEIVED) == {"file_id": 12, "text": "file 12", "fixed": 3}


def test_run_names_say_provider_month_and_file() -> None:
    assert fill("check {title}", RECEIVED) == "check ZX1 2017-04 april.csv"
    asked = SubmissionRequested(
        submission_id=3, run_id=4, provider="ZX1", month="2017-04", kind="draft"
    )
    assert fill("{payload.kind} of {title}", asked) == "draft of ZX1 2017-04"
