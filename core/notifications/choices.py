"""Which channels carry which topics to a user."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from core.access.scope import Scope
from core.database import tables
from core.settings import settings
from core.vocabulary.permissions import Action
from core.vocabulary.topics import DEFAULTS, Channel, Topic

Choices = dict[tuple[Topic, Channel], bool]


def choices_of(connection: Connection, user_id: int) -> Choices:
    """Whether the user wants each topic on each channel; defaults where nothing is chosen."""
    chosen = tables.notification_choices
    query = sa.select(chosen.c.topic, chosen.c.channel, chosen.c.wanted)
    rows = connection.execute(query.where(chosen.c.user_id == user_id))
    chosen_values = {(topic, channel): wanted for topic, channel, wanted in rows}
    return {
        (topic, channel): chosen_values.get((topic, channel), topic in DEFAULTS[channel])
        for topic in Topic
        for channel in Channel
    }


def choose(connection: Connection, user_id: int, choices: Choices) -> None:
    """Stores the user's choices; choices that are not given are unchanged."""
    rows = [
        {"user_id": user_id, "topic": topic, "channel": channel, "wanted": wanted}
        for (topic, channel), wanted in choices.items()
    ]
    statement = insert(tables.notification_choices)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "topic", "channel"],
            set_={"wanted": statement.excluded.wanted},
        ),
        rows,
    )


def topics_for(scope: Scope) -> list[Topic]:
    """The topics of which the person can be notified today (texts.py, TEMPLATES)."""
    limited = {
        Topic.UPLOADS: scope.may(Action.UPLOAD),
        Topic.SUBMISSIONS: bool(scope.ids(None, "provider")),
        Topic.OPERATIONS: scope.may(Action.OPERATE),
    }
    return [topic for topic in Topic if limited.get(topic, True)]


def channels_of(
    connection: Connection, people: Iterable[int], topic: Topic
) -> dict[int, set[Channel]]:
    """The channels for each person on a topic: chosen, and with an address to send to."""
    users, chosen, webhooks = tables.users, tables.notification_choices, tables.webhooks
    query = (
        sa.select(users.c.id, users.c.email, webhooks.c.url, chosen.c.channel, chosen.c.wanted)
        .outerjoin(webhooks, webhooks.c.user_id == users.c.id)
        .outerjoin(chosen, sa.and_(chosen.c.user_id == users.c.id, chosen.c.topic == topic))
        .where(users.c.id.in_(list(people)))
    )
    wanted_channels: dict[int, set[Channel]] = {}
    reachable: dict[int, set[Channel]] = {}
    for person, email, url, channel, wanted in connection.execute(query):
        channels = wanted_channels.setdefault(person, _by_default(topic))
        reachable[person] = _reachable(email, url)
        if channel is not None:
            (channels.add if wanted else channels.discard)(Channel(channel))
    return {person: channels & reachable[person] for person, channels in wanted_channels.items()}


def email_is_set_up() -> bool:
    """Whether this installation can send e-mail."""
    return settings().smtp_host is not None


def _by_default(topic: Topic) -> set[Channel]:
    return {channel for channel, topics in DEFAULTS.items() if topic in topics}


def _reachable(email: str | None, url: str | None) -> set[Channel]:
    channels = {Channel.PORTAL}
    if email and email_is_set_up():
        channels.add(Channel.EMAIL)
    if url:
        channels.add(Channel.WEBHOOK)
    return channels
