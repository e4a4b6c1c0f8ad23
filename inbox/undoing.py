"""Taking back what has not left yet, and writing anew what did not arrive.

Exactly one of taking back and sending wins: both change the state of one row, and only from where it waits.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.db import transaction

from helpdesk.storage import delete_after_commit
from inbox import drafting
from inbox.errors import (
    AlreadyReplaced,
    AlreadyUndone,
    AnotherBegun,
    CannotTryAgain,
    MayNotReply,
    NotYours,
    TicketInTrash,
    TooLateToUndo,
)
from inbox.models import Attachment, Draft, DraftMode, Message, MessageKind, NotSent, Outgoing, OutgoingState
from people.models import User
from people.models.contact import normalised
from tickets import notifying
from tickets.models import EventKind, Notification, NotificationKind, Ticket
from tickets.undoing import PARTS, as_it_is, hand_on, put_back

logger = logging.getLogger(__name__)

MOVED_BY_ANSWERS = ("status", "owner")


@transaction.atomic
def undo_sending(outgoing: Outgoing, *, by: User, now: datetime) -> Draft | None:
    """The mail was never sent: it is a draft of its writer again, and the ticket is what it was before, as far as nobody
    changed it since.

    Where they have begun another answer meanwhile, that stays as it is, and the mail stays in the conversation, not sent,
    with its text: then None comes back. One of tomorrow can wait: for it AnotherBegun is raised. Raises NotYours,
    AlreadyUndone and TooLateToUndo too; then nothing is changed.
    """
    if outgoing.message.author_id != by.pk:
        raise NotYours
    ticket = lock_ticket(outgoing)
    stored = Outgoing.objects.filter(pk=outgoing.pk).first()  # as whoever had the ticket before us left it
    if ticket is None or stored is None:
        raise AlreadyUndone
    outgoing.before, outgoing.scheduled = stored.before, stored.scheduled
    if outgoing.scheduled and drafting.has_begun(by, ticket):
        raise AnotherBegun
    if not outgoing.stop():
        raise AlreadyUndone if stored.is_cancelled else TooLateToUndo
    draft = _as_draft(outgoing, ticket, by, now)
    if draft is None:
        _keep(outgoing, ticket, NotSent.TAKEN_BACK)
    logger.info("Outgoing %d: taken back by user %d", outgoing.pk, by.pk)
    return draft


@transaction.atomic
def contact_wrote_first(ticket: Ticket, *, now: datetime) -> int:
    """What was to leave later unless the contact writes is not sent, and its writer hears of it. Says how many there were.

    It is a draft of theirs again; where nobody would find that, or they write something else, it stays in the conversation.
    """
    waiting = Outgoing.objects.held().filter(message__ticket=ticket, scheduled=True, cancel_if_answered=True)
    count = 0
    for outgoing in waiting.select_related("message__author").order_by("pk"):
        if not outgoing.stop():
            continue
        author, anchor = outgoing.message.author, f"unsent-{outgoing.pk}"
        may_write = author is not None and _may_write(author, ticket)
        if author is None or not may_write or _as_draft(outgoing, ticket, author, now) is None:
            _keep(outgoing, ticket, NotSent.ANSWERED)
            anchor = f"m{outgoing.message_id}"
        else:
            ticket.record(EventKind.UNSENT, by=author, now=now)  # everybody saw it wait there
        told = author if may_write else ticket.owner
        if told is not None:
            notifying.notify(told, NotificationKind.SENDING, ticket, actor=None, anchor=anchor, now=now)
        logger.info("Outgoing %d: not sent, the contact wrote first", outgoing.pk)
        count += 1
    return count


@transaction.atomic
def stop_in_trash(outgoing: Outgoing, ticket: Ticket, *, now: datetime) -> None:
    """Nothing leaves a ticket in the trash, nor by itself once it is restored. Its writer hears of it then."""
    author = outgoing.message.author
    if not outgoing.stop():
        return
    outgoing.refresh_from_db()
    _keep(outgoing, ticket, NotSent.IN_TRASH)
    anchor = f"m{outgoing.message_id}"
    if author and not notifying.notify(author, NotificationKind.SENDING, ticket, actor=None, anchor=anchor, now=now):
        # Those of tickets that one does not see wait until one does.
        unseen = {"user": author, "ticket": ticket, "kind": NotificationKind.SENDING, "anchor": anchor}
        Notification.objects.get_or_create(**unseen, defaults={"at": now})
    logger.info("Outgoing %d: not sent, its ticket is in the trash", outgoing.pk)


@transaction.atomic
def stop_sending(outgoing: Outgoing, *, by: User, now: datetime) -> None:
    """What somebody else wrote to be sent later is not sent: it stays in the conversation, and its writer hears of it.

    Raises MayNotReply, AlreadyUndone when its writer was faster, and TooLateToUndo when it has left or is not to be sent
    later.
    """
    if not by.may_reply:
        raise MayNotReply
    ticket = lock_ticket(outgoing)
    if ticket is None or not Outgoing.objects.filter(pk=outgoing.pk).exists():
        raise AlreadyUndone
    outgoing.refresh_from_db()
    if not outgoing.scheduled or not outgoing.stop():
        raise AlreadyUndone if outgoing.is_cancelled else TooLateToUndo
    author = outgoing.message.author
    _keep(outgoing, ticket, NotSent.STOPPED)
    if author is not None and author != by:
        anchor = f"m{outgoing.message_id}"
        notifying.notify(author, NotificationKind.SENDING, ticket, actor=by, anchor=anchor, now=now)
    logger.info("Outgoing %d: stopped by user %d", outgoing.pk, by.pk)


@transaction.atomic
def stop_without_writer(outgoing: Outgoing, ticket: Ticket, *, now: datetime) -> None:
    """What was scheduled by somebody who is not active any more stays unsent, for the ticket's owner to look at."""
    if not outgoing.stop():
        return
    outgoing.refresh_from_db()
    _keep(outgoing, ticket, NotSent.WRITER_GONE)
    ticket.mark_undelivered(True)  # seen in the list, also where nobody owns it
    if ticket.owner is not None:
        anchor = f"m{outgoing.message_id}"
        notifying.notify(ticket.owner, NotificationKind.SENDING, ticket, actor=None, anchor=anchor, now=now)
    logger.info("Outgoing %d: not sent, its writer is not active any more", outgoing.pk)


