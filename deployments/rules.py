"""The event rules: read from YAML, checked against the catalogue, with the line of each problem."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from core.documents import Document, Path_, StrictModel, read_document
from core.user_errors import DocumentError, Problem
from core.vocabulary.event_catalogue import CATALOGUE, Event, SchedulerEvent
from deployments.reactions import REACTIONS

EVENT_RULES = Path(__file__).with_name("event_rules.yaml")
EVERY = "*"
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
WORDS = ("name", "title", "subject", "label")
"""Placeholders that every event fills."""


FAMILIES = ("flow-run", "work-queue", "work-pool")
"""The families of Prefect's events for which there can be rules."""


class Queue(StrictModel):
    """A deployment, whose run waits its turn on the deployment's work queue."""

    deployment: str = Field(pattern=r"^[^/]+/[^/]+$")  # flow/deployment
    parameters: dict[str, Any] = Field(default_factory=dict)
    run_name: str = "{label}"


class Log(StrictModel):
    """A post to a named log group; its text may hold values of the event."""

    group: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    text: str = "{name}: {title}"


class Target(StrictModel):
    """Exactly one of the three kinds."""

    queue: Queue | None = None
    function: str | None = None
    log: Log | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.queue, self.function, self.log)) != 1:
            raise ValueError("a target is one of queue, function, log")
        return self

    def __str__(self) -> str:
        """The target as operators read it."""
        if self.queue:
            return f"queue {self.queue.deployment}"
        return f"log {self.log.group}" if self.log else f"function {self.function}"


class Rule(StrictModel):
    """What one event, several events or all events cause."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    on: str | tuple[str, ...]
    target: Target

    @cached_property
    def names(self) -> tuple[str, ...]:
        return (self.on,) if isinstance(self.on, str) else self.on

    @property
    def events(self) -> list[type[Event]]:
        """The known events that the rule is for."""
        if EVERY in self.names:
            return list(CATALOGUE.values())
        return [CATALOGUE[name] for name in self.names if name in CATALOGUE]

    def matches(self, name: str) -> bool:
        return EVERY in self.names or name in self.names


class PrefectRule(StrictModel):
    """Events of Prefect's own that raise one of ours; kept as an automation on its server.

    ``expect`` are of one family: of flow runs, of work queues or of work pools.
    """

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    expect: tuple[str, ...] = Field(min_length=1)
    raises: str

    @property
    def family(self) -> str | None:
        """The family of the expected events; None where there are several, or an unknown one."""
        families = {name.removeprefix("prefect.").partition(".")[0] for name in self.expect}
        return families.pop() if len(families) == 1 and families <= set(FAMILIES) else None


class Rules(StrictModel):
    """All rules, in the order in which they are carried out."""

    rules: tuple[Rule, ...]
    prefect: tuple[PrefectRule, ...] = ()

    def for_event(self, name: str) -> list[Rule]:
        return [rule for rule in self.rules if rule.matches(name)]

    @property
    def log_groups(self) -> set[str]:
        """The log groups that rules post to."""
        return {rule.target.log.group for rule in self.rules if rule.target.log}

    def queued_by(self, name: str) -> Rule | None:
        """The rule that starts the work an event asks for."""
        return next((rule for rule in self.for_event(name) if rule.target.queue), None)


@dataclass(frozen=True)
class _Place:
    """A text with placeholders, and where it stands."""

    path: Path_
    text: Any


def load_rules(path: Path = EVENT_RULES) -> Rules:
    """Reads the rules; raises ``DocumentError`` with the line of every problem."""
    document = read_document(path)
    try:
        rules = Rules.model_validate(document.data)
    except ValidationError as error:
        raise document.refused_by(error) from error
    problems = _contradictions(rules, document)
    if problems:
        raise DocumentError(problems)
    return rules


def fill(template: Any, event: Event) -> Any:
    """A template with an event's values: a lone placeholder keeps its value's type."""
    if isinstance(template, dict):
        return {name: fill(value, event) for name, value in template.items()}
    if not isinstance(template, str):
        return template
    alone = PLACEHOLDER.fullmatch(template)
    if alone:
        return _value(alone[1], event)
    return PLACEHOLDER.sub(lambda match: str(_value(match[1], event)), template)


def _value(name: str, event: Event) -> Any:
    if name in WORDS:
        return getattr(event, name)
    return event.model_dump(mode="json")[name.removeprefix("payload.")]


def _contradictions(rules: Rules, document: Document) -> list[Problem]:
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, rule in enumerate(rules.rules):
        place = ("rules", index)
        if rule.name in seen:
            problems.append(document.problem((*place, "name"), f"a second rule {rule.name!r}"))
        seen.add(rule.name)
        problems += _unknown_events(rule, document, place)
        problems += _unknown_reaction(rule, document, place)
        problems += _unknown_placeholders(rule, document, place)
        problems += _private_placeholders(rule, document, place)
    for index, prefect_rule in enumerate(rules.prefect):
        problems += _unheard_events(prefect_rule, document, ("prefect", index))
    return problems


def _unknown_events(rule: Rule, document: Document, place: Path_) -> list[Problem]:
    names = (*CATALOGUE, EVERY)
    return [
        document.problem((*place, "on"), f"no event is called {name!r}; there are {_list(names)}")
        for name in rule.names
        if name not in names
    ]


def _unknown_reaction(rule: Rule, document: Document, place: Path_) -> list[Problem]:
    name = rule.target.function
    if name is None or name in REACTIONS:
        return []
    text = f"no function is registered as {name!r}; there are {_list(REACTIONS) or 'none'}"
    return [document.problem((*place, "target", "function"), text)]


def _unheard_events(rule: PrefectRule, document: Document, place: Path_) -> list[Problem]:
    """Problems of a rule on Prefect's events: of what it expects, and of what it raises."""
    problems = []
    if rule.family is None:
        text = f"expect events of one family: prefect.NAME.…, where NAME is {_list(FAMILIES)}"
        problems.append(document.problem((*place, "expect"), text))
    names = [name for name, event in CATALOGUE.items() if issubclass(event, SchedulerEvent)]
    if rule.raises not in names:
        text = f"{rule.raises!r} is no event that such a rule can raise; there are {_list(names)}"
        problems.append(document.problem((*place, "raises"), text))
    return problems


