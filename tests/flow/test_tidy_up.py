"""The daily tidying, as the worker carries it out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import httpx2
import sqlalchemy as sa

from core.database.tables import log_posts
from tests.flow.conftest import Until

if TYPE_CHECKING:
    from sqlalchemy import Engine

OLD = {"log_group": "activity", "subject": "file/0", "text": "of long ago"}


def test_posts_that_were_kept_long_enough_end(
    populated: Engine, http: httpx2.Client, until: Until
) -> None:
    a_year_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=366)
    with populated.begin() as connection:
        connection.execute(log_posts.insert().values(at=a_year_ago, **OLD))
        connection.execute(log_posts.insert().values(**{**OLD, "text": "of today"}))
    deployment = http.get("/deployments/name/tidy-up/tidy-up").raise_for_status().json()
    assert [each["schedule"]["cron"] for each in deployment["schedules"]] == ["30 2 * * *"]
    place = f"/deployments/{deployment['id']}/create_flow_run"
    run = http.post(place, json={"state": {"type": "SCHEDULED"}}).raise_for_status().json()
    until(lambda: http.get(f"/flow_runs/{run['id']}").json()["state"]["type"] == "COMPLETED")
    with populated.connect() as connection:
        wanted = sa.select(log_posts.c.text).where(log_posts.c.subject == "file/0")
        assert list(connection.execute(wanted).scalars()) == ["of today"]
