"""Sign-in by OpenID Connect: Streamlit signs the cookie, the database says what it is worth."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import streamlit as st
from starlette.requests import Request
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from core.accounts.people import NotAdmitted, Person, admit, sign_out
from core.database.engine import engine
from core.settings import Settings, settings

COOKIE = "_streamlit_user"


def auth_secrets(chosen: Settings) -> dict[str, Any]:
    """The sign-in section that Streamlit reads."""
    return {
        "redirect_uri": f"{chosen.portal_url}/oauth2callback",
        "cookie_secret": chosen.signing_key(),
        "client_id": chosen.oidc_client_id or "",
        "client_secret": (
            chosen.oidc_client_secret.get_secret_value() if chosen.oidc_client_secret else ""
        ),
        "server_metadata_url": chosen.oidc_metadata_url or "",
        "client_kwargs": {"scope": "openid profile email"},
    }


def person_on_page() -> Person | None:
    """Who looks at this page; shows why and stops where a sign-in is not good enough.

    None where nobody is signed in. Asked on every run of a page: the cookie outlives sign-out.
    """
    if not st.user.is_logged_in:
        return None
    try:
        return _admit(st.user.to_dict())
    except NotAdmitted as refused:
        st.title("Grouper")
        st.warning(str(refused))
        if st.button("Sign in again", type="primary"):
            st.logout()
        st.stop()


def person_of_request(request: Request) -> Person:
    """Who sends a request to one of our own routes; raises ``NotAdmitted``."""
    claims = _claims_of_cookie(request)
    if claims is None:
        raise NotAdmitted("Sign in to the portal first.")
    return _admit(claims)


def end_sign_in(person: Person) -> None:
    """Signs out everywhere: every cookie of the person is void from now on."""
    with engine().begin() as connection:
        sign_out(connection, person.id)
    st.logout()
    st.stop()  # st.user is empty from here on


def _admit(claims: Mapping[str, Any]) -> Person:
    with engine().connect() as connection:
        return admit(connection, claims, now=dt.datetime.now(dt.UTC))


def _claims_of_cookie(request: Request) -> dict[str, Any] | None:
    """What the signed cookie says; Streamlit guards only its own routes, so we read it too."""

    def one_cookie(name: str) -> bytes | None:
        value = request.cookies.get(name)
        if value is None:
            return None
        return decode_signed_value(settings().signing_key(), name, value)

    found = get_cookie_with_chunks(one_cookie, COOKIE)
    return json.loads(found) if found else None
