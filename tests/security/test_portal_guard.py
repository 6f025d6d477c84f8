"""The portal's guard: routes that there are, names, origins, headers, bodies nobody reads."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest
import websockets

from core.user_errors import UserError
from portal.uploads import _upload_details
from tests.security.running import run_alone

if TYPE_CHECKING:
    from deployments.supervisor import Services

FLOOD = 256 << 20


def raw(services: Services, head: str) -> bytes:
    """The answer to a request of which the body is never sent."""
    with socket.create_connection(("127.0.0.1", services.settings.portal_port), 20) as line:
        line.sendall(head.replace("\n", "\r\n").encode())
        line.settimeout(20)
        return line.recv(65536)


def memory(services: Services, name: str) -> int:
    """Bytes that a service and its children hold."""
    status = Path(f"/proc/{services.pid(name)}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "GET"])
@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/upload_file/session/file",
        "/_stcore/upload_file/",
        "/_stcore/metrics",
        "/_stcore/script-health-check",
        "/_stcore/agent",
        "/media/x",
        "/component/x/y",
        "/app/static/x",
        "/mcp",
        "/download",
        "/upload/_stcore/upload_file/session/file",
        "/../etc/passwd",
        "//evil.example",
    ],
)
def test_a_route_that_is_not_ours_takes_no_byte(services: Services, path: str, method: str) -> None:
    answer = raw(
        services,
        f"{method} {path} HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 1000000000\n\n",
    )
    status = int(answer.split()[1])
    assert status in (404, 405)


@pytest.mark.parametrize("path", ["/", "/upload", "/download/x", "/healthz", "/invoices.csv"])
@pytest.mark.parametrize("method", ["PUT", "POST", "GET", "DELETE"])
def test_a_route_without_a_body_reads_none(services: Services, path: str, method: str) -> None:
    for length in ("Content-Length: 1000000000", "Transfer-Encoding: chunked"):
        answer = raw(services, f"{method} {path} HTTP/1.1\nHost: 127.0.0.1\n{length}\n\n")
        assert int(answer.split()[1]) == 405


@pytest.mark.parametrize("path", ["PUT /api/upload?name=a.csv", "POST /hooks/prefect"])
def test_who_sends_is_asked_before_a_body_is_read(services: Services, path: str) -> None:
    answer = raw(services, f"{path} HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 1000000000\n\n")
    assert int(answer.split()[1]) == 403


def test_a_flood_leaves_the_memory_as_it_was(services: Services) -> None:
    before = {name: memory(services, name) for name in ("portal", "prefect-server")}
    targets = (
        f"{services.portal_url}/_stcore/upload_file/session/file",
        f"{services.portal_url}/api/upload?name=a.csv",
        f"{services.api_url}/flow_runs/filter",
    )

    def body() -> object:
        for _ in range(FLOOD >> 20):
            yield b"x" * (1 << 20)

    for url in targets:
        try:
            assert httpx2.put(url, content=body(), timeout=60).status_code in (401, 403, 404)  # type: ignore[arg-type]
        except httpx2.TransportError:
            continue  # the connection was cut, which is as good
    for name, size in before.items():
        assert memory(services, name) - size < 50 << 20


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.nip.io", "localhost.evil.example"])
@pytest.mark.parametrize("path", ["/", "/home", "/auth/login", "/download/x"])
def test_another_name_is_refused_and_leads_nowhere(
    services: Services, path: str, host: str
) -> None:
    answer = httpx2.get(f"{services.portal_url}{path}", headers={"Host": host})
    assert answer.status_code == 421
    assert host not in answer.headers.get("location", "")


def test_home_leads_to_the_same_server(services: Services) -> None:
    answer = httpx2.get(f"{services.portal_url}/home?a=b")
    assert answer.headers["location"] == "/?a=b"


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/download/x", "/nothing/here", "/hooks/prefect"]
)
def test_every_answer_carries_the_headers(services: Services, path: str) -> None:
    headers = httpx2.get(f"{services.portal_url}{path}").headers
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in headers  # plain http here


def test_behind_https_browsers_stay_there(services: Services) -> None:
    from portal.request_guard import _headers

    chosen = services.settings.model_copy(update={"public_url": "https://grouper.example"})
    assert _headers(chosen)["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
    ids=str,
)
def test_a_websocket_is_for_pages_of_the_portal(
    services: Services, headers: dict[str, str]
) -> None:
    with pytest.raises(websockets.InvalidStatus):
        run_alone(connect(services, "/_stcore/stream", headers))


def test_its_own_pages_connect_and_send_little(services: Services) -> None:
    own = {"Origin": services.portal_url}
    assert run_alone(connect(services, "/_stcore/stream", own)) is None
    assert run_alone(connect(services, "/_stcore/stream", own, b"x" * (2 << 20))) == 1009


async def connect(
    services: Services, path: str, headers: dict[str, str], said: bytes = b""
) -> int | None:
    """The code with which the portal closes; None where it does not."""
    url = services.portal_url.replace("http:", "ws:") + path
    async with websockets.connect(
        url, additional_headers=headers, subprotocols=[websockets.Subprotocol("streamlit")]
    ) as line:
        if said:
            await line.send(said)
            await asyncio.wait_for(line.wait_closed(), 20)
            return line.close_code
    return None


def test_a_name_with_a_nul_is_refused_clearly() -> None:
    from starlette.requests import Request

    scope = {"type": "http", "query_string": b"name=a%00.csv", "headers": []}
    with pytest.raises(UserError, match="NUL"):
        _upload_details(Request(scope))