@transaction.atomic
def write_anew(outgoing: Outgoing, *, by: User, now: datetime) -> Draft:
    """A draft of `by` with everything that stands in a mail that did not arrive, or was stopped, for whoever has not got it.
    One that waits for its next try is given up. The mail stays, marked as replaced once the draft is sent.

    Raises MayNotReply, CannotTryAgain and AnotherBegun; then nothing is changed.
    """
    if not by.may_reply:
        raise MayNotReply
    if outgoing.message.ticket is not None and outgoing.message.ticket.trashed_at is not None:
        raise TicketInTrash
    outgoing.refresh_from_db()
    if not (outgoing.is_failed or outgoing.is_cancelled or outgoing.give_up(now=now)):
        raise CannotTryAgain
    if outgoing.replaced_by_id is not None:
        raise AlreadyReplaced
    ticket = outgoing.message.ticket
    begun = Draft.objects.live(by, ticket, DraftMode.REPLY) if ticket else None
    if begun is not None and begun.replaces_id == outgoing.message_id:
        return begun  # pressed twice
    draft = drafting.from_message(outgoing.message, by=by, now=now)
    draft.replaces = outgoing.message
    draft.begun_after = draft.ticket.messages.order_by("-pk").values_list("pk", flat=True).first()
    _leave_out(draft, {normalised(address) for address in outgoing.reached})
    draft.save(update_fields=["replaces", "begun_after", "to", "cc", "bcc"])
    return draft


def _leave_out(draft: Draft, reached: set[str]) -> None:
    """They have it already. A mail needs somebody it goes to, so the first row that is left moves up."""
    rows = [draft.to or [], draft.cc or [], draft.bcc or []]
    left = [[one for one in row if normalised(one["address"]) not in reached] for row in rows]
    if reached and any(left):
        while not left[0]:
            left = [*left[1:], []]
        draft.to, draft.cc, draft.bcc = left


