"""Who hears how a mail fared: its ticket, whoever wrote it, and their colleagues."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from inbox.models.outgoing.states import NOT_DELIVERED, NOT_KNOWN_TO_ARRIVE, OutgoingState
from tickets import notifying
from tickets.models import Notification, NotificationKind, Ticket

if TYPE_CHECKING:
    from inbox.models.outgoing.mail import Outgoing


def show_how_it_fared(outgoing: Outgoing, ticket: Ticket | None, now: datetime) -> None:
    """Let the ticket show how its answers fared. One that left makes up for those before it."""
    if ticket is None:
        return
    ticket.changed()
    if outgoing.state in NOT_DELIVERED:
        ticket.not_delivered(at=now)
        tell_writer(outgoing, ticket, now)
    elif outgoing.state == OutgoingState.UNKNOWN:
        ticket.mark_undelivered(True)
    elif ticket.undelivered and outgoing.state in (OutgoingState.SENT, OutgoingState.QUEUED):
        others = type(outgoing).objects.filter(message__ticket=ticket, state__in=NOT_KNOWN_TO_ARRIVE)
        if outgoing.state == OutgoingState.SENT:
            others = others.filter(pk__gt=outgoing.pk)
        if not others.exists():
            ticket.mark_undelivered(False)


def tell_colleagues(outgoing: Outgoing, ticket: Ticket | None, now: datetime) -> None:
    """Owner and followers hear of it once it left, or may have: until then its writer could take it back, and of one
    that did not leave there is nothing to read.
    """
    if ticket and outgoing.state in (OutgoingState.SENT, OutgoingState.UNKNOWN):
        notifying.written_on(ticket, anchor=f"m{outgoing.message_id}", actor=outgoing.message.author, now=now)


def tell_writer(outgoing: Outgoing, ticket: Ticket, now: datetime) -> None:
    """Whoever wrote it has gone on to other tickets by now; for one who is not here any more, the owner is told.

    Each time it fails: what they have read of an earlier time is no news of this one.
    """
    anchor = f"m{outgoing.message_id}"
    Notification.objects.filter(ticket=ticket, kind=NotificationKind.SENDING, anchor=anchor).exclude(
        read_at=None
    ).delete()
    for user in (outgoing.message.author, ticket.owner):
        if user and notifying.notify(user, NotificationKind.SENDING, ticket, actor=None, anchor=anchor, now=now):
            return
