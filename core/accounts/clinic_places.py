"""The clinics that a person may see, with the host authority of each and its first day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from core.access.scope import Scope
from core.database import tables
from core.vocabulary.permissions import Action


@dataclass(frozen=True)
class ClinicPlace:
    """A clinic as providers, commissioners and administrators see it."""

    provider_id: int
    provider: str
    provider_name: str
    clinic_id: str
    name: str | None
    address: str | None
    host: str | None  # area code; None: to be placed
    since: dt.date | None  # the first day with this host

    @property
    def title(self) -> str:
        """The clinic's name and id."""
        return f"{self.name} ({self.clinic_id})" if self.name else self.clinic_id

    def matches(self, words: list[str]) -> bool:
        """Whether every word occurs in the displayed text, in any case."""
        shown = (self.clinic_id, self.name, self.address, self.provider, self.provider_name)
        text = " ".join(part for part in shown if part).casefold()
        return all(word.casefold() in text for word in words)


def visible_clinics(connection: Connection, scope: Scope) -> list[ClinicPlace]:
    """The clinics of the scope's providers and those that its commissioners host; all of them for
    managers of accounts. By provider, clinics without a host first."""
    clinics, providers = tables.clinics, tables.organisations
    since = sa.case(
        (
            clinics.c.commissioner.is_not(None),
            sa.func.coalesce(clinics.c.placed_at, clinics.c.created_at),
        )
    )
    query = (
        sa.select(
            clinics.c.provider_id,
            providers.c.code,
            providers.c.name,
            clinics.c.clinic_id,
            clinics.c.name,
            clinics.c.address,
            clinics.c.commissioner,
            sa.cast(since, sa.Date),
        )
        .join(providers, providers.c.id == clinics.c.provider_id)
        .where(_visible(scope))
        .order_by(clinics.c.commissioner.is_not(None), providers.c.name, clinics.c.clinic_id)
    )
    return [ClinicPlace(*row) for row in connection.execute(query)]


def _visible(scope: Scope) -> sa.ColumnElement[bool]:
    if scope.may(Action.MANAGE_ACCOUNTS):
        return sa.true()
    clinics = tables.clinics.c
    return sa.or_(
        clinics.provider_id.in_(scope.ids(None, "provider")),
        clinics.commissioner.in_(scope.codes(None)),
    )


def may_place(scope: Scope, clinic: ClinicPlace) -> bool:
    """Whether the scope may set the host of the clinic."""
    return scope.may(Action.MANAGE_ACCOUNTS) or scope.may(Action.UPLOAD, clinic.provider_id)
