"""Signed links to files: bound to a user, with an expiry."""

from __future__ import annotations

import time
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

from core.settings import settings
from core.user_errors import UserError

PURPOSE = "file link"  # keys of other purposes do not open a file


class LinkExpired(UserError):
    """The link has expired."""


class LinkInvalid(UserError):
    """The link was altered, cut short or made elsewhere."""


@dataclass(frozen=True, slots=True)
class Link:
    """The target of a link: the key of the file, the name for saving, and the user."""

    key: str
    filename: str
    user_id: int
    session: str = ""  # of whose sign-in; blank: of any of the user's


def make_link(
    key: str, filename: str, user_id: int, seconds: int | None = None, *, session: str = ""
) -> str:
    """A token for the end of a URL, good for ``seconds`` (``GROUPER_LINK_SECONDS`` by default)."""
    until = int(time.time()) + (settings().link_seconds if seconds is None else seconds)
    return str(_signer().dumps([key, filename, user_id, until, session]))


def read_link(token: str) -> Link:
    """The link of a token; raises ``LinkExpired`` or ``LinkInvalid``."""
    try:
        key, filename, user_id, until, session = _signer().loads(token)
    except (BadSignature, ValueError) as error:
        raise LinkInvalid("this link is not valid: copy it whole, or ask for a new one") from error
    if time.time() >= until:
        raise LinkExpired("this link has expired: open the page it came from for a new one")
    return Link(key, filename, user_id, session)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(settings().signing_key(), salt=PURPOSE)
