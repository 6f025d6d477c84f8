"""Each secret gets a new value while everything runs, by the commands of docs/security.md."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx2
import psycopg
import pytest
import sqlalchemy as sa

from core.database.roles import role_url
from core.database.tables import audit
from core.events.prefect_webhook import signed_headers
from core.files.links import make_link, read_link
from core.user_errors import UserError
from deployments.health_check import answers
from deployments.prefect_login import PrefectLogin, basic, former_password, prefect_client
from tests.flow.conftest import Until, until

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

__all__ = ["until"]


def rotate(services: Services, name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "secrets", "rotate", name],
        env={**os.environ, **services.settings.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def portal_is_new(services: Services, before: int | None) -> bool:
    return services.pid("portal") not in (None, before) and answers(
        f"{services.portal_url}/healthz"
    )


def status(services: Services, login: str) -> int:
    url = f"{services.api_url}/work_pools/grouper"
    return httpx2.get(url, headers={"Authorization": basic(login)}).status_code


def test_the_password_of_prefect(services: Services, populated: Engine, until: Until) -> None:
    old, worker = services.settings.prefect_login() or "", services.pid("worker")
    server = services.pid("prefect-server")
    rotate(services, "prefect-password")
    new = services.settings.prefect_login() or ""
    assert new != old
    assert status(services, new) == 200  # at once, without a start
    until(lambda: services.pid("worker") not in (None, worker))

    def served() -> bool:
        with prefect_client(services.settings) as http:
            found = http.post("/work_pools/grouper/workers/filter", json={}).json()
        return any(each["status"] == "ONLINE" for each in found)

    until(served)
    assert services.pid("prefect-server") == server
    os.utime(former_password(services.settings), (0, 0))  # ten minutes have gone by
    assert status(services, old) == 401
    assert status(services, new) == 200
    with populated.connect() as connection:
        noted = sa.select(audit.c.id).where(audit.c.subject == "secret:prefect-password")
        assert connection.execute(noted).first() is not None


def test_the_signing_key(services: Services, populated: Engine, until: Until) -> None:
    link, before = make_link("key", "name.xlsx", 1), services.pid("portal")
    assert read_link(link).user_id == 1
    rotate(services, "signing-key")
    until(lambda: portal_is_new(services, before))
    with pytest.raises(UserError):
        read_link(link)
    assert httpx2.get(f"{services.portal_url}/download/{link}").status_code == 403
    assert answers(f"{services.api_url}/work_pools/grouper", PrefectLogin(services.settings))


def test_the_database_roles(services: Services, populated: Engine, until: Until) -> None:
    urls = [role_url(services.database_url, role, services.settings) for role in ("app", "kpi")]  # type: ignore[arg-type]
    before = services.pid("portal")
    rotate(services, "database-roles")
    until(lambda: portal_is_new(services, before))
    for url in urls:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
    for role in ("app", "kpi"):
        psycopg.connect(role_url(services.database_url, role, services.settings)).close()  # type: ignore[arg-type]


def test_the_key_of_the_hook(services: Services, populated: Engine) -> None:
    old = services.settings.hook_signing_key()
    rotate(services, "hook-key")
    url = f"{services.portal_url}/hooks/prefect"
    body = b"{}"  # signed, and then refused for what it says
    status = {
        key: httpx2.post(url, content=body, headers=signed_headers(key, body)).status_code
        for key in (old, services.settings.hook_signing_key())
    }
    assert list(status.values()) == [403, 400]


def test_one_that_somebody_else_keeps_is_not_ours_to_change(services: Services) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "secrets", "rotate", "signing-key"],
        env={**os.environ, "GROUPER_HOME": str(services.settings.home), "GROUPER_SECRET_KEY": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "GROUPER_SECRET_KEY is set" in done.stderr
