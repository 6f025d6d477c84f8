"""The upload route: a file streams from the browser to the store, never whole in memory."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from pathlib import PurePath
from typing import IO

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from core.accounts.people import NotAdmitted, Person
from core.database.engine import engine
from core.files.store import open_store
from core.settings import settings
from core.submissions.months import get_submission
from core.submissions.uploads import Upload, receive_file
from core.user_errors import UserError
from portal.sign_in import person_of_request

PATH = "/api/upload"
TICKET_HEADER = "X-Grouper-Ticket"
"""A page asks for a ticket and its script sends it: a strange site cannot (CSRF)."""
TICKET_SECONDS = 12 * 3600


def ticket_for(person: Person, submission_id: int) -> str:
    """Lets this person upload to this submission for as long as a page may stay open."""
    return _signer().dumps({"user": person.id, "submission": submission_id})


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().signing_key(), salt="upload-ticket")


async def upload(request: Request) -> JSONResponse:
    """PUT: the body is the file; the query says its name and whether to transpose it."""
    try:
        person, submission_id = await run_in_threadpool(_admit, request)
        with tempfile.SpooledTemporaryFile(max_size=1 << 20) as body:
            digest, size = await _receive(request, body)
            arrived = _arrived(request, submission_id, digest, size)
            file_id = await run_in_threadpool(_keep, person, submission_id, body, arrived)
    except NotAdmitted as refused:
        return JSONResponse({"error": str(refused)}, status_code=403)
    except UserError as wrong:
        return JSONResponse({"error": str(wrong)}, status_code=409)
    except ClientDisconnect:
        return JSONResponse({"error": "The upload was broken off."}, status_code=400)
    return JSONResponse({"file": file_id, "bytes": size})


def _admit(request: Request) -> tuple[Person, int]:
    person = person_of_request(request)
    try:
        ticket = _signer().loads(request.headers.get(TICKET_HEADER, ""), max_age=TICKET_SECONDS)
    except BadSignature as error:
        raise NotAdmitted("This page has been open too long. Load it again.") from error
    if ticket["user"] != person.id:
        raise NotAdmitted("This page was opened by somebody else. Load it again.")
    with engine().connect() as connection:
        submission = get_submission(connection, ticket["submission"])
    if submission.provider_id not in person.provider_ids:
        raise NotAdmitted("You may not upload for this provider.")
    return person, submission.id


async def _receive(request: Request, body: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    async for part in request.stream():
        digest.update(part)
        size += len(part)
        await run_in_threadpool(body.write, part)
    body.seek(0)
    return digest.hexdigest(), size


def _arrived(request: Request, submission_id: int, digest: str, size: int) -> Upload:
    # Only the last part of a path that a browser may send; any other name is kept as it is.
    name = PurePath(request.query_params.get("name", "").replace("\\", "/")).name or "unnamed"
    return Upload(
        name=name,
        storage_key=f"uploads/{submission_id}/{uuid.uuid4().hex}",
        size=size,
        sha256=digest,
        transpose=request.query_params.get("transpose") == "1",
    )


def _keep(person: Person, submission_id: int, body: IO[bytes], arrived: Upload) -> int:
    store = open_store()
    store.put(arrived.storage_key, body)
    try:
        with engine().begin() as connection:
            return receive_file(connection, submission_id, arrived, user_id=person.id)
    except Exception:
        store.delete(arrived.storage_key)  # nothing half-written: no file without its row
        raise
