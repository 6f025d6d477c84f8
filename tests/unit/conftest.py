"""The shipped data set and the illustrative configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.dataset.specification import Specification, load_specification
from core.engine.tariff.configuration import Configuration, load_configuration

CORE = Path(__file__).parents[2] / "core"


@pytest.fixture(scope="session")
def specification() -> Specification:
    return load_specification(CORE / "engine/dataset/library/sexual-health.yaml")


@pytest.fixture(scope="session")
def configuration(specification: Specification) -> Configuration:
    path = CORE / "engine/tariff/library/illustrative-isht-2017-18.yaml"
    return load_configuration(path, specification)
