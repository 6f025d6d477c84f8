"""The recipients of an event: the active users of each group, read from the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from core.database import tables
from core.notifications.texts import Recipients


def recipients_of(connection: Connection, recipients: Recipients, event: Any) -> list[int]:
    """The ids of the active users of a group; ``event`` has the fields that the group needs."""
    users = tables.users
    active = sa.select(users.c.id).where(
        users.c.active, users.c.id.in_(_QUERIES[recipients](event).scalar_subquery())
    )
    return list(connection.execute(active.order_by(users.c.id)).scalars())


def _uploader(event: Any) -> sa.Select[Any]:
    files = tables.files
    return sa.select(files.c.uploaded_by).where(files.c.id == event.file_id)


def _requester(event: Any) -> sa.Select[Any]:
    reports = tables.reports
    return sa.select(reports.c.requested_by).where(reports.c.id == event.report_id)


def _of_provider(event: Any) -> sa.Select[Any]:
    return _members("provider").where(tables.organisations.c.code == event.provider)


def _charged(event: Any) -> sa.Select[Any]:
    charges = tables.charges
    charged = sa.select(charges.c.commissioner).where(charges.c.run_id == event.run_id).distinct()
    return _members("commissioner").where(
        tables.organisations.c.code.in_(charged.scalar_subquery())
    )


def _members(role: str) -> sa.Select[Any]:
    memberships, organisations = tables.memberships, tables.organisations
    return (
        sa.select(memberships.c.user_id)
        .join(organisations, organisations.c.id == memberships.c.organisation_id)
        .where(memberships.c.role == role)
    )


def _host(event: Any) -> sa.Select[Any]:
    return _members("commissioner").where(tables.organisations.c.code == event.host)


def _operators(_event: Any) -> sa.Select[Any]:
    return _with_role("operator")


def _administrators(_event: Any) -> sa.Select[Any]:
    return _with_role("administrator")


def _with_role(role: str) -> sa.Select[Any]:
    memberships = tables.memberships
    return sa.select(memberships.c.user_id).where(memberships.c.role == role)


def _addressee(event: Any) -> sa.Select[Any]:
    return sa.select(sa.literal(event.addressee))


_QUERIES: dict[Recipients, Callable[[Any], sa.Select[Any]]] = {
    Recipients.UPLOADER: _uploader,
    Recipients.PROVIDER: _of_provider,
    Recipients.CHARGED: _charged,
    Recipients.REQUESTER: _requester,
    Recipients.HOST: _host,
    Recipients.OPERATORS: _operators,
    Recipients.ADMINISTRATORS: _administrators,
    Recipients.ADDRESSEE: _addressee,
}
