"""The route for the errors of a file: csv, workbook, or a marked copy of the file itself."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.access.audit import note
from core.access.people import NotAdmitted
from core.files.store import open_store
from core.submissions.queries.error_files import KINDS, ErrorFile, error_file
from core.user_errors import UserError
from portal.database import engine
from portal.sign_in import person_of_request

PATH = "/errors/{file_id:int}/{kind}"
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def address_of(file_id: int, kind: str) -> str:
    """The address of the download."""
    return f"/errors/{file_id}/{kind}"


async def errors(request: Request) -> Response:
    """Responds with the download, or with the reason of a refusal."""
    try:
        made = await run_in_threadpool(_make, request)
    except NotAdmitted as refused:
        return PlainTextResponse(str(refused), status_code=403)
    except UserError as wrong:
        return PlainTextResponse(str(wrong), status_code=404)
    headers = {
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(made.name)}",
        "Cache-Control": "private, no-store",
    }
    return Response(made.content, media_type=_TYPES[made.name[-4:].strip(".")], headers=headers)


def _make(request: Request) -> ErrorFile:
    person = person_of_request(request)
    file_id, kind = request.path_params["file_id"], request.path_params["kind"]
    if kind not in KINDS:
        raise UserError(f"There is no download {kind}.")
    with tempfile.TemporaryDirectory() as scratch, engine().begin() as connection:
        made = error_file(
            connection, person.scope, open_store(), file_id, kind=kind, scratch=Path(scratch)
        )
        note(connection, "downloaded", f"file:{file_id}", user_id=person.id, errors=kind)
    return made
