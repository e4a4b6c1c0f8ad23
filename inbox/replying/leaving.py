"""A mail that was written to be sent later leaves now: what it does to its ticket, and when it says it was written."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from helpdesk.storage import delete_after_commit
from inbox.errors import InboxError
from inbox.mime.compose import InvalidAddress, InvalidHeader
from inbox.rendering import render
from inbox.replying.applying import apply_to_ticket
from people.models import User
from tickets import notifying
from tickets.errors import PropertiesMissing, TicketError
from tickets.models import EventKind, NotificationKind, Status, Ticket

if TYPE_CHECKING:
    from inbox.models import Outgoing

logger = logging.getLogger(__name__)


def leave(outgoing: Outgoing, ticket: Ticket | None, now: datetime) -> None:
    """In the transaction that claims it: after this its bytes never change again, however often they are tried."""
    message, wanted = outgoing.message, outgoing.on_leaving
    message.ticket = ticket
    message.at = message.sent_at = now
    message.save(update_fields=["at", "sent_at"])
    by = message.author
    if by is not None:
        _date_anew(outgoing, by, now)
    outgoing.on_leaving, outgoing.scheduled = {}, False
    outgoing.save(update_fields=["on_leaving", "scheduled", "mime"])
    if ticket is None or by is None:
        return
    status = Status.objects.filter(pk=wanted.get("status"), pipeline=ticket.pipeline_id).first()
    hindered: dict[str, Any] = {"why": "gone"} if wanted.get("status") and status is None else {}
    has_attachments = message.attachments.filter(inline=False).exists()
    try:
        with transaction.atomic():
            apply_to_ticket(
                message, by=by, has_attachments=has_attachments, status=status, properties=wanted.get("properties")
            )
    except (TicketError, InboxError) as problem:
        # The ticket was changed since, the customer's answer is not to wait for that.
        logger.warning("Outgoing %d: its ticket did not take what was to go with it: %s", outgoing.pk, problem)
        ticket.refresh_from_db()
        apply_to_ticket(message, by=by, has_attachments=has_attachments)
        if isinstance(problem, PropertiesMissing):
            hindered = {"why": "asks", "asks": problem.names}
        elif status is not None:
            hindered = {"why": "properties"}
    if hindered:
        _tell_of_status(outgoing, ticket, by, status.name if status else wanted.get("name", ""), hindered, now)


def _tell_of_status(
    outgoing: Outgoing, ticket: Ticket, by: User, wanted: str, hindered: dict[str, Any], now: datetime
) -> None:
    """Whoever chose a status that could not be set hears of it, or the owner for them; the history says why."""
    ticket.record(EventKind.STATUS, by=by, now=now, wanted=wanted, **hindered)
    anchor = f"e{ticket.events.order_by('-pk').values_list('pk', flat=True)[0]}"
    for user in (by, ticket.owner):
        if user and notifying.notify(user, NotificationKind.SENDING, ticket, actor=None, anchor=anchor, now=now):
            return
    logger.info("Outgoing %d: nobody is told that its status was not set", outgoing.pk)


def _date_anew(outgoing: Outgoing, by: User, now: datetime) -> None:
    message = outgoing.message
    old = outgoing.mime.name
    try:
        mime = render(message, outgoing.mailbox, list(message.attachments.order_by("pk")), by=by)
    except (OSError, InvalidAddress, InvalidHeader) as problem:
        logger.warning("Outgoing %d: it keeps the date of its writing: %s", outgoing.pk, problem)
        return
    outgoing.mime = default_storage.save(f"sent/{now:%Y/%m/%d}/{message.pk}.eml", ContentFile(mime))
    if old:
        delete_after_commit(old)
