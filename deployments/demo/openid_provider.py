"""A local OpenID provider with the demonstration's people: no password, one click to sign in."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from core.user_errors import UserError
from deployments.demo.cast import DemoPerson

if TYPE_CHECKING:
    from flask import Flask, Response

HOURS = 12
STYLE = """<style>
body { font: 16px/1.5 sans-serif; color: #1B2733; margin: 3rem auto; max-width: 40rem; }
h1 { font-size: 1.6rem; } button { font: inherit; margin: .25rem; padding: .5rem 1rem; }
</style>"""
_FROM_ELSEWHERE = re.compile(rb"<link\s[^>]*https?://[^>]*>")


@contextmanager
def openid_provider(people: Iterable[DemoPerson]) -> Iterator[str]:
    """Runs the provider on a free port of this machine; yields its metadata URL."""
    server = make_server("127.0.0.1", 0, _provider(people), threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="openid", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/.well-known/openid-configuration"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _provider(people: Iterable[DemoPerson]) -> Flask:
    # Recorded and dropped: deprecations inside the package, which unfilters them itself.
    with warnings.catch_warnings(record=True):
        try:
            import oidc_provider_mock
        except ModuleNotFoundError as error:
            raise UserError(
                "the demonstration brings people an OpenID provider of its own, which is not "
                "installed: run `make setup`, or install grouper[demo]"
            ) from error
    users = [oidc_provider_mock.User(sub=p.subject, claims=p.claims) for p in people]
    provider: Flask = oidc_provider_mock.app(
        user_claims=users, access_token_max_age=timedelta(hours=HOURS)
    )
    provider.after_request(_without_outside_styles)
    return provider


def _without_outside_styles(response: Response) -> Response:
    """The package's pages fetch a style sheet from another host; ours must not."""
    if response.mimetype == "text/html":
        body = _FROM_ELSEWHERE.sub(STYLE.encode(), response.get_data())
        response.set_data(body)
    return response
