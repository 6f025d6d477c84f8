"""Every odd file is read as a person would read it, or its row is named: checked offline."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from core.engine.areas.hosts import read_hosts
from core.engine.areas.register import AreaRegister
from core.engine.dataset.specification import Specification, load_specification
from core.engine.offline.pricing import Outcome, Tariff, price_files
from core.engine.tariff.configuration import Configuration, load_configuration
from core.user_errors import DocumentError
from tests.odd_files import FOLDER, ODD_FILES, OddFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CORE = FOLDER.parents[2] / "core" / "engine"


@lru_cache
def shipped() -> tuple[Specification, Configuration, AreaRegister]:
    specification = load_specification(CORE / "dataset/library/sexual-health.yaml")
    configuration = CORE / "tariff/library/illustrative-isht-2017-18.yaml"
    return specification, load_configuration(configuration, specification), AreaRegister.shipped()


def priced(file: OddFile, path: Path) -> Outcome:
    """The records without error, priced; a clinic of each provider is hosted."""
    specification, configuration, register = shipped()
    hosts = {**read_hosts(FOLDER / "clinics.csv", register), "ZX2-A": "E09000012"}
    tariff = Tariff(specification, configuration, file.provider, file.month, hosts, register)
    return price_files([(path.name, path)], tariff, skip_errors=True)


def found_in(outcome: Outcome) -> list[tuple[int | None, str]]:
    """Row and code of every finding, but for what a later record wrote over."""
    errors = outcome.findings[0].errors
    pairs = zip(errors["row"].to_pylist(), errors["code"].to_pylist(), strict=True)
    return [pair for pair in pairs if pair[1] != "code-overwritten"]


def charged(outcome: Outcome) -> Mapping[str, tuple[str, ...]] | None:
    """For each patient the currencies with their rate types; None where nothing is priced."""
    if outcome.calculation is None:
        return None
    return by_patient(outcome.calculation.charges)


def by_patient(charges: pa.Table) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    columns = (charges[name].cast(pa.string()).to_pylist() for name in COLUMNS)
    for patient, currency, rate_type in zip(*columns, strict=True):
        found.setdefault(patient, []).append(f"{currency} {rate_type}")
    return {patient: tuple(sorted(each)) for patient, each in found.items()}


COLUMNS = ("patient_id", "currency", "rate_type")


@pytest.mark.parametrize("file", ODD_FILES, ids=[file.name for file in ODD_FILES])
def test_an_odd_file_is_read_rightly_or_its_row_is_named(file: OddFile) -> None:
    outcome = priced(file, file.path)
    assert found_in(outcome) == list(file.found)
    assert charged(outcome) == file.charges


@pytest.mark.parametrize(
    ("case", "month", "charges"),
    [
        ("F1", dt.date(2017, 4, 1), {("CYT", "E09000030", "1.05"), ("T2", "E09000001", "1.05")}),
        ("F3", dt.date(2023, 4, 1), {("CYT", "E06000063", "1.2"), ("T2", "E06000063", "1.2")}),
    ],
)
def test_hosts_are_authorities_by_code_and_those_of_today(
    case: str, month: dt.date, charges: set[tuple[str, str, str]]
) -> None:
    specification, _, register = shipped()
    activity, rules, hosts = (next(FOLDER.glob(f"{case}-{kind}*")) for kind in KINDS)
    configuration = load_configuration(rules, specification)
    read = read_hosts(hosts, register, configuration.commissioners)
    tariff = Tariff(specification, configuration, "ZX2", month, read, register)
    found = price_files([(activity.name, activity)], tariff).calculation
    assert found is not None
    lines = found.charges.to_pylist()
    assert {(line["currency"], line["commissioner"], line["factor"]) for line in lines} == charges
    assert bool(tariff.placed.notes) == (case == "F3")
    assert all(
        "ended on 2023-03-31" in line["reason"] for line in lines if line["basis"] == "host"
    ) == (case == "F3")


KINDS = ("activity", "configuration", "hosts")


def test_a_factor_that_is_no_weighting_is_refused_with_its_line() -> None:
    with pytest.raises(DocumentError, match=r"F4-factor-1e25\.yaml:\d+: .*factor"):
        load_configuration(FOLDER / "F4-factor-1e25.yaml", shipped()[0])
