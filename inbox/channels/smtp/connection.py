"""A connection to the server that sends for a mailbox."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.conf import settings

from helpdesk.secrets import Sealed
from inbox.channels import tls
from inbox.channels.passwords import revealed
from inbox.models.mailbox import Mailbox, Security

# Seconds without an answer (RFC 5321, 4.5.3.2, asks for minutes; a mail that waits is only tried again).
PATIENCE = 30
PATIENCE_WITH_GOODBYE = 3


class Server(NamedTuple):
    host: str
    port: int
    security: str
    user: str
    password: str | Sealed


def server_of(mailbox: Mailbox) -> Server:
    if mailbox.uses_mail_room:
        return Server("127.0.0.1", settings.MAIL_ROOM_PORT, Security.NONE, "", "")
    return Server(mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security, mailbox.smtp_user, mailbox.smtp_password)


@contextmanager
def opened(mailbox: Mailbox) -> Iterator[smtplib.SMTP]:
    """Connected, encrypted as the mailbox says and signed in. Raises what smtplib, ssl and sockets raise,
    and PasswordUnreadable.

    Inside DATA a QUIT would be text of the mail, so after an error the connection is cut without one.
    """
    server = server_of(mailbox)
    smtp = connected(server, ca_certificate=mailbox.ca_certificate, name=mailbox.domain)
    try:
        if server.security == Security.STARTTLS:
            started_tls(smtp, ca_certificate=mailbox.ca_certificate)
        if server.user:
            smtp.login(server.user, revealed(server.password))
        yield smtp
    except BaseException:
        smtp.close()
        raise
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(PATIENCE_WITH_GOODBYE)
        smtp.quit()
    except (OSError, smtplib.SMTPException):
        smtp.close()


def connected(server: Server, *, ca_certificate: str, name: str, timeout: float = PATIENCE) -> smtplib.SMTP:
    tls.insist_on_allowed(server.host, server.security)
    # The name is given, or smtplib would ask DNS for that of this machine.
    name = name.encode("idna").decode() if name else "localhost"
    if server.security == Security.SSL:
        return smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=name, timeout=timeout, context=tls.context(ca_certificate)
        )
    return smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=timeout)


def started_tls(smtp: smtplib.SMTP, *, ca_certificate: str) -> None:
    """Raises when the server does not offer it: a mail is never sent in the clear where TLS was asked for."""
    code, words = smtp.starttls(context=tls.context(ca_certificate))
    if code != 220:
        raise smtplib.SMTPResponseException(code, words)
