"""From which of our addresses somebody may write, and from which they do unless they choose another."""

from __future__ import annotations

from django.db.models import F, Q

from inbox.errors import MailboxCannotSend, MailboxIsOff, MayNotSendFrom, NoMailbox
from inbox.models import Conversation, Mailbox, ReplyAddress
from people.models import User
from tickets.models import Ticket


def senders_for(user: User) -> list[Mailbox]:
    """The mailboxes that can send and that the user's teams may use: all of them, unless an admin narrowed it (S-21)."""
    boxes = Mailbox.objects.filter(enabled=True).order_by("name", "address")
    if not user.is_admin:
        mine = Mailbox.senders.through.objects.filter(team__memberships__user=user).values("mailbox")
        boxes = boxes.filter(Q(senders=None) | Q(pk__in=mine))
    return [box for box in boxes if box.sends]


def usual_sender_of(user: User, able: list[Mailbox] | None = None) -> Mailbox | None:
    """The default reply address of the user's team, the main one first, as far as it can be used (S-21a)."""
    usual = ReplyAddress.objects.filter(team__memberships__user=user).order_by(
        F("team__memberships__is_main").desc(), "team__name"
    )
    able = senders_for(user) if able is None else able
    by_pk = {box.pk: box for box in able}
    return next((by_pk[pk] for pk in usual.values_list("mailbox", flat=True) if pk in by_pk), None)


def sender_for(
    ticket: Ticket, conversation: Conversation | None, *, by: User | None = None, chosen: Mailbox | None = None
) -> Mailbox:
    """The mailbox that a mail leaves from.

    A conversation keeps its address, also for people whose teams do not send from it otherwise: the customer knows that
    one. What begins with us leaves from the default of the writer's team, else from the mailbox that serves the ticket's
    pipeline. Raises a ReplyError.
    """
    own = conversation.mailbox if conversation else None
    if chosen is not None and (own is None or chosen.pk != own.pk):
        _insist_on_able(chosen)
        if by is not None and chosen not in senders_for(by):
            raise MayNotSendFrom(chosen)
        return chosen
    if own is not None:
        _insist_on_able(own)
        return own

    able = senders_for(by) if by else [box for box in Mailbox.objects.filter(enabled=True) if box.sends]
    if not able:
        raise NoMailbox
    usual = usual_sender_of(by, able) if by else None
    return usual or min(
        able, key=lambda box: (box.pipeline_id != ticket.pipeline_id, box.team_id != ticket.team_id, box.pk)
    )


def _insist_on_able(mailbox: Mailbox) -> None:
    if not mailbox.enabled:
        raise MailboxIsOff(mailbox)
    if not mailbox.sends:
        raise MailboxCannotSend(mailbox)
