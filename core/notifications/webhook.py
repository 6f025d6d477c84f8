"""Notifications by webhook: signed, so that the receiver can verify origin and time."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from contextlib import suppress
from urllib.parse import urlsplit

import httpx2
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.database import tables
from core.notifications.public_address import (
    NotResolved,
    checked_address,
    is_allowed,
    networks_of,
)
from core.notifications.sending import CannotSend, Message, NotWanted
from core.settings import settings
from core.user_errors import UserError

SECONDS = 10.0
TIMESTAMP, SIGNATURE, NUMBER = "Grouper-Timestamp", "Grouper-Signature", "Grouper-Notification"
TEMPORARY = (httpx2.codes.REQUEST_TIMEOUT, httpx2.codes.TOO_EARLY, httpx2.codes.TOO_MANY_REQUESTS)
LONGEST_URL = 2000


def webhook_of(connection: Connection, user_id: int) -> tuple[str, str] | None:
    """The address and the secret of a user's webhook."""
    hooks = tables.webhooks
    query = sa.select(hooks.c.url, hooks.c.secret).where(hooks.c.user_id == user_id)
    row = connection.execute(query).first()
    return None if row is None else (row.url, row.secret)


def set_webhook(connection: Connection, user_id: int, url: str) -> None:
    """Sets the address, with a new secret if it changes; a blank address removes the webhook.

    Raises ``UserError`` for an address that nothing may be sent to.
    """
    hooks, url = tables.webhooks, url.strip()
    if not url:
        connection.execute(hooks.delete().where(hooks.c.user_id == user_id))
        return
    refuse_unsafe(url)
    values = {"url": url, "secret": secrets.token_urlsafe(32), "changed_at": sa.func.now()}
    connection.execute(
        insert(hooks)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(index_elements=["user_id"], set_=values, where=hooks.c.url != url)
    )


def refuse_unsafe(url: str) -> None:
    """Raises ``UserError`` unless the address is https and public, or ``GROUPER_WEBHOOK_NETWORKS``
    allows its network.

    A name is judged by what it leads to now; one that leads nowhere yet is judged when something
    is sent.
    """
    with suppress(NotResolved):
        _destination(url)


def _destination(url: str) -> tuple[str, str]:
    """The host of the address, and the address of the machine to connect to; raises ``UserError``
    and ``NotResolved``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UserError(f"{url!r} is not an address; write https://host/path") from error
    if not host or parts.username or parts.fragment or len(url) > LONGEST_URL:
        raise UserError(f"{url!r} cannot be a webhook; write https://host/path")
    allowed = networks_of(settings().webhook_networks or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_allowed(host, allowed)):
        raise UserError(f"{url!r} is not encrypted; a webhook's address begins with https://")
    return host, str(checked_address(host, port or 443, allowed))


def send_webhook(message: Message) -> None:
    """Posts the message; raises ``CannotSend`` or ``NotWanted``."""
    if not message.url or not message.secret:
        raise NotWanted("the user has no webhook any more, or has left")
    try:
        host, address = _destination(message.url)
        body = body_of(message)
        headers = signed(body, message.secret, int(time.time())) | {NUMBER: message.id}
        # To exactly the address that was checked: a name may lead elsewhere a moment later. A
        # redirect is not followed, because its target is not checked.
        target = httpx2.URL(message.url)
        headers["Host"] = target.netloc.decode()
        # The body of the answer is not read; only its status matters.
        with (
            httpx2.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST",
                target.copy_with(host=address),
                content=body,
                headers=headers,
                extensions={"sni_hostname": host},
            ) as answer,
        ):
            status = answer.status_code
    except NotResolved as error:
        raise CannotSend("the receiver's name leads nowhere", is_temporary=True) from error
    except (UserError, httpx2.InvalidURL) as error:
        raise CannotSend("nothing may be sent to this address", is_temporary=False) from error
    except httpx2.TransportError as error:
        reason = f"the receiver did not answer ({type(error).__name__})"
        raise CannotSend(reason, is_temporary=True) from error
    if not httpx2.codes.is_success(status):
        is_temporary = httpx2.codes.is_server_error(status) or status in TEMPORARY
        raise CannotSend(f"the receiver answered {status}", is_temporary=is_temporary)


def body_of(message: Message) -> bytes:
    """The notification as JSON."""
    document = {
        "id": message.id,
        "event": message.event,
        "topic": message.topic,
        "title": message.title,
        "text": message.text,
        "link": message.link,
        "at": message.at.isoformat(),
    }
    return json.dumps(document, ensure_ascii=False).encode()


def signed(body: bytes, secret: str, timestamp: int) -> dict[str, str]:
    """The headers by which a receiver verifies the origin and time of the body.

    The signature is HMAC-SHA256, in hex, of ``timestamp.body`` under the secret.
    """
    made = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        TIMESTAMP: str(timestamp),
        SIGNATURE: f"v1={made}",
    }
