"""The demonstration's providers, people and tariff in a database of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.service.month import Service


@pytest.fixture
def service(database: Engine, tmp_path: Path) -> Service:
    from tests.service.month import Service

    return Service(database, tmp_path / "store")
