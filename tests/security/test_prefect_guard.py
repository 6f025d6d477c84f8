"""Prefect's server: who may come in, from where, and what a run may not bring along."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx2
import pytest
import websockets

from deployments.prefect_login import PrefectLogin, prefect_client
from tests.security.running import run_alone

if TYPE_CHECKING:
    from deployments.supervisor import Services

RUNS = {"limit": 1}
CREATE = "/deployments/{}/create_flow_run"


def deployment(services: Services) -> str:
    with prefect_client(services.settings) as http:
        found = http.get("/deployments/name/tidy-up/tidy-up").raise_for_status().json()
    return str(found["id"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/flow_runs/filter"),
        ("POST", "/block_documents/filter"),
        ("POST", "/events"),
        ("GET", "/admin/settings"),
        ("GET", "/admin/version"),
        ("GET", "/work_pools/grouper"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("POST", "/health"),
        ("DELETE", "/ready"),
        ("GET", "/health/../admin/settings"),
        ("GET", "/%61dmin/settings"),
    ],
)
def test_without_credentials_nothing_answers(services: Services, method: str, path: str) -> None:
    answer = httpx2.request(method, f"{services.api_url}{path}", json=RUNS)
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_the_documentation_of_the_server_is_not_for_strangers(
    services: Services, path: str
) -> None:
    assert httpx2.get(f"{services.settings.prefect_url}{path}").status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Basic Z3JvdXBlcjo=",
        "Basic Z3JvdXBlcjpndWVzcw==",
        "Basic not base64",
        "Bearer Z3JvdXBlcjpndWVzcw==",
        "Basic",
        "Basic \u00e9\u00e9",
    ],
)
def test_wrong_credentials_are_none(services: Services, header: str) -> None:
    answer = httpx2.post(
        f"{services.api_url}/flow_runs/filter",
        json=RUNS,
        headers={b"Authorization": header.encode()},
    )
    assert answer.status_code == 401


def test_probes_say_that_it_is_there_and_nothing_else(services: Services) -> None:
    assert httpx2.get(f"{services.api_url}/health").json() is True
    assert httpx2.get(f"{services.api_url}/ready").status_code == 200


def test_the_pages_ask_for_the_sign_in(services: Services) -> None:
    answer = httpx2.get(f"{services.settings.prefect_url}/ui-settings")
    assert answer.json()["auth"] == "BASIC"
    assert services.settings.prefect_login() not in answer.text


@pytest.mark.parametrize("path", ["/api/ready", "/api/admin/version", "/ui-settings", "/"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.nip.io", "localhost.evil.example", ""])
def test_under_another_name_it_does_not_answer(services: Services, host: str, path: str) -> None:
    answer = httpx2.get(
        f"{services.settings.prefect_url}{path}",
        headers={"Host": host},
        auth=PrefectLogin(services.settings),
    )
    assert answer.status_code in (400, 421)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_a_page_of_another_site_may_not_call_it(
    services: Services, origin: str, method: str
) -> None:
    answer = httpx2.request(
        method,
        f"{services.api_url}/flow_runs/filter",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Content-Type": "text/plain",
        },
        content=json.dumps(RUNS) if method == "POST" else None,
        auth=PrefectLogin(services.settings),
    )
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_its_own_pages_may(services: Services) -> None:
    origin = services.settings.prefect_url
    with prefect_client(services.settings) as http:
        answer = http.post("/flow_runs/filter", json=RUNS, headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin


VARIABLES: list[dict[str, Any]] = [
    {"command": "touch {}"},
    {"env": {"PYTHONPATH": "{}"}},
    {"env.PYTHONPATH": "{}"},
    {"working_dir": "/tmp"},
    {"stream_output": True},
    {"name": "x", "labels": {}},
]


@pytest.mark.parametrize("variables", VARIABLES, ids=lambda each: next(iter(each)))
def test_a_run_brings_no_command_and_no_environment(
    services: Services, variables: dict[str, Any]
) -> None:
    with prefect_client(services.settings) as http:
        name = f"attack {uuid4()}"
        answer = http.post(
            CREATE.format(deployment(services)), json={"name": name, "job_variables": variables}
        )
        assert answer.status_code == 422, answer.text
        found = http.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [name]}}})
        assert found.json() == []


def test_nor_does_a_run_that_is_changed_later(services: Services) -> None:
    number = deployment(services)
    bad = {"job_variables": {"command": "touch /nowhere"}}
    later = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2099-01-01T00:00:00Z"}}
    with prefect_client(services.settings) as http:
        run = http.post(CREATE.format(number), json={"state": later}).raise_for_status().json()
        try:
            assert http.patch(f"/flow_runs/{run['id']}", json=bad).status_code == 422
        finally:
            http.delete(f"/flow_runs/{run['id']}").raise_for_status()


def test_no_block_holds_a_secret(services: Services) -> None:
    with prefect_client(services.settings) as http:
        asked = {"include_secrets": True, "limit": 200}
        blocks = http.post("/block_documents/filter", json=asked).raise_for_status().json()
    [hook] = [block for block in blocks if block["name"] == "grouper-hook"]
    assert hook["data"]["headers"] == {}
    everything = json.dumps(blocks)
    for secret in (
        services.settings.signing_key(),
        services.settings.hook_signing_key(),
        services.settings.prefect_login() or "?",
    ):
        assert secret not in everything


def test_its_password_is_for_the_service_user_alone(services: Services) -> None:
    kept = services.settings.home / "prefect-password"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for name in ("prefect-server", "worker", "relay", "portal"):
        line = open(f"/proc/{services.pid(name)}/cmdline", "rb").read()  # noqa: SIM115, PTH123
        assert kept.read_bytes() not in line


@pytest.mark.parametrize("path", ["/events/out", "/events/in", "/logs/out"])
@pytest.mark.parametrize(
    "first",
    [
        {"type": "auth"},
        {"type": "auth", "token": "grouper:guess"},
        {"type": "auth", "token": 1},
        {"type": "filter", "filter": {}},
        [],
    ],
    ids=str,
)
def test_a_websocket_signs_in_with_its_first_message(
    services: Services, path: str, first: Any
) -> None:
    assert run_alone(_first_answer(services, path, first)) is None


def test_and_may_then_go_on(services: Services) -> None:
    first = {"type": "auth", "token": services.settings.prefect_login()}
    assert run_alone(_first_answer(services, "/events/out", first)) == {"type": "auth_success"}


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}], ids=str
)
def test_a_websocket_of_another_site_is_not_taken(
    services: Services, headers: dict[str, str]
) -> None:
    first = {"type": "auth", "token": services.settings.prefect_login()}
    with pytest.raises(websockets.InvalidStatus):
        run_alone(_first_answer(services, "/events/out", first, headers))


async def _first_answer(
    services: Services, path: str, first: Any, headers: dict[str, str] | None = None
) -> Any:
    url = services.api_url.replace("http:", "ws:") + path
    extra = headers or {}
    async with websockets.connect(
        url, subprotocols=[websockets.Subprotocol("prefect")], additional_headers=extra
    ) as socket:
        await socket.send(json.dumps(first))
        try:
            return json.loads(await asyncio.wait_for(socket.recv(), 20))
        except websockets.ConnectionClosed:
            return None
