"""Mails as people's programs write them, for tests of what comes in."""

from __future__ import annotations

import itertools
from email.message import EmailMessage
from email.utils import format_datetime

from django.utils import timezone

from inbox import receiving
from inbox.models import Incoming, Mailbox, Message

_count = itertools.count(1)


def make_mail(
    text: str = "The jacket is a size S, I ordered an M.",
    *,
    sender: str = "Elina Saarinen <elina@customer.example>",
    to: str = "support@desk.example",
    subject: str = "Wrong size delivered",
    message_id: str | None = None,
    answers: str = "",
    references: str = "",
    html: str = "",
    **headers: str,
) -> bytes:
    """A plain mail with CRLF line ends. Ids come without brackets; `headers` are further ones (Auto_Submitted="...")."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(timezone.now())
    mail["Message-ID"] = f"<{new_id() if message_id is None else message_id}>"
    if answers:
        mail["In-Reply-To"] = f"<{answers}>"
    if references or answers:
        mail["References"] = " ".join(f"<{one}>" for one in (references or answers).split())
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def new_id() -> str:
    return f"mail{next(_count)}@customer.example"


def take_in(mailbox: Mailbox, raw: bytes) -> Incoming:
    """What an MTA's pipe does: hand over, and have it processed."""
    stored = receiving.store(mailbox, raw, source="pipe", now=timezone.now())
    return receiving.process(stored.pk)


def land(mailbox: Mailbox, raw: bytes) -> Message:
    """The message that the mail became."""
    return Message.objects.select_related("ticket").get(incoming=take_in(mailbox, raw))
