"""The hook of Prefect's automations: it records an event; the relay does the rest."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from core.database.engine import engine
from core.events.prefect_webhook import (
    WebhookMessage,
    first_time,
    is_signed,
    is_the_body,
    raise_scheduler_event,
)
from core.settings import settings
from core.user_errors import UserError

PATH = "/hooks/prefect"
MOST_BYTES = 1 << 20

NOT_OURS = "Only Prefect's server of this installation may call this, and once."

log = logging.getLogger("grouper.hooks")


class Replayed(Exception):
    """The signature was used before."""


async def from_prefect(request: Request) -> JSONResponse:
    """POST: an event of Prefect, which one of our automations sends."""
    if not is_signed(settings().hook_signing_key(), request.headers):
        return JSONResponse({"error": NOT_OURS}, 403)
    try:
        body = await _body(request)
        if not is_the_body(request.headers, body):
            return JSONResponse({"error": NOT_OURS}, 403)
        message = WebhookMessage.model_validate_json(body)
        event_id = await run_in_threadpool(_raise_event, message, request.headers)
    except Replayed:
        return JSONResponse({"error": "This message was received before."}, 403)
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


def _raise_event(message: WebhookMessage, headers: Mapping[str, str]) -> object:
    with engine().begin() as connection:
        if not first_time(connection, headers):
            raise Replayed
        return raise_scheduler_event(connection, message)
