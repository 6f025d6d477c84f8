"""The visitor's notifications, and the channels that they choose for them."""

from __future__ import annotations

from urllib.parse import parse_qsl

import streamlit as st

from core.access.people import Person
from core.notifications.choices import (
    Choices,
    choices_of,
    choose,
    email_is_set_up,
    topics_for,
)
from core.notifications.inbox import Notification, inbox, mark_read, unread_count
from core.notifications.webhook import SIGNATURE, TIMESTAMP, set_webhook, webhook_of
from core.user_errors import UserError
from core.vocabulary.topics import Channel, Topic
from portal import words
from portal.database import engine
from portal.links import link_to_address

_CHANNELS = {
    Channel.PORTAL: "In the portal",
    Channel.EMAIL: "By e-mail",
    Channel.WEBHOOK: "By webhook",
}


def title(person: Person) -> str:
    """The page's name in the sidebar, with the number of unread notifications."""
    with engine().connect() as connection:
        unread = unread_count(connection, person.id)
    return f"Notifications ({unread})" if unread else "Notifications"


def show(person: Person) -> None:
    """The page."""
    st.title("Notifications")
    inbox_tab, choices_tab = st.tabs(["What happened", "What you are told of"])
    with inbox_tab:
        _inbox(person)
    with choices_tab:
        _choices(person)
        _webhook(person)


def _inbox(person: Person) -> None:
    with engine().connect() as connection:
        notifications = inbox(connection, person.id)
    if not notifications:
        st.write("Nothing yet. What concerns you appears here.")
        return
    if any(notification.read_at is None for notification in notifications) and st.button(
        "Mark all as read"
    ):
        _read(person)
    for notification in notifications:
        _show(person, notification)


def _show(person: Person, notification: Notification) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        with left:
            badge = "" if notification.read_at else " :blue-badge[new]"
            st.markdown(f"**{words.plain(notification.title)}**{badge}")
            for line in notification.text.splitlines():
                st.markdown(words.plain(line))
            st.caption(f"{notification.topic}, {words.moment(notification.at)} UTC")
        with right:
            page, _, query = notification.address.partition("?")
            link_to_address(page, "Go there", dict(parse_qsl(query)))
            if notification.read_at is None and st.button(
                "Mark as read", key=f"read {notification.id}"
            ):
                _read(person, notification.id)


def _read(person: Person, notification_id: int | None = None) -> None:
    with engine().begin() as connection:
        mark_read(connection, person.id, notification_id)
    st.rerun()


def _choices(person: Person) -> None:
    with engine().connect() as connection:
        standing = choices_of(connection, person.id)
    with st.form("choices", border=False):
        choices: Choices = {}
        for topic in topics_for(person.scope):
            _topic(topic, standing, choices)
        if st.form_submit_button("Keep these choices", type="primary"):
            with engine().begin() as connection:
                choose(connection, person.id, choices)
            st.success("Kept.")
    if not email_is_set_up():
        st.caption("This installation has no mail server yet, so no e-mail is sent.")
    elif not person.email:
        st.caption("Your account has no e-mail address, so no e-mail is sent to you.")


def _topic(topic: Topic, standing: Choices, choices: Choices) -> None:
    about, *columns = st.columns([3, 1, 1, 1], vertical_alignment="center")
    about.markdown(f"**{topic.capitalize()}**  \n{topic.text}")
    for column, (channel, label) in zip(columns, _CHANNELS.items(), strict=True):
        choices[topic, channel] = column.checkbox(
            label, value=standing[topic, channel], key=f"{topic} {channel}"
        )


def _webhook(person: Person) -> None:
    st.subheader("Your webhook")
    st.markdown(
        "Grouper posts each notification as JSON to this address. "
        f"`{SIGNATURE}` is `v1=` and the HMAC-SHA256, in hex, of `{TIMESTAMP}`, a full stop and "
        "the body, under the secret below."
    )
    with engine().connect() as connection:
        standing = webhook_of(connection, person.id)
    with st.form("webhook", border=False):
        url = st.text_input(
            "Address", value=standing[0] if standing else "", placeholder="https://…"
        )
        if st.form_submit_button("Keep this address"):
            _set_webhook(person, url)
    if standing:
        st.text_input("Secret", value=standing[1], type="password", disabled=True)


def _set_webhook(person: Person, url: str) -> None:
    try:
        with engine().begin() as connection:
            set_webhook(connection, person.id, url)
    except UserError as wrong:
        st.error(words.plain(str(wrong)))
    else:
        st.rerun()
