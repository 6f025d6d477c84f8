"""The hook of Prefect's automations: signed, fresh, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa

from core.database.tables import events
from core.events.prefect_webhook import DIGEST, SIGNATURE, TIME, signed_headers

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from deployments.supervisor import Services


def telling(run: str) -> bytes:
    return (
        f'{{"raises": "flow-run.stopped", "event": "prefect.flow-run.Failed", '
        f'"event_id": "{uuid4()}", "resource": "prefect.flow-run.{run}"}}'
    ).encode()


def event_count(populated: Engine, run: str) -> int:
    query = sa.select(sa.func.count()).where(events.c.subject == f"flow-run/{run}")
    with populated.connect() as connection:
        return int(connection.execute(query).scalar_one())


def post(services: Services, body: bytes, headers: dict[str, str]) -> int:
    url = f"{services.portal_url}/hooks/prefect"
    raw = {name.encode(): value.encode() for name, value in headers.items()}
    return httpx2.post(url, content=body, headers=raw).status_code


def test_what_is_signed_counts_once(services: Services, populated: Engine) -> None:
    run, key = str(uuid4()), services.settings.hook_signing_key()
    headers = signed_headers(key, body := telling(run))
    assert post(services, body, headers) == 200
    assert post(services, body, headers) == 403
    assert event_count(populated, run) == 1


@pytest.mark.parametrize("age", [600, -600])
def test_an_old_one_does_not_count(services: Services, populated: Engine, age: int) -> None:
    run, key = str(uuid4()), services.settings.hook_signing_key()
    body = telling(run)
    assert post(services, body, signed_headers(key, body, time.time() - age)) == 403
    assert event_count(populated, run) == 0


def test_another_body_or_time_is_not_signed(services: Services, populated: Engine) -> None:
    run, key = str(uuid4()), services.settings.hook_signing_key()
    body = telling(run)
    headers = signed_headers(key, telling(str(uuid4())))
    assert post(services, body, headers) == 403
    digest = signed_headers(key, body)[DIGEST]
    assert post(services, body, {**headers, DIGEST: digest}) == 403
    assert post(services, body, {**headers, TIME: str(int(time.time()) + 1)}) == 403
    assert event_count(populated, run) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SIGNATURE: "x"},
        {SIGNATURE: "", TIME: "", DIGEST: ""},
        {SIGNATURE: "é", TIME: "now", DIGEST: "x"},
        {"X-Grouper-Hook": "the secret of before"},
    ],
    ids=str,
)
def test_without_a_signature_no_body_is_read(services: Services, headers: dict[str, str]) -> None:
    assert post(services, b"x" * (3 << 20), headers) == 403


def test_nor_with_the_key_of_something_else(services: Services, populated: Engine) -> None:
    run = str(uuid4())
    body = telling(run)
    assert post(services, body, signed_headers(services.settings.signing_key(), body)) == 403
    assert event_count(populated, run) == 0


@pytest.mark.parametrize("body", [b"{}", b"x" * (1 << 21), b'{"raises": "file.ready"}'])
def test_what_makes_no_sense_is_refused(services: Services, body: bytes) -> None:
    headers = signed_headers(services.settings.hook_signing_key(), body)
    assert post(services, body, headers) == 400