def lock_ticket(outgoing: Outgoing) -> Ticket | None:
    """Before any row of outgoing mail is changed: everybody in the same order. None when the mail is gone."""
    return Ticket.objects.select_for_update(of=("self",)).filter(messages=outgoing.message_id).first()


def _may_write(author: User, ticket: Ticket) -> bool:
    """Whether the author would find a draft there, and could send it."""
    return author.is_active and author.may_reply and Ticket.objects.visible_to(author).filter(pk=ticket.pk).exists()


def _as_draft(outgoing: Outgoing, ticket: Ticket, by: User, now: datetime) -> Draft | None:
    """What was stopped is a draft of `by`, and nothing else any more. None when they have begun another: nothing is done."""
    message = Message.objects.select_related("conversation__mailbox", "answers").get(pk=outgoing.message_id)
    message.ticket = ticket
    try:
        draft = drafting.from_message(message, by=by, now=now)
    except AnotherBegun:
        return None
    original = Outgoing.objects.filter(replaced_by=message).values_list("message", flat=True).first()
    if original is not None:
        draft.replaces_id = original
        draft.save(update_fields=["replaces"])
    before, later = outgoing.before, _next_answer(outgoing, ticket)
    _remove(message, outgoing)
    _put_back(before, ticket, later)
    return draft


def _keep(outgoing: Outgoing, ticket: Ticket, why: NotSent) -> None:
    """What was stopped stays in the conversation, and did nothing to its ticket."""
    before, later = outgoing.before, _next_answer(outgoing, ticket)
    outgoing.keep_unsent(why)
    Outgoing.objects.filter(replaced_by=outgoing.message_id).update(replaced_by=None)
    _put_back(before, ticket, later)


def _next_answer(outgoing: Outgoing, ticket: Ticket) -> Outgoing | None:
    """The mail of ours that was written next and goes to the contact, or went: that is whose turn it is by now."""
    later = Outgoing.objects.filter(message__ticket=ticket, pk__gt=outgoing.pk).exclude(state=OutgoingState.CANCELLED)
    later = later.exclude(message__kind=MessageKind.FORWARD).exclude(state=OutgoingState.HELD, scheduled=True)
    return later.order_by("pk").first()


def _put_back(before: dict[str, Any], ticket: Ticket, later: Outgoing | None) -> None:
    """The ticket as it was. Where an answer was written `later`, it is as that one alone would have left it: what its writer
    chose stays, and it does to the ticket as it was what an answer does by itself. What was before both is put back when
    that one is taken back too.
    """
    if "was" in before:
        was, became, events = before["was"], before["became"], before.get("events", [])
        chosen = later.before.get("chose", ()) if later else ()
        undone = put_back(ticket, was, became, events, messages=1, keeping=chosen)
        left = list(ticket.events.filter(pk__in=events).values_list("pk", flat=True))
        if later:
            left += _answered_by(later, ticket, undone)
        if later and "was" in later.before:
            later.before["was"] = hand_on(was, became, undone, later.before["was"])
            held = as_it_is(ticket)
            for field in (field for part in MOVED_BY_ANSWERS if part in undone for field in PARTS[part]):
                later.before["was"][field], later.before["became"][field] = was[field], held[field]
            later.before["events"] = [*left, *later.before.get("events", [])]
            later.save(update_fields=["before"])
        files = Attachment.objects.filter(message__ticket=ticket, inline=False)
        if ticket.has_attachments and not before["was"]["has_attachments"] and not files.exists():
            ticket.has_attachments = False
            ticket.save(update_fields=["has_attachments"])
    else:
        ticket.events.filter(pk__in=before.get("events", [])).delete()
    ticket.changed()


def _answered_by(later: Outgoing, ticket: Ticket, undone: set[str]) -> list[int]:
    """What the answer that stays does to what was `undone`. Says which events tell of it."""
    message, author = later.message, later.message.author
    if author is None:
        return []
    last = ticket.events.order_by("-pk").values_list("pk", flat=True).first() or 0
    if "owner" in undone:
        ticket.take_if_unowned(by=author, now=message.at)
    if "status" in undone:
        ticket.wait_for_contact(by=author, now=message.at)
    return list(ticket.events.filter(pk__gt=last).values_list("pk", flat=True))


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
        delete_after_commit(name)
