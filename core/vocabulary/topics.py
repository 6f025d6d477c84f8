"""The topics of notifications, and the channels by which they reach people."""

from __future__ import annotations

from enum import StrEnum

from core.vocabulary.labelled_enum import LabelledEnum


class Topic(LabelledEnum):
    """A topic that a user chooses, with the text beside the choice."""

    UPLOADS = "my uploads", "A file you uploaded was checked."
    SUBMISSIONS = "my submissions", "A month of your organisation was calculated, or stopped."
    REPORTS = "reports", "A report you asked for is ready; a provider submitted charges to you."
    DEADLINES = "deadlines", "A month is due soon, or is late; your subscription begins or ends."
    OPERATIONS = (
        "operations",
        "Work was given up and waits in the error queue; no worker is up; a decision is wanted.",
    )


class Channel(StrEnum):
    """A way to reach a user."""

    PORTAL = "portal"
    EMAIL = "e-mail"
    WEBHOOK = "webhook"


TOPICS = tuple(topic.value for topic in Topic)
CHANNELS = tuple(channel.value for channel in Channel)
SENT_CHANNELS = (Channel.EMAIL.value, Channel.WEBHOOK.value)
"""Channels whose deliveries the sender carries out; the portal needs no sending."""

DEFAULTS: dict[Channel, frozenset[Topic]] = {
    Channel.PORTAL: frozenset(Topic),
    Channel.EMAIL: frozenset({Topic.SUBMISSIONS, Topic.DEADLINES}),
    Channel.WEBHOOK: frozenset(),
}
"""The topics that a channel carries for a user who has not chosen."""
