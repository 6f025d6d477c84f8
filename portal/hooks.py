"""The hook of Prefect's automations: it writes an event and answers; the relay does the rest."""

from __future__ import annotations

import logging

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from core.database.engine import engine
from core.events.prefect_webhook import HEADER, Telling, hear, is_ours
from core.settings import settings
from core.user_errors import UserError

PATH = "/hooks/prefect"
MOST_BYTES = 1 << 20

log = logging.getLogger("grouper.hooks")


async def from_prefect(request: Request) -> JSONResponse:
    """POST: one thing that happened, as an automation of ours tells it."""
    if not is_ours(settings().signing_key(), request.headers.get(HEADER, "")):
        return JSONResponse({"error": "Only Grouper's own automations may call this."}, 403)
    try:
        telling = Telling.model_validate_json(await _body(request))
        event_id = await run_in_threadpool(_hear, telling)
    except (ValidationError, UserError) as wrong:
        log.error("%s: %s", PATH, wrong)
        return JSONResponse({"error": str(wrong)}, 400)
    return JSONResponse({"event_id": str(event_id)})


async def _body(request: Request) -> bytes:
    """The body; raises ``UserError`` where it is larger than any automation sends."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise UserError("the body is too large")
    return bytes(body)


def _hear(telling: Telling) -> object:
    with engine().begin() as connection:
        return hear(connection, telling)
