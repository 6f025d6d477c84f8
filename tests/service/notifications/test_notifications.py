"""Notifications reach people by a real mail server and a real receiver of webhooks, once each."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine, func, select, text, update

from core.database.tables import (
    failures,
    notification_deliveries,
    notifications,
    organisations,
    users,
)
from core.events.outbox import raise_event
from core.notifications.choices import choices_of, choose
from core.notifications.email import send_email
from core.notifications.inbox import inbox, mark_read, unread_count
from core.notifications.notify import notify
from core.notifications.sending import ATTEMPTS, Message, send_next
from core.notifications.webhook import send_webhook, set_webhook, webhook_of
from core.operations.retrying import retry
from core.settings import Settings, use_settings
from core.support.processes import free_port
from core.vocabulary.event_catalogue import SubmissionDrafted
from core.vocabulary.topics import TOPICS, Channel, Topic
from deployments.sender_process import LONGEST_IDLE
from tests.subscribed import subscribe

DRAFTED = SubmissionDrafted(
    provider="ZX1",
    month="2017-04",
    submission_id=3,
    run_id=7,
    records=9,
    episodes=8,
    charges=7,
    amount_pence=1234,
)


class MailServer:
    """Keeps what it accepts; answers as it is told to."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.answers: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (the server's own name)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.got.append(mail)
        return answer


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server, which the settings name."""
    server, port = MailServer(), free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    with using(smtp_host="127.0.0.1", smtp_port=port):
        yield server
    controller.stop()


class Receiver:
    """A web server that keeps what is posted; answers as it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append((dict(self.headers.items()), body))
            self.send_response(kept.answers.pop(0) if kept.answers else 204)
            self.send_header("Location", kept.url)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kept.url = f"http://127.0.0.1:{server.server_port}/hook"
        with using():
            yield kept
        server.shutdown()


@contextmanager
def using(**options: Any) -> Iterator[None]:
    given = {"smtp_tls": "none", "smtp_from": "Grouper <g@grouper.example>", **options}
    use_settings(Settings(webhook_networks="127.0.0.0/8", **given))
    yield
    use_settings(None)


@pytest.fixture
def people(database: Engine) -> Engine:
    """Two people of the provider, one of another."""
    with database.begin() as connection:
        for number, code in enumerate(("ZX1", "ZX2"), start=1):
            values = {"id": number, "kind": "provider", "code": code, "name": code}
            connection.execute(organisations.insert().values(values))
        for number, organisation in ((1, 1), (2, 1), (3, 2)):
            person = {"id": number, "subject": f"p{number}", "name": f"Person {number}"}
            connection.execute(users.insert().values(email=f"p{number}@x.example", **person))
            subscribe(connection, number, "provider", organisation)
    return database


def drafted(database: Engine) -> UUID:
    event_id = uuid4()
    with database.begin() as connection:
        raise_event(connection, DRAFTED, event_id=event_id)
        notify(connection, event_id, DRAFTED)
    return event_id


def wants(database: Engine, user_id: int, channel: Channel, *, wanted: bool = True) -> None:
    with database.begin() as connection:
        choose(connection, user_id, {(Topic.SUBMISSIONS, channel): wanted})


def hooked(database: Engine, url: str, user_id: int = 1) -> str:
    """Gives the user a webhook; its secret."""
    wants(database, user_id, Channel.WEBHOOK)
    with database.begin() as connection:
        set_webhook(connection, user_id, url)
        hook = webhook_of(connection, user_id)
    assert hook
    return hook[1]


def send_all(database: Engine, channel: Channel, send: Callable[[Message], None]) -> int:
    """Sends what is due until nothing is, as if all pauses had passed; how many tries."""
    tries = 0
    while True:
        with database.begin() as connection:
            connection.execute(
                update(notification_deliveries)
                .where(notification_deliveries.c.state == "waiting")
                .values(next_at=func.now())
            )
        if not send_next(database, channel, send):
            return tries
        tries += 1


def deliveries(database: Engine, *columns: str) -> list[Any]:
    wanted = [notification_deliveries.c[name] for name in columns]
    with database.connect() as connection:
        rows = connection.execute(select(*wanted).order_by(notification_deliveries.c.id))
        return [tuple(row) for row in rows]


def test_everybody_of_the_provider_gets_one_e_mail(people: Engine, mail: MailServer) -> None:
    event_id = drafted(people)
    with people.begin() as connection:
        assert notify(connection, event_id, DRAFTED) == 0
    assert send_all(people, Channel.EMAIL, send_email) == 2
    assert [each["To"] for each in mail.got] == ["p1@x.example", "p2@x.example"]
    first = mail.got[0]
    assert first["Subject"] == "The draft of April 2017 is calculated"
    assert first["Message-ID"] == f"<{event_id}.1@grouper.example>"
    assert "/submission?provider=ZX1&month=2017-04" in first.get_content()
    assert deliveries(people, "state", "attempts") == [("sent", 1), ("sent", 1)]


