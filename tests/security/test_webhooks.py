"""Webhooks lead to public addresses alone, however an inner one is spelt, and to no other later."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from core.notifications.email import as_email, send_email
from core.notifications.public_address import NotResolved, checked_address, networks_of
from core.notifications.sending import CannotSend, Message
from core.notifications.webhook import refuse_unsafe, send_webhook
from core.settings import Settings, use_settings
from core.settings import _in_use as in_use
from core.user_errors import UserError

INNER = (
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0"),
    *(
        "localhost",
        "localhost.",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
    ),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]"),
    *("[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2002:a00:1::]", "[fe80::1]", "[fc00::1]"),
    *("[fd00::1]", "[ff02::1]", "10.0.0.1", "10.1", "172.16.0.1", "192.168.1.1", "192.168.257"),
    *("169.254.169.254", "[::ffff:169.254.169.254]", "100.64.0.1", "192.0.0.1", "198.18.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "[2001:db8::1]", "[2001::1]", "192.0.2.1"),
    *("\u0661\u0662\u0667.0.0.1", "127\u30020.0.1", "\u2460\u2461\u2466.0.0.1"),
)


@pytest.fixture(autouse=True)
def chosen() -> Iterator[None]:
    before = list(in_use)
    use_settings(Settings(public_url="https://grouper.example"))
    yield
    use_settings(before[0] if before else None)


@pytest.mark.parametrize("host", INNER)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_inner_address_is_refused_however_it_is_spelt(host: str, scheme: str) -> None:
    with pytest.raises(UserError):
        refuse_unsafe(f"{scheme}://{host}/hook")


def test_a_public_one_is_not() -> None:
    for host in ("93.184.216.34", "[2606:2800:220:1:248:1893:25c8:1946]", "[2002:5db8:d822::]"):
        refuse_unsafe(f"https://{host}/hook")
        with pytest.raises(UserError, match="not encrypted"):
            refuse_unsafe(f"http://{host}/hook")


def leading_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Names lead there, as a name server of somebody's says."""

    def answer(host: str, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    leading_to(monkeypatch, address)
    with pytest.raises(UserError):
        refuse_unsafe("https://receiver.example/hook")


def test_so_is_one_of_which_only_one_address_does(monkeypatch: pytest.MonkeyPatch) -> None:
    leading_to(monkeypatch, "93.184.216.34", "127.0.0.1")
    with pytest.raises(UserError):
        refuse_unsafe("https://receiver.example/hook")


def test_one_that_leads_nowhere_is_judged_when_something_is_sent() -> None:
    with pytest.raises(NotResolved):
        checked_address("nowhere.invalid", 443, ())
    refuse_unsafe("https://nowhere.invalid/hook")


def test_a_network_is_allowed_by_name_alone() -> None:
    use_settings(Settings(webhook_networks="10.1.2.0/24, 127.0.0.0/8"))
    refuse_unsafe("http://127.0.0.1:8000/hook")
    refuse_unsafe("https://10.1.2.7/hook")
    with pytest.raises(UserError):
        refuse_unsafe("https://10.1.3.7/hook")
    assert len(networks_of("10.1.2.0/24, 127.0.0.0/8")) == 2


def message_to(url: str, title: str = "Title", email: str | None = None) -> Message:
    now = dt.datetime.now(dt.UTC)
    return Message(
        1, 1, "id", 1, "Name", email, url, "secret", "topic", "event", "file/1", title, "Text",
        "home", now,
    )  # fmt: skip


class Receiver(BaseHTTPRequestHandler):
    """Notes what comes, and sends on to elsewhere."""

    calls: list[tuple[str, str]] = []  # noqa: RUF012 - one for the test

    def do_POST(self) -> None:
        self.calls.append((self.path, self.headers["Host"]))
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def test_it_connects_to_what_was_checked_and_follows_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name leads elsewhere a moment later: nobody asks again."""
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_settings(Settings(webhook_networks="127.0.0.0/8"))
    asked: list[str] = []
    as_ever = socket.getaddrinfo

    def once(host: str, *_: Any, **__: Any) -> list[Any]:
        if host != "receiver.example":
            return as_ever(host, *_, **__)
        asked.append(host)
        place = "127.0.0.1" if len(asked) <= 2 else "10.255.255.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, 0))]

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", once)
        with pytest.raises(CannotSend, match="302"):
            send_webhook(message_to(f"http://receiver.example:{server.server_port}/hook"))
    server.shutdown()
    assert Receiver.calls == [("/hook", f"receiver.example:{server.server_port}")]


TITLES = ("two\nlines", "two\r\nBcc: x@y.example", "a\u2028b", "\x00\x1b")


@pytest.mark.parametrize("title", TITLES)
def test_a_title_of_several_lines_is_one_in_an_email(title: str) -> None:
    options = Settings(smtp_from="Grouper <g@grouper.example>")
    mail = as_email(message_to("", title, "a@b.example"), options)
    assert "\n" not in str(mail["Subject"])
    assert mail["Bcc"] is None


@pytest.mark.parametrize(
    "email", ["a@b.example, c@d.example", "a@b.example\nBcc: c@d.example", "x"]
)
def test_an_address_is_one(email: str) -> None:
    options = Settings(smtp_from="Grouper <g@grouper.example>", smtp_host="127.0.0.1")
    use_settings(options)
    with pytest.raises(CannotSend, match="cannot stand in an e-mail"):
        send_email(message_to("", "Title", email))