def _unknown_placeholders(rule: Rule, document: Document, place: Path_) -> list[Problem]:
    texts = _texts(rule, place)
    return [
        document.problem(text.path, f"{event.name} has no {{{name}}}")
        for text in texts
        for name in PLACEHOLDER.findall(str(text.text))
        for event in rule.events
        if name not in WORDS
        and not (
            name.startswith("payload.") and name.removeprefix("payload.") in event.model_fields
        )
    ]


def _private_placeholders(rule: Rule, document: Document, place: Path_) -> list[Problem]:
    """Problems of placeholders that are no ids or months; Prefect may store no other values."""
    if rule.target.queue is None:
        return []
    return [
        document.problem(
            text.path,
            f"{{{name}}} may hold text of people, which Prefect would keep: use {{label}} or an id",
        )
        for text in _texts(rule, place)
        for name in sorted(set(PLACEHOLDER.findall(str(text.text))))
        if name == "title" or any(_is_private(name, event) for event in rule.events)
    ]


def _is_private(name: str, event: type[Event]) -> bool:
    field = name.removeprefix("payload.")
    return name not in WORDS and field in event.model_fields and not event.is_code(field)


def _texts(rule: Rule, place: Path_) -> list[_Place]:
    """Every text of a rule that may hold placeholders."""
    queue, group = rule.target.queue, rule.target.log
    if group:
        return [_Place((*place, "target", "log", "text"), group.text)]
    if queue is None:
        return []
    target = (*place, "target", "queue")
    return [
        _Place((*target, "run_name"), queue.run_name),
        *(_Place((*target, "parameters", name), text) for name, text in queue.parameters.items()),
    ]


def _list(names: Any) -> str:
    return ", ".join(sorted(names))