def test_a_busy_mail_server_is_asked_again(people: Engine, mail: MailServer) -> None:
    wants(people, 2, Channel.EMAIL, wanted=False)
    mail.answers = ["451 busy", "421 closing"]
    drafted(people)
    assert send_next(people, Channel.EMAIL, send_email)
    assert not send_next(people, Channel.EMAIL, send_email)  # it waits for its pause
    assert send_all(people, Channel.EMAIL, send_email) == 2
    assert len(mail.got) == 1
    assert deliveries(people, "state", "attempts") == [("sent", 3)]


def test_what_is_refused_for_good_lands_in_the_error_queue(
    people: Engine, mail: MailServer
) -> None:
    wants(people, 2, Channel.EMAIL, wanted=False)
    mail.answers = ["554 no"]
    drafted(people)
    assert send_all(people, Channel.EMAIL, send_email) == 1
    with people.connect() as connection:
        failure = connection.execute(select(failures)).one()
    assert (failure.kind, failure.reason) == ("notification", "the mail server answered 554")

    with people.begin() as connection:
        retry(connection, failure.reference)
    assert send_all(people, Channel.EMAIL, send_email) == 1
    assert len(mail.got) == 1
    with people.connect() as connection:
        assert connection.execute(select(failures.c.state)).scalar_one() == "resolved"


def test_an_unsound_message_does_not_hold_up_others(people: Engine, mail: MailServer) -> None:
    drafted(people)

    def stumbling(message: Message) -> None:
        if message.user_id == 1:
            raise ZeroDivisionError
        send_email(message)

    assert send_all(people, Channel.EMAIL, stumbling) == 2
    assert [each["To"] for each in mail.got] == ["p2@x.example"]
    assert deliveries(people, "state") == [("failed",), ("sent",)]


def test_without_a_mail_server_nothing_waits_for_one(people: Engine) -> None:
    with using():
        drafted(people)
    assert deliveries(people, "state") == []
    with people.connect() as connection:
        assert connection.execute(select(func.count()).select_from(notifications)).scalar() == 2


def test_a_webhook_is_signed(people: Engine, receiver: Receiver) -> None:
    secret = hooked(people, receiver.url)
    event_id = drafted(people)
    assert send_all(people, Channel.WEBHOOK, send_webhook) == 1
    [(headers, body)] = receiver.got
    signed = f"{headers['Grouper-Timestamp']}.".encode() + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["Grouper-Signature"] == f"v1={expected}"
    told = json.loads(body)
    assert told["id"] == headers["Grouper-Notification"] == f"{event_id}.1"
    assert (told["event"], told["topic"]) == ("submission.drafted", "my submissions")


def test_a_webhook_in_trouble_is_tried_again_until_it_answers(
    people: Engine, receiver: Receiver
) -> None:
    hooked(people, receiver.url)
    receiver.answers = [500, 503, 429]
    drafted(people)
    assert send_all(people, Channel.WEBHOOK, send_webhook) == 4
    assert len({body for _, body in receiver.got}) == 1
    assert deliveries(people, "state", "attempts") == [("sent", 4)]


def test_a_receiver_in_trouble_holds_up_nobody_else(people: Engine, receiver: Receiver) -> None:
    hooked(people, receiver.url, user_id=2)
    hooked(people, f"http://127.0.0.1:{free_port()}/", user_id=1)  # nobody listens there
    for _ in range(3):
        drafted(people)
    tried = 0
    while send_next(people, Channel.WEBHOOK, send_webhook):
        tried += 1
    assert (tried, len(receiver.got)) == (4, 3)


@pytest.mark.parametrize("answer", [302, 404])
def test_a_redirect_is_not_followed_and_no_is_no(
    people: Engine, receiver: Receiver, answer: int
) -> None:
    hooked(people, receiver.url)
    receiver.answers = [answer]
    drafted(people)
    assert send_all(people, Channel.WEBHOOK, send_webhook) == 1
    assert len(receiver.got) == 1
    assert deliveries(people, "state", "failure") == [("failed", f"the receiver answered {answer}")]


def test_after_the_last_attempt_it_lands_in_the_error_queue(
    people: Engine, receiver: Receiver
) -> None:
    hooked(people, receiver.url)
    receiver.answers = [500] * (ATTEMPTS + 1)
    drafted(people)
    assert send_all(people, Channel.WEBHOOK, send_webhook) == ATTEMPTS
    with people.connect() as connection:
        failure = connection.execute(select(failures)).one()
    assert (failure.attempts, failure.subject) == (ATTEMPTS, "submission/3")


