"""What a mail of ours does to its ticket: at once, or when one that was written to be sent later leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inbox.models import Message, MessageKind
from people.models import User
from tickets.models import Status


def apply_to_ticket(
    message: Message,
    *,
    by: User,
    has_attachments: bool,
    status: Status | None = None,
    properties: Mapping[str, Any] | None = None,
) -> None:
    """Properties and status that go with it, and the mail itself: counted, and unless it went aside the contact's turn.

    Raises a TicketError.
    """
    ticket = message.ticket
    assert ticket is not None  # noqa: S101 - what we write is on a ticket
    if properties:
        ticket.set_properties(properties, by=by, now=message.at)
    if message.kind != MessageKind.FORWARD:
        ticket.answered(at=message.at, preview=message.text, by=by, has_attachments=has_attachments, status=status)
        return
    ticket.forwarded(at=message.at, preview=message.text, has_attachments=has_attachments)
    if status is not None:
        ticket.move_to(status, by=by, now=message.at)
