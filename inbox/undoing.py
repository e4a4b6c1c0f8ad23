"""Taking back what has not left yet, and writing anew what did not arrive.

Exactly one of taking back and sending wins: both change the state of one row, and only from where it waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.core.files.storage import default_storage
from django.db import transaction

from inbox import drafting
from inbox.errors import CannotTryAgain, MayNotReply, NotYours, TooLateToUndo
from inbox.models import Attachment, Draft, Message, Outgoing
from people.models import User
from tickets import notifying
from tickets.models import Notification, NotificationKind, Ticket
from tickets.undoing import put_back

logger = logging.getLogger(__name__)


@transaction.atomic
def undo_sending(outgoing: Outgoing, *, by: User, now: datetime) -> Draft:
    """The mail was never sent: it is a draft of its writer again, and the ticket is what it was before, as far as nobody
    changed it since. Raises NotYours and TooLateToUndo; then nothing is changed.
    """
    if outgoing.message.author_id != by.pk:
        raise NotYours
    ticket = lock_ticket(outgoing)
    if not outgoing.stop():
        raise TooLateToUndo
    draft = _take_back(outgoing, ticket, by=by, now=now)
    logger.info("Outgoing %d: taken back by user %d", outgoing.pk, by.pk)
    return draft


@transaction.atomic
def contact_wrote_first(ticket: Ticket, *, now: datetime) -> int:
    """What was to leave later unless the contact writes becomes drafts again, and their writers hear of it. Says how many."""
    waiting = Outgoing.objects.held().filter(message__ticket=ticket, scheduled=True, cancel_if_answered=True)
    count = 0
    for outgoing in waiting.select_related("message__author").order_by("pk"):
        author = outgoing.message.author
        if author is None or not outgoing.stop():
            continue
        _take_back(outgoing, ticket, by=author, now=now)
        notifying.notify(author, NotificationKind.SENDING, ticket, actor=None, anchor=f"unsent-{outgoing.pk}", now=now)
        logger.info("Outgoing %d: not sent, the contact wrote first", outgoing.pk)
        count += 1
    return count


@transaction.atomic
def write_anew(outgoing: Outgoing, *, by: User, now: datetime) -> Draft:
    """A draft of `by` with everything that stands in a mail that did not arrive. The mail stays, marked as replaced once
    the draft is sent. Raises MayNotReply and CannotTryAgain.
    """
    if not by.may_reply:
        raise MayNotReply
    outgoing.refresh_from_db()
    if not outgoing.is_failed:
        raise CannotTryAgain
    draft = drafting.from_message(outgoing.message, by=by, now=now)
    draft.replaces = outgoing.message
    draft.begun_after = draft.ticket.messages.order_by("-pk").values_list("pk", flat=True).first()
    draft.save(update_fields=["replaces", "begun_after"])
    return draft


def lock_ticket(outgoing: Outgoing) -> Ticket:
    """Before any row of outgoing mail is changed: everybody in the same order."""
    return Ticket.objects.select_for_update(of=("self",)).get(messages=outgoing.message_id)


def _take_back(outgoing: Outgoing, ticket: Ticket, *, by: User, now: datetime) -> Draft:
    message = Message.objects.select_related("conversation__mailbox", "answers").get(pk=outgoing.message_id)
    message.ticket = ticket
    draft = drafting.from_message(message, by=by, now=now)
    before, was_counted = outgoing.before, "was" in outgoing.before
    _remove(message, outgoing)
    if was_counted:
        put_back(ticket, before["was"], before["became"], before.get("events", []), messages=1)
        files = Attachment.objects.filter(message__ticket=ticket, inline=False)
        if ticket.has_attachments and not before["was"]["has_attachments"] and not files.exists():
            ticket.has_attachments = False
            ticket.save(update_fields=["has_attachments"])
    else:
        ticket.events.filter(pk__in=before.get("events", [])).delete()
    ticket.changed()
    return draft


def _remove(message: Message, outgoing: Outgoing) -> None:
    names = [str(file.file.name) for file in message.attachments.all()]
    if outgoing.mime:
        names.append(str(outgoing.mime.name))
    conversation = message.conversation
    Notification.objects.filter(ticket=message.ticket_id, anchor=f"m{message.pk}").delete()
    message.delete()
    if conversation and not conversation.messages.exists():
        conversation.delete()  # it was to begin with this mail
    for name in names:
        transaction.on_commit(_forgetting(name))


def _forgetting(name: str) -> Callable[[], None]:
    return lambda: default_storage.delete(name)
