"""A number that no row can have is one that is not there: an answer, not a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from click.testing import CliRunner

from cli.main import grouper
from core.access.sessions import begin_session
from portal.session_cookies import KEY
from tests.security.test_report_rights import cookies

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services

NUMBERS = ("2147483648", "99999999999999999999", "9" * 5000, "٣", "²")
PATHS = ("/template/{}/csv", "/template/{}/xlsx", "/errors/{}/csv", "/invoice/INV-{}")


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:12])
@pytest.mark.parametrize("path", PATHS)
def test_routes(services: Services, populated: Engine, path: str, number: str) -> None:
    with populated.begin() as connection:
        key = begin_session(connection, "amira@zx1.example", address=None, agent=None)
    signed_in = cookies(services, {"sub": "amira@zx1.example", KEY: key})
    url = services.portal_url + path.format(number)
    assert httpx2.get(url, cookies=signed_in).status_code == 404
    assert httpx2.get(url).status_code in (403, 404)


@pytest.mark.parametrize("number", ["0", "2147483648", "9" * 5000], ids=lambda number: number[:12])
@pytest.mark.parametrize(
    "command",
    [
        "rerun {} --compare",
        "resets grant {} --answer x",
        "resets refuse {} --answer x",
        "spider show {}",
        "migrate status {}",
        "migrate verify {}",
        "migrate sign-off {} --note x",
        "subscriptions invoice {}",
        "subscriptions end {} --reason x",
    ],
)
def test_commands(command: str, number: str) -> None:
    done = CliRunner().invoke(grouper, command.format(number).split())
    assert done.exit_code == 2
    assert "is not in the range 1<=x<=2147483647" in done.output or "valid integer" in done.output
