"""A tariff configuration as data: who takes part, what is charged, when and at which rate."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, ValidationError
from pydantic import Field as PydanticField

from core.documents import Document, StrictModel, parse_document, read_document
from core.engine.columns.as_read import made_visible, text_as_read
from core.engine.dataset.specification import Specification, specification_of
from core.engine.tariff.money import Money
from core.engine.tariff.statements import StatementError, parse_statement
from core.user_errors import DocumentError

CrossCharge = Literal["full", "local_unlimited", "local_limited", "none"]


class Status(StrEnum):
    """The status of a configuration (docs/formats.md, tariff configuration)."""

    DRAFT = "draft"  # never used
    SHADOW = "shadow"  # calculated beside the live one, never charged
    LIVE = "live"
    ARCHIVED = "archived"  # still serves its own months


_RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_AREA = re.compile(r"[A-Za-z][0-9]{8}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FACTOR = re.compile(r"[0-9]+(\.[0-9]+)?")

MOST_DAYS = 3660
"""Ten years, more than anybody is given to submit; a date so far on could not be reckoned."""
MOST_FACTOR = 1000
"""More than any weighting; a larger one is a slip, and could not be stored."""


def _pence(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError('write the rate as a quoted decimal, such as "44.57"')
    if value.strip().startswith("-"):
        raise ValueError(f"the rate {value} is negative; rates are zero or more")
    if not _RATE.fullmatch(value.strip()):
        raise ValueError(f"{value!r} is not pounds with at most two decimal places")
    return Money.parse(value.strip())


def _plain(value: int) -> str:
    return Money(value).plain


def _blank_mapping(value: object) -> object:
    return {} if value is None else value


Pence = Annotated[
    int, BeforeValidator(_pence), PlainSerializer(_plain, return_type=str, when_used="json")
]


def _decimal(value: object) -> object:
    if isinstance(value, str) and not _FACTOR.fullmatch(value.strip()):
        raise ValueError(f"{value!r} is no decimal number; write one such as 1.05")
    return value


def _in_capitals(value: object) -> object:
    """Area codes as they are listed; a key that is none stays, for other rules to judge."""
    if not isinstance(value, dict):
        return value
    codes: dict[object, object] = {}
    for key, member in value.items():
        code = key.strip().upper() if isinstance(key, str) and _AREA.fullmatch(key.strip()) else key
        if code in codes:
            raise ValueError(f"{code} stands there twice")
        codes[code] = member
    return codes


def _no_provider_twice(value: object) -> object:
    """Records name their provider in any case, so two spellings would be one with two factors."""
    if isinstance(value, dict):
        seen: dict[str, str] = {}
        for key in value:
            if not isinstance(key, str):
                continue
            read = text_as_read(key)
            if read != key:
                raise ValueError(f"write {made_visible(key)} as {read}")
            if read.lower() in seen:
                raise ValueError(f"{seen[read.lower()]} and {key} are one provider; keep one")
            seen[read.lower()] = key
    return value


def _iso_date(value: object) -> object:
    """A date is never guessed: no number is one, and no text but YYYY-MM-DD."""
    if type(value) is datetime.date or (isinstance(value, str) and _DATE.fullmatch(value.strip())):
        return value.strip() if isinstance(value, str) else value
    raise ValueError(f"{value} is no date; write it as 2017-04-01")


IsoDate = Annotated[datetime.date, BeforeValidator(_iso_date)]
Factor = Annotated[Decimal, BeforeValidator(_decimal), PydanticField(ge=0, le=MOST_FACTOR)]


class Provider(StrictModel):
    """A participating provider; without a factor the clinic's host decides."""

    factor: Factor | None = None


class Commissioner(StrictModel):
    """A participating commissioner (district) and its weighting."""

    geo_weighting: Factor | None = None


class Currency(StrictModel):
    """What may be charged; each of its triggers alone fires it."""

    code: str = PydanticField(min_length=1)
    name: str = ""
    primary: Pence
    additional: Pence
    cross_charge: CrossCharge
    triggers: tuple[str, ...] = ()


