"""The portal as one process: its pages and its own routes for files."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from core.settings import settings
from portal import downloads, error_downloads, hooks, invoices, templates, uploads
from portal.request_guard import PortalRequestGuard
from portal.secure_cookies import SecureCookies
from portal.session_cookies import SessionCookies
from portal.sign_in import auth_secrets

THEME = {
    "theme.base": "light",
    "theme.primaryColor": "#1D5C87",
    "theme.backgroundColor": "#FFFFFF",
    "theme.secondaryBackgroundColor": "#F2F5F7",
    "theme.textColor": "#1B2733",
    "theme.linkColor": "#1D5C87",
    "theme.baseRadius": "small",
    "theme.font": "sans-serif",
    "theme.headingFontSizes": ["2rem", "1.5rem", "1.25rem", "1.1rem", "1rem", "1rem"],
    "theme.headingFontWeights": [600, 600, 600, 600, 600, 600],
    "theme.borderColor": "#D5DCE2",
    "theme.greenTextColor": "#1B6339",
    "theme.orangeTextColor": "#8A4B08",
    "theme.redTextColor": "#A4262C",
    "theme.grayTextColor": "#4A5763",
}


async def _health(request: Request) -> Response:  # noqa: ARG001 - the signature of a route
    return PlainTextResponse("ok")


async def _home(request: Request) -> Response:
    """Redirects the first page's name to the bare address, the only one that Streamlit knows."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{query}")  # without a host: the request may name a forged one


def portal() -> st.App:
    """The portal as an ASGI application."""
    chosen = settings()
    return st.App(
        Path(__file__).with_name("app.py"),
        routes=[
            Route("/healthz", _health),
            Route("/home", _home),
            Route(uploads.PATH, uploads.upload, methods=["PUT"]),
            Route(downloads.PATH, downloads.download),
            Route(error_downloads.PATH, error_downloads.errors),
            Route(templates.PATH, templates.template),
            Route(invoices.PATH, invoices.one_invoice),
            Route(invoices.EXPORT_PATH, invoices.all_invoices),
            Route(hooks.PATH, hooks.from_prefect, methods=["POST"]),
        ],
        middleware=[
            Middleware(PortalRequestGuard, settings=chosen),
            Middleware(SecureCookies, secure=chosen.portal_url.startswith("https:")),
            Middleware(SessionCookies),
        ],
        secrets={"auth": auth_secrets(chosen)},
    )


def main() -> None:
    """Serves the portal until it is stopped."""
    chosen = settings()
    # Streamlit takes this one from the environment only; `grouper up` sets it for its children.
    os.environ.setdefault("STREAMLIT_SERVER_COOKIE_SECRET", chosen.signing_key())
    portal().run(
        config={
            "server.address": chosen.host,
            "server.port": chosen.portal_port,
            "server.headless": True,
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": False,
            "server.maxUploadSize": 1,
            "client.toolbarMode": "minimal",
            "client.showErrorDetails": "none",
            "client.showErrorLinks": False,
            **THEME,
        }
    )


if __name__ == "__main__":
    main()