def test_a_webhook_that_was_taken_away_gets_nothing(people: Engine, receiver: Receiver) -> None:
    hooked(people, receiver.url)
    drafted(people)
    with people.begin() as connection:
        set_webhook(connection, 1, "")
    assert send_all(people, Channel.WEBHOOK, send_webhook) == 1
    assert receiver.got == []
    assert deliveries(people, "state") == [("dropped",)]


def test_a_webhook_keeps_its_secret_while_its_address_stays(people: Engine) -> None:
    with using():
        first = hooked(people, "https://receiver.example/a")
        assert hooked(people, "https://receiver.example/a") == first
        assert hooked(people, "https://receiver.example/b") != first


def test_two_senders_never_send_the_same(people: Engine, receiver: Receiver) -> None:
    hooked(people, receiver.url)
    drafted(people)
    within, resume = threading.Event(), threading.Event()

    def slow(message: Message) -> None:
        within.set()
        assert resume.wait(20)
        send_webhook(message)

    first = threading.Thread(target=send_next, args=(people, Channel.WEBHOOK, slow))
    first.start()
    assert within.wait(20)
    assert not send_next(people, Channel.WEBHOOK, send_webhook)
    resume.set()
    first.join()
    assert len(receiver.got) == 1


KILLED = """
import os, signal, sys
from sqlalchemy import create_engine
from core.notifications.sending import send_next
from core.vocabulary.topics import Channel
send_next(create_engine(sys.argv[1]), Channel.EMAIL, lambda _: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_sender_killed_before_it_sent_loses_and_doubles_nothing(
    people: Engine, mail: MailServer
) -> None:
    wants(people, 2, Channel.EMAIL, wanted=False)
    event_id = drafted(people)
    url = people.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", KILLED, url]
    killed = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": "."})
    assert killed.returncode == -signal.SIGKILL
    with people.connect() as connection:  # its connection may end a moment later
        connection.execute(text("SET lock_timeout = '20s'"))
        connection.execute(select(notification_deliveries).with_for_update())
    assert send_all(people, Channel.EMAIL, send_email) == 1
    assert [each["Message-ID"] for each in mail.got] == [f"<{event_id}.1@grouper.example>"]


def test_choices_hold_and_others_keep_their_defaults(people: Engine, mail: MailServer) -> None:
    wants(people, 1, Channel.PORTAL, wanted=False)
    wants(people, 2, Channel.EMAIL, wanted=False)
    drafted(people)
    send_all(people, Channel.EMAIL, send_email)
    assert [each["To"] for each in mail.got] == ["p1@x.example"]
    with people.connect() as connection:
        assert (unread_count(connection, 1), unread_count(connection, 2)) == (0, 1)
        choices = choices_of(connection, 3)
    assert {topic for topic in TOPICS if choices[Topic(topic), Channel.EMAIL]} == {
        "my submissions",
        "deadlines",
    }
    assert all(choices[topic, Channel.PORTAL] for topic in Topic)
    assert not any(choices[topic, Channel.WEBHOOK] for topic in Topic)


def test_what_was_read_is_read_by_its_own_user_alone(people: Engine) -> None:
    with using():
        drafted(people)
        drafted(people)
    with people.begin() as connection:
        newest, oldest = inbox(connection, 1)
        assert newest.id > oldest.id
        mark_read(connection, 2, newest.id)
        assert unread_count(connection, 1) == 2
        mark_read(connection, 1, newest.id)
        assert unread_count(connection, 1) == 1
        mark_read(connection, 1)
        assert (unread_count(connection, 1), unread_count(connection, 2)) == (0, 2)


@contextmanager
def sender(database: Engine) -> Iterator[subprocess.Popen[bytes]]:
    """The sender as a process of its own."""
    url = database.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, webhook_networks="127.0.0.0/8")
    process = subprocess.Popen(
        [sys.executable, "-m", "deployments.sender_process"],
        env={**os.environ, **settings.environment()},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def arrived(receiver: Receiver, number: int) -> bool:
    deadline = time.monotonic() + 30
    while len(receiver.got) < number and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(receiver.got) == number


def test_the_sender_wakes_for_each_and_ends_when_asked(people: Engine, receiver: Receiver) -> None:
    hooked(people, receiver.url)
    drafted(people)
    with sender(people) as process:
        assert arrived(receiver, 1)
        began = time.monotonic()
        drafted(people)
        assert arrived(receiver, 2)
        assert time.monotonic() - began < LONGEST_IDLE / 2  # it was woken
        process.terminate()
        assert process.wait(20) == 0
    assert deliveries(people, "state") == [("sent",), ("sent",)]