class Combination(StrictModel):
    """Where all ``members`` are charged, the ``results`` replace them."""

    members: tuple[str, ...] = PydanticField(alias="if", min_length=1)
    results: tuple[str, ...] = PydanticField(alias="then")


class Configuration(StrictModel):
    """A tariff configuration, checked in itself and against its data set."""

    configuration: str = PydanticField(min_length=1)
    title: str = ""
    dataset: str
    status: Status
    start: IsoDate
    end: IsoDate  # inclusive
    submit_within_days: int = PydanticField(default=21, ge=0, le=MOST_DAYS)
    hide_rates: bool = False
    owner: str | None = None
    providers: Annotated[
        dict[str, Annotated[Provider, BeforeValidator(_blank_mapping)]],
        BeforeValidator(_no_provider_twice),
    ]
    commissioners: Annotated[
        dict[str, Annotated[Commissioner, BeforeValidator(_blank_mapping)]],
        BeforeValidator(_in_capitals),
    ] = PydanticField(default_factory=dict)
    currencies: tuple[Currency, ...] = PydanticField(min_length=1)
    combinations: tuple[Combination, ...] = ()

    @property
    def position(self) -> dict[str, int]:
        """Currency code to its place in the list."""
        return {currency.code: place for place, currency in enumerate(self.currencies)}


def load_configuration(path: Path, specification: Specification) -> Configuration:
    """Reads a configuration; raises ``DocumentError`` with line and reason of every problem."""
    return configuration_from(read_document(path), specification)


@lru_cache(maxsize=32)  # a service reads the few that it has again and again
def tariff_of(dataset: str, text: str, *, name: str) -> tuple[Specification, Configuration]:
    """The data set and the configuration that two YAML texts describe; raises ``DocumentError``."""
    specification = specification_of(dataset)
    return specification, configuration_from(parse_document(text, name=name), specification)


def configuration_from(document: Document, specification: Specification) -> Configuration:
    """The configuration a document describes, or ``DocumentError``."""
    try:
        configuration = Configuration.model_validate(document.data)
    except ValidationError as error:
        raise document.refused_by(error) from error
    problems = [
        document.problem(path, text) for path, text in _contradictions(configuration, specification)
    ]
    if problems:
        raise DocumentError(problems)
    return configuration


_Contradictions = Iterator[tuple[tuple[Any, ...], str]]


def _contradictions(configuration: Configuration, specification: Specification) -> _Contradictions:
    """Contradictions between parts, which pydantic does not check: path and text."""
    if configuration.dataset != specification.dataset:
        text = f"is for the data set {configuration.dataset!r}, not {specification.dataset!r}"
        yield ("dataset",), text
    if configuration.end < configuration.start:
        yield ("end",), f"ends {configuration.end}, before its start {configuration.start}"
    yield from _repeated_currencies(configuration)
    yield from _statements_refused(configuration, specification)
    yield from _unknown_currencies(configuration)


def _repeated_currencies(configuration: Configuration) -> _Contradictions:
    seen: set[str] = set()
    for place, currency in enumerate(configuration.currencies):
        if currency.code in seen:
            yield (
                ("currencies", place, "code"),
                f"the currency {currency.code!r} stands there twice",
            )
        seen.add(currency.code)


def _statements_refused(
    configuration: Configuration, specification: Specification
) -> _Contradictions:
    for place, currency in enumerate(configuration.currencies):
        for number, text in enumerate(currency.triggers):
            try:
                parse_statement(text, specification)
            except StatementError as error:
                path = ("currencies", place, "triggers", number)
                yield path, f"{currency.code}: {text!r}: {error}"


def _unknown_currencies(configuration: Configuration) -> _Contradictions:
    listed = configuration.position
    for number, combination in enumerate(configuration.combinations):
        for side, codes in (("if", combination.members), ("then", combination.results)):
            for place, code in enumerate(codes):
                if code not in listed:
                    path = ("combinations", number, side, place)
                    yield path, f"no currency {code!r}; list it under `currencies`"
