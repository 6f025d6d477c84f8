"""The database with the demonstration's scene, as the tests of services have it."""

from __future__ import annotations

from tests.service.conftest import database_url, portal_engine, service, stage, with_roles

__all__ = ["database_url", "portal_engine", "service", "stage", "with_roles"]
