"""Notifications by e-mail."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from core.notifications.sending import CannotSend, Message, NotWanted
from core.settings import Settings, settings

SECONDS = 20.0
BODY = """\
{text}

{link}

You choose which e-mails you get on the page Notifications:
{choices}
"""


def send_email(message: Message) -> None:
    """Hands the message to the mail server; raises ``CannotSend`` or ``NotWanted``."""
    if not message.email:
        raise NotWanted("the user has no address, or has left")
    try:
        mail = as_email(message, settings())
    except (ValueError, HeaderParseError) as error:
        raise CannotSend("the address cannot stand in an e-mail", is_temporary=False) from error
    try:
        with mail_server(settings()) as server:
            server.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        [(code, _)] = error.recipients.values()
        raise _refusal(code) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code) from error
    except (smtplib.SMTPException, OSError) as error:
        reason = f"the mail server did not take it ({type(error).__name__})"
        raise CannotSend(reason, is_temporary=True) from error


def as_email(message: Message, options: Settings) -> EmailMessage:
    """The e-mail; its Message-ID is the same at every attempt, so receivers detect repeats."""
    _, sender = parseaddr(options.smtp_from)
    mail = EmailMessage()
    mail["From"] = options.smtp_from
    mail["To"] = Address(addr_spec=message.email)  # one address, whatever stands in it
    mail["Subject"] = " ".join(message.title.split())  # a header is one line
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    choices = f"{options.portal_url}/notifications"
    mail.set_content(BODY.format(text=message.text, link=message.link, choices=choices))
    return mail


@contextmanager
def mail_server(options: Settings) -> Iterator[smtplib.SMTP]:
    """A connection to the mail server, encrypted and signed in as the settings say."""
    server = _connection(options)
    try:
        if options.smtp_tls == "starttls":
            server.starttls(context=ssl.create_default_context())
        if options.smtp_user and options.smtp_password:
            server.login(options.smtp_user, options.smtp_password.get_secret_value())
        yield server
    finally:
        # The e-mail was accepted or refused before; a failed QUIT changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
        server.close()


def _connection(options: Settings) -> smtplib.SMTP:
    host, port = str(options.smtp_host), options.smtp_port
    if options.smtp_tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    return smtplib.SMTP(host, port, timeout=SECONDS)


def _refusal(code: int) -> CannotSend:
    """The refusal of a reply code: codes from 500 on are permanent, except those about our own
    sign-in, such as a wrong password, which an operator can correct."""
    about_sign_in = code in (530, 534, 535, 538)
    return CannotSend(f"the mail server answered {code}", is_temporary=code < 500 or about_sign_in)
