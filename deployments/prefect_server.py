"""Prefect's server behind our own guard of requests: ``python -m deployments.prefect_server``.

What its automations tell the portal is signed on the way out, so its database holds no secret of
the hook. It stands in for ``prefect server start``, also where the server has a machine of its own.
"""

from __future__ import annotations

import logging
import os
import secrets

import httpx

from core.events.prefect_webhook import signed_headers
from core.settings import PREFECT_USER, Settings
from core.settings import settings as current_settings
from deployments.prefect_guard import PrefectRequestGuard, origins_of, origins_setting

MOST_MESSAGE_BYTES = 2 << 20
"""Of a WebSocket; Prefect's own events have 1.5 MB at most."""


class SigningTransport(httpx.AsyncHTTPTransport):
    """Signs what goes to the portal's hook, and sends everything else as it is."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == self._settings.prefect_hook:
            body = await request.aread()
            request.headers.update(signed_headers(self._settings.hook_signing_key(), body))
        return await super().handle_async_request(request)


def server_environment(settings: Settings) -> dict[str, str]:
    """What Prefect's server reads at its start, beside the variables of every process."""
    inner = f"{PREFECT_USER}:{secrets.token_urlsafe(32)}"  # known to this process and its guard
    return {
        "PREFECT_SERVER_API_AUTH_STRING": inner,
        "PREFECT_API_AUTH_STRING": inner,
        "PREFECT_SERVER_API_HOST": settings.prefect_host,
        "PREFECT_SERVER_API_PORT": str(settings.prefect_port),
        "PREFECT_UI_API_URL": f"{settings.prefect_url}/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origins_setting(origins_of(settings)),
    }


def main() -> None:
    """Serves until it is stopped."""
    settings = current_settings()
    os.environ.update(server_environment(settings))
    os.umask(0o077)
    import uvicorn  # after the environment: Prefect reads it when it is imported
    from prefect.blocks import webhook
    from prefect.server.api.server import create_app

    webhook._http_transport = SigningTransport(settings)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    guarded = PrefectRequestGuard(
        create_app(final=True), settings, os.environ["PREFECT_SERVER_API_AUTH_STRING"]
    )
    uvicorn.run(
        guarded,
        host=settings.prefect_host,
        port=settings.prefect_port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws_max_size=MOST_MESSAGE_BYTES,
        h11_max_incomplete_event_size=1 << 16,
    )


if __name__ == "__main__":
    main()
