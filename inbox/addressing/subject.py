"""What a mail is called."""

from __future__ import annotations

from inbox.mime.compose import forward_subject, reply_subject
from inbox.models import MailKind, Message
from tickets.models import Ticket


def usual_subject(kind: str, answered: Message | None, ticket: Ticket) -> str:
    """Unless somebody calls it something else: as what it answers or forwards, or where it begins, as the ticket."""
    if answered is None:
        return ticket.name
    subject = answered.subject or ticket.name
    return forward_subject(subject) if kind == MailKind.FORWARD else reply_subject(subject)
