"""The download route: a signed link names its user, expires, and works only for that user."""

from __future__ import annotations

from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from core.access.people import NotAdmitted, Person
from core.database import tables
from core.files.links import Link, LinkExpired, make_link, read_link
from core.files.store import open_store
from core.reports.download_rights import require_download
from core.reports.outdated import renew_if_outdated
from core.settings import settings
from core.user_errors import UserError
from portal.database import engine
from portal.rate_limits import RateLimit
from portal.sign_in import person_of_request, refuse

PATH = "/download/{token}"
PRESIGNED_SECONDS = 60
SUBJECT = "download link"
OF_ANOTHER = "This link was made for somebody else. Ask for your own in the portal."
TOO_MANY = "You opened many links within a minute. Wait a moment, and open this one again."
OF_BEFORE = "This link is of a sign-in that is over. Open the page it came from for a new one."


_OPENED = RateLimit()


class TooMany(Exception):
    """More links than a person opens."""


def link_to(key: str, file_name: str, person: Person) -> str:
    """The path of a link to a stored file, for this sign-in alone and for a short time."""
    token = make_link(key, file_name, person.id, session=str(person.session or ""))
    return f"/download/{token}"


async def download(request: Request) -> Response:
    """Responds with the file, or with a plain page that gives the reason of a refusal."""
    try:
        return await run_in_threadpool(_download, request)
    except TooMany:
        return _page(TOO_MANY, 429)
    except LinkExpired as expired:
        return _page(str(expired), 410)
    except NotAdmitted as refused:
        return _page(str(refused), 403)
    except UserError as wrong:
        return _page(str(wrong), 404)


def _download(request: Request) -> Response:
    person = person_of_request(request)
    if not _OPENED.allows(str(person.id), settings().links_per_minute):
        refuse(person, SUBJECT, "too many links", request.headers.get("user-agent"))
        raise TooMany
    signed = _read(request, person)
    _refuse_without_right(person, signed, request.headers.get("user-agent"))
    _refuse_outdated(signed)
    _audit(signed)
    store = open_store()
    url = store.presigned(signed.key, signed.filename, PRESIGNED_SECONDS)
    if url is not None:
        return RedirectResponse(url, headers={"Cache-Control": "no-store"})
    with store.local_path(signed.key) as path:
        return FileResponse(
            path, filename=signed.filename, headers={"Cache-Control": "private, no-store"}
        )


def _read(request: Request, person: Person) -> Link:
    """The link, if it is valid for this person; a refusal is audited."""
    agent = request.headers.get("user-agent")
    try:
        signed = read_link(request.path_params["token"])
    except LinkExpired:
        refuse(person, SUBJECT, "link expired", agent)
        raise
    except UserError:
        refuse(person, SUBJECT, "link altered", agent)
        raise
    if signed.user_id != person.id:
        refuse(person, f"stored:{signed.key}", "link of another user", agent)
        raise NotAdmitted("link of another user", text=OF_ANOTHER)
    if signed.session and signed.session != str(person.session):
        refuse(person, f"stored:{signed.key}", "link of another sign-in", agent)
        raise NotAdmitted("link of another sign-in", text=OF_BEFORE)
    return signed


def _refuse_without_right(person: Person, signed: Link, agent: str | None) -> None:
    """Refuses where the person has lost the right since the link was made."""
    try:
        with engine().connect() as connection:
            require_download(connection, person.scope, signed.key)
    except UserError as refused:
        refuse(person, f"stored:{signed.key}", "no right to it today", agent)
        raise NotAdmitted("no right to it today", text=str(refused)) from refused


def _refuse_outdated(signed: Link) -> None:
    """Renews a report that shows replaced charges instead of sending it."""
    with engine().begin() as connection:
        renewed = renew_if_outdated(connection, signed.key, signed.user_id)
    if renewed:
        raise LinkExpired(
            "A month in this report was submitted again since it was made. It is being made anew: "
            "you find it under Reports in a moment."
        )


def _audit(signed: Link) -> None:
    with engine().begin() as connection:
        connection.execute(
            tables.audit.insert().values(
                user_id=signed.user_id,
                action="downloaded",
                subject=f"stored:{signed.key}",
                detail={"file": signed.filename},
            )
        )


def _page(text: str, status: int) -> Response:
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Grouper</title>"
        "<body style='font-family:sans-serif;max-width:40rem;margin:4rem auto;line-height:1.5'>"
        f"<h1>Grouper</h1><p>{escape(text)}</p><p><a href='/'>Go to the portal</a></p>",
        status_code=status,
    )
