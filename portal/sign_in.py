"""Sign-in by OpenID Connect: Streamlit signs the cookie, the database decides about access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from starlette.requests import Request

from core.access.people import NotAdmitted, Person, admit
from core.access.sessions import note_refusal, sign_out
from core.settings import Settings
from portal import words
from portal.client_address import FORWARDED, address_of
from portal.database import act_as, engine_of
from portal.session_cookies import KEY, claims_of, has_cookie

COOKIE_SUBJECT = "sign-in cookie"


def auth_secrets(chosen: Settings) -> dict[str, Any]:
    """The section ``auth`` of Streamlit's secrets."""
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


def person_on_page(*, active: bool = True) -> Person | None:
    """The person who looks at this page; shows the reason and stops if the sign-in is refused.

    None where nobody is signed in. Called at every run of a page: the cookie outlives sign-out.
    """
    act_as(None)
    address, agent = _address_of_page(), st.context.headers.get("User-Agent")
    if not st.user.is_logged_in:
        if has_cookie(st.context.cookies):
            _note_cookie(NotAdmitted("forged"), _peer(address), address, agent)
        return None
    try:
        person = _admit(st.user.to_dict(), address, agent, active=active)
    except NotAdmitted as refused:
        st.title("Grouper")
        st.warning(words.plain(str(refused)))
        if st.button("Sign in again", type="primary"):
            st.logout()
        st.stop()
    act_as(person)
    return person


def person_of_request(request: Request) -> Person:
    """The sender of a request to one of our own routes; raises ``NotAdmitted``."""
    act_as(None)
    address = address_of(request.headers, request.client)
    agent = request.headers.get("user-agent")
    claims = claims_of(request.cookies)
    if claims is None:
        if not has_cookie(request.cookies):
            raise NotAdmitted("stranger", text="Sign in to the portal first.")
        forged = NotAdmitted("forged")
        _note_cookie(forged, _peer(address), address, agent)
        raise forged
    person = _admit(claims, address, agent)
    act_as(person)
    return person


def refuse(person: Person, subject: str, reason: str, agent: str | None) -> None:
    """Audits a refusal to a person who is signed in."""
    refused = NotAdmitted(reason, user_id=person.id)
    # Once a minute of each: who tries a thousand times leaves no thousand rows.
    _note_refusal(refused, subject, person.address, agent, f"{person.id} {subject}")


def end_sign_in(person: Person) -> None:
    """Signs out: every cookie of this sign-in becomes void."""
    if person.session is not None:
        with engine_of(person.id, person.address).begin() as connection:
            sign_out(connection, person.session, user_id=person.id)
    act_as(None)
    st.logout()
    st.stop()  # st.user is empty from here on


def _admit(
    claims: Mapping[str, Any], address: str | None, agent: str | None, *, active: bool = True
) -> Person:
    subject, key = str(claims.get("sub", "")), str(claims.get(KEY, ""))
    try:
        with engine_of(None, address).begin() as connection:
            person = admit(connection, subject, key, active=active)
    except NotAdmitted as refused:
        _note_cookie(refused, f"{subject} {key}", address, agent)
        raise
    return replace(person, address=address)


def _note_cookie(refused: NotAdmitted, cookie: str, address: str | None, agent: str | None) -> None:
    _note_refusal(refused, COOKIE_SUBJECT, address, agent, cookie)


def _peer(address: str | None) -> str:
    """The peer alone, by which forged cookies are told apart: a forger can send a new cookie, and
    name a new forwarded address, each time."""
    return (address or "").rpartition(" by ")[2]


def _note_refusal(
    refused: NotAdmitted,
    subject: str,
    address: str | None,
    agent: str | None,
    cookie: str | None = None,
) -> None:
    with engine_of(refused.user_id, address).begin() as connection:
        note_refusal(
            connection, subject, refused.reason,
            user_id=refused.user_id, agent=agent, cookie=cookie,
        )  # fmt: skip


def _address_of_page() -> str | None:
    forwarded = st.context.headers.get(FORWARDED, "").strip()[:100]
    peer = st.context.ip_address
    return f"{forwarded} by {peer}" if forwarded else peer
