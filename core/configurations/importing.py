"""Imports data sets and tariff configurations into the service.

A data set comes as a version, a change of a tariff as a revision: nothing that a month was judged
or priced by is overwritten (docs/decisions/0030).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import Range

from core.access.audit import note
from core.access.scope import NotAllowed, Scope, scope_of
from core.configurations.consequences import versions_between, weighed
from core.configurations.datasets import Version, versions_of
from core.database import tables
from core.database.records import create_records_table
from core.documents import Document, parse_document
from core.engine.dataset.specification import Specification, specification_of
from core.engine.tariff.configuration import Configuration, Status, configuration_from
from core.engine.tariff.months import Month
from core.user_errors import UserError
from core.vocabulary.permissions import Action


@dataclass(frozen=True)
class Change:
    """Why a tariff that is in force changes, from which month, and who did it."""

    since: dt.date | None = None  # the first day of the month from which it holds
    why: str = ""
    by: str | None = None  # for who is no user of the service
    leave_submitted: bool = False  # submitted months that it reaches stay as they are
    reprocess: bool = False  # or they are calculated anew, and the difference is a correction


UNCHANGED = Change()


def import_specification(connection: Connection, body: str, *, name: str) -> Specification:
    """Imports a version of a data set and creates the table of its records; idempotent.

    Raises ``DocumentError`` for an invalid specification, ``UserError`` for a version that exists
    with another content, for a second version without a start, and for one that would change a
    submitted month or break a tariff.
    """
    with weighed(connection):
        return store_specification(connection, body, name=name)


def import_configuration(
    connection: Connection,
    body: str,
    *,
    name: str,
    user_id: int | None = None,
    change: Change = UNCHANGED,
) -> Configuration:
    """Imports a configuration; one that is in force already gets a new revision.

    A commissioner may write drafts of the configurations that it leads; a draft is replaced.
    Raises ``DocumentError`` with the lines of problems, ``NotAllowed``, and ``UserError`` where a
    provider has another configuration of the data set at the same time, where a change lacks its
    month or its reason, and where it would change a submitted month.
    """
    with weighed(connection, leave_submitted=change.leave_submitted):
        return store_configuration(connection, body, name=name, user_id=user_id, change=change)


def store_specification(connection: Connection, body: str, *, name: str) -> Specification:
    """As ``import_specification``, without weighing the consequences."""
    specification = specification_of(body, name=name)
    datasets = tables.datasets
    versions = versions_of(connection, specification.dataset)
    same = [each for each in versions if each.specification.version == specification.version]
    if not same:
        if versions and specification.start is None:
            raise UserError(
                f"{name}: {specification.dataset} has a version already, so version "
                f"{specification.version} needs its first month: `start: YYYY-MM`"
            )
        connection.execute(
            datasets.insert().values(
                dataset=specification.dataset,
                version=specification.version,
                title=specification.title,
                starts=specification.start,
                body=body,
            )
        )
    elif _body_of(connection, same[0]) != body:
        raise UserError(
            f"{name}: version {specification.version} of {specification.dataset} is there with "
            "another content; give the changed specification a new version"
        )
    create_records_table(connection, specification)
    return specification


def _body_of(connection: Connection, version: Version) -> str:
    datasets = tables.datasets
    query = sa.select(datasets.c.body).where(datasets.c.id == version.id)
    return str(connection.execute(query).scalar_one())


def store_configuration(
    connection: Connection,
    body: str,
    *,
    name: str,
    user_id: int | None = None,
    change: Change = UNCHANGED,
) -> Configuration:
    """As ``import_configuration``, without weighing the consequences."""
    document = parse_document(body, name=name)
    configuration, versions = _read(connection, document)
    _require_right(connection, scope_of(connection, user_id), configuration)
    before = _revisions(connection, configuration.configuration)
    latest = before[-1] if before else None
    if latest is not None and latest.body == body:
        return configuration
    in_force = [row for row in before if row.status != Status.DRAFT]
    draft = configuration.status == Status.DRAFT
    since = configuration.start
    if in_force and not draft:
        since = max(_since(configuration, change, name), configuration.start)
    values = {
        "title": configuration.title,
        "dataset_id": _version_at(versions, since).id,
        "status": configuration.status,
        "starts": configuration.start,
        "ends": configuration.end,
        "holds_from": since,
        "why": change.why.strip() or None,
        "made_by": change.by,
        "body": body,
        "owner": configuration.owner,
        "imported_by": user_id,
    }
    number = _write(connection, configuration.configuration, latest, values)
    if not draft:
        earlier = [row.id for row in in_force]
        _end_revisions(connection, earlier, _first_day_after(configuration, change, since))
    _write_providers(connection, number, configuration, since)
    _note(connection, number, configuration, values, user_id)
    return configuration


def _read(connection: Connection, document: Document) -> tuple[Configuration, list[Version]]:
    """The configuration, read against each version in force while it is; and these versions."""
    dataset, name = str(document.data.get("dataset")), document.name
    versions = versions_of(connection, dataset)
    if not versions:
        raise UserError(f"{name}: the data set {dataset!r} has not been imported; import it first")
    # The dates are read before the statements: which versions these are read against follows.
    first_read = configuration_dates(document, versions)
    fitting = versions_between(versions, dataset, *first_read)
    if not fitting:
        raise UserError(
            f"{name}: no version of {dataset!r} is in force by {Month.of(first_read[1]).name}"
        )
    configuration, *_ = [configuration_from(document, each.specification) for each in fitting]
    return configuration, fitting


def configuration_dates(document: Document, versions: list[Version]) -> tuple[dt.date, dt.date]:
    """First and last day of a configuration; raises as reading it whole does."""
    start, end = document.data.get("start"), document.data.get("end")
    if isinstance(start, dt.date) and isinstance(end, dt.date) and start <= end:
        return start, end
    whole = configuration_from(document, versions[0].specification)  # refuses, with the line
    return whole.start, whole.end


def _version_at(versions: list[Version], day: dt.date) -> Version:
    """The version in force on the day; the earliest where none is yet."""
    starts = [(each.specification.start or dt.date.min, each) for each in versions]
    fitting = [each for start, each in starts if start <= day]
    return fitting[0] if fitting else versions[-1]


def _revisions(connection: Connection, configuration: str) -> list[sa.Row[Any]]:
    configurations = tables.configurations
    query = sa.select(configurations).where(configurations.c.configuration == configuration)
    return list(connection.execute(query.order_by(configurations.c.revision)))


def _since(configuration: Configuration, change: Change, name: str) -> dt.date:
    """The day from which a changed tariff holds; raises ``UserError`` where it is not said."""
    lacking = []
    if change.since is None:
        lacking.append("the month from which the change holds (--from YYYY-MM)")
    if not change.why.strip():
        lacking.append("why it changes (--why TEXT)")
    if change.since is None or lacking:
        raise UserError(
            f"{name}: the tariff {configuration.configuration!r} is in force and differs from this "
            f"one. It is never overwritten: say {' and '.join(lacking)}"
        )
    since = Month.of(change.since).first
    if since > Month.of(configuration.end).plus(1).first:
        raise UserError(
            f"{name}: the change would hold from {Month.of(since).name}, but "
            f"{configuration.configuration!r} is to end on {configuration.end}; let it hold from "
            f"{Month.of(configuration.end).plus(1).name} or earlier"
        )
    return since


def _write(
    connection: Connection, configuration: str, latest: sa.Row[Any] | None, values: dict[str, Any]
) -> int:
    """Writes a new revision, or over a draft, which no month was ever priced by; gives its id."""
    configurations = tables.configurations
    if latest is not None and latest.status == Status.DRAFT:
        connection.execute(
            configurations.update()
            .where(configurations.c.id == latest.id)
            .values(**values, imported_at=sa.func.now())
        )
        return int(latest.id)
    revision = 1 if latest is None else latest.revision + 1
    statement = configurations.insert().values(
        configuration=configuration, revision=revision, **values
    )
    return int(connection.execute(statement.returning(configurations.c.id)).scalar_one())


def _first_day_after(configuration: Configuration, change: Change, since: dt.date) -> dt.date:
    """The first day on which the revisions before hold no more: revisions of one tariff meet where
    a month begins, so that the one which was said serves its first month, and none holds beyond
    the end of the tariff."""
    begins = since if change.since is None else Month.of(change.since).first
    return min(begins, configuration.end + dt.timedelta(days=1))


def _end_revisions(connection: Connection, revisions: list[int], since: dt.date) -> None:
    """Earlier revisions hold up to the day before ``since``."""
    members = tables.configuration_providers
    earlier = members.c.configuration_id.in_(revisions)
    connection.execute(members.delete().where(earlier, sa.func.lower(members.c.during) >= since))
    kept = sa.func.daterange(sa.func.lower(members.c.during), since)
    connection.execute(
        members.update().where(earlier, sa.func.upper(members.c.during) > since).values(during=kept)
    )


def _require_right(connection: Connection, scope: Scope, configuration: Configuration) -> None:
    """Raises ``NotAllowed`` unless the person may write it and replace the one of that name."""
    if scope.may(Action.PUBLISH_CONFIGURATION):
        return
    configurations = tables.configurations
    query = sa.select(configurations.c.status, configurations.c.owner).where(
        configurations.c.configuration == configuration.configuration
    )
    versions = [(configuration.status, configuration.owner), *connection.execute(query).all()]
    if any(status != Status.DRAFT for status, _ in versions):
        raise NotAllowed(Action.PUBLISH_CONFIGURATION)
    led = scope.codes(Action.EDIT_CONFIGURATION, "commissioner")
    if any(owner not in led for _, owner in versions):
        raise NotAllowed(Action.EDIT_CONFIGURATION)


def _write_providers(
    connection: Connection,
    configuration_id: int,
    configuration: Configuration,
    since: dt.date,
) -> None:
    members = tables.configuration_providers
    connection.execute(members.delete().where(members.c.configuration_id == configuration_id))
    if since > configuration.end:
        return  # a revision that ends the tariff: the one before holds up to its end
    during = Range(since, configuration.end, bounds="[]")
    rows = [
        {
            "configuration_id": configuration_id,
            "provider": provider,
            "dataset": configuration.dataset,
            "during": during,
            "draft": configuration.status == Status.DRAFT,
            "shadow": configuration.status == Status.SHADOW,
        }
        for provider in configuration.providers
    ]
    if configuration.status != Status.DRAFT:
        for provider in configuration.providers:
            _refuse_second(connection, configuration_id, configuration, provider, during)
    connection.execute(members.insert(), rows)


def _refuse_second(
    connection: Connection,
    configuration_id: int,
    configuration: Configuration,
    provider: str,
    during: Range[dt.date],
) -> None:
    """Raises ``UserError`` where the provider has another tariff of the data set on a day of these;
    a shadow may overlap what charges, but no other shadow."""
    members, configurations = tables.configuration_providers, tables.configurations
    is_shadow = configuration.status == Status.SHADOW
    overlapping = connection.execute(
        sa.select(
            configurations.c.configuration,
            sa.func.lower(members.c.during).label("first"),
            (sa.func.upper(members.c.during) - 1).label("last"),
        )
        .join(members, members.c.configuration_id == configurations.c.id)
        .where(
            members.c.provider == provider,
            members.c.dataset == configuration.dataset,
            members.c.configuration_id != configuration_id,
            members.c.during.overlaps(during),
            sa.not_(members.c.draft),
            members.c.shadow == is_shadow,
        )
        .order_by(members.c.during)
    ).first()
    if overlapping is not None:
        kind = "one shadow" if is_shadow else "one configuration"
        raise UserError(
            f"{provider} is in {overlapping.configuration!r} "
            f"from {overlapping.first} to {overlapping.last}; "
            f"a provider has {kind} on any date for each data set, so end that one first"
        )


def _note(
    connection: Connection,
    number: int,
    configuration: Configuration,
    values: dict[str, Any],
    user_id: int | None,
) -> None:
    revision = sa.select(tables.configurations.c.revision).where(
        tables.configurations.c.id == number
    )
    note(
        connection,
        f"configuration {configuration.status}",
        f"configuration:{number}",
        user_id=user_id,
        reason=values["why"],
        configuration=configuration.configuration,
        revision=connection.execute(revision).scalar_one(),
        holds_from=f"{values['holds_from']}",
        by=values["made_by"],
    )
