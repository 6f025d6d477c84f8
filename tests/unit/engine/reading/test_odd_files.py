"""Every odd file is read as a person would read it, or its row is named: checked offline."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from core.engine.areas.hosts import read_hosts
from core.engine.areas.register import AreaRegister
from core.engine.dataset.specification import Specification, load_specification
from core.engine.offline.pricing import Outcome, Tariff, price_files
from core.engine.tariff.configuration import Configuration, load_configuration
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
    hosts = {**read_hosts(FOLDER / "clinics.csv"), "ZX2-A": "E09000012"}
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
