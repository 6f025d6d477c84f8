"""The upload route: a file streams from the browser to the store, never whole in memory."""

from __future__ import annotations

import logging
import tempfile
from pathlib import PurePath
from typing import IO

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from core.access.people import NotAdmitted, Person
from core.files.store import open_store
from core.settings import settings
from core.submissions.commands.quotas import require_room
from core.submissions.commands.store_upload import UploadDetails, store_upload
from core.submissions.months import submission_for
from core.user_errors import UserError
from core.vocabulary.heading_look import Look
from core.vocabulary.permissions import Action
from portal.database import act_as, engine
from portal.sign_in import person_of_request, refuse

PATH = "/api/upload"
TICKET_HEADER = "X-Grouper-Ticket"
"""A page asks for a ticket and its script sends it: a strange site cannot (CSRF)."""
TICKET_SECONDS = 12 * 3600
SUBJECT = "upload ticket"
TOO_LONG = "This page has been open too long. Load it again."
OF_ANOTHER = "This page was opened by somebody else. Load it again."
NO_ROOM = "The file store cannot take this file now; nothing of it was kept. Try again later."

log = logging.getLogger("grouper.portal")


def ticket_for(person: Person, submission_id: int) -> str:
    """A signed ticket to upload to this submission, valid as long as a page may stay open."""
    return _signer().dumps({"user": person.id, "submission": submission_id})


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().signing_key(), salt="upload-ticket")


async def upload(request: Request) -> JSONResponse:
    """PUT: the body is the file; the query has its name and the choices of the page."""
    try:
        person, submission_id = await run_in_threadpool(_admit, request)
        with tempfile.SpooledTemporaryFile(max_size=1 << 20) as body:
            size = await _receive(request, body)
            details = _upload_details(request)
            file_id = await run_in_threadpool(_keep, person, submission_id, body, details)
    except NotAdmitted as refused:
        return JSONResponse({"error": str(refused)}, status_code=403)
    except UserError as wrong:
        return JSONResponse({"error": str(wrong)}, status_code=409)
    except ClientDisconnect:
        return JSONResponse({"error": "The upload was broken off."}, status_code=400)
    except OSError:
        log.exception("an upload could not be kept")
        return JSONResponse({"error": NO_ROOM}, status_code=507)
    return JSONResponse({"file": file_id, "bytes": size})


def _admit(request: Request) -> tuple[Person, int]:
    person = person_of_request(request)
    try:
        ticket = _signer().loads(request.headers.get(TICKET_HEADER, ""), max_age=TICKET_SECONDS)
    except BadSignature as error:
        refuse(person, SUBJECT, "ticket not valid", request.headers.get("user-agent"))
        raise NotAdmitted("ticket not valid", text=TOO_LONG) from error
    if ticket["user"] != person.id:
        refuse(person, SUBJECT, "ticket of another user", request.headers.get("user-agent"))
        raise NotAdmitted("ticket of another user", text=OF_ANOTHER)
    with engine().connect() as connection:
        submission = submission_for(connection, person.scope, ticket["submission"])
    if not person.may(Action.UPLOAD, submission.provider_id):
        raise NotAdmitted("not allowed", text="You may not upload for this provider.")
    with engine().connect() as connection:
        require_room(connection, submission.id, _announced(request))
    return person, submission.id


def _announced(request: Request) -> int:
    """The bytes that a browser says it sends; what comes is counted besides."""
    said = request.headers.get("content-length", "0")
    return int(said) if said.isdecimal() else 0


async def _receive(request: Request, body: IO[bytes]) -> int:
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > settings().upload_bytes:
            raise UserError("This file is bigger than files may be: upload it in parts.")
        await run_in_threadpool(body.write, part)
    body.seek(0)
    return size


def _upload_details(request: Request) -> UploadDetails:
    # Only the last part of a path that a browser may send; any other name is kept as it is.
    if "\0" in request.query_params.get("name", ""):
        raise UserError("The name of this file holds a NUL character. Rename it and try again.")
    name = PurePath(request.query_params.get("name", "").replace("\\", "/")).name or "unnamed"
    query = request.query_params
    look = Look.ALWAYS if query.get("look") == "1" else Look.NEW
    return UploadDetails(name, transpose=query.get("transpose") == "1", look=look)


def _keep(person: Person, submission_id: int, body: IO[bytes], details: UploadDetails) -> int:
    act_as(person)
    return store_upload(engine(), open_store(), submission_id, details, body, user_id=person.id)
