"""Which mail may leave, and when: questions asked of all that is to be sent."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import RowNumber

from inbox.channels.smtp.turns import AT_ONE_SERVER
from inbox.models.incoming import Incoming, IncomingState
from inbox.models.mailbox import Mailbox
from inbox.models.outgoing.states import PENDING, READY, WAITING, OutgoingState, RecipientState
from people.models.user import MOST_UNDO_SECONDS

if TYPE_CHECKING:
    from inbox.models.outgoing.mail import Outgoing

logger = logging.getLogger(__name__)

SWEPT_AT_ONCE = 200
HELD_AT_MOST = timedelta(seconds=2 * MOST_UNDO_SECONDS)
"""What its writer may take back and is due later than that, was due by a clock that has been set back since. Two windows
long, so that a worker whose clock is behind that of the pages leaves everybody their window.
"""
FETCHED_SOON = 300
"""Seconds. A mailbox that is fetched at least so often is waited for, to see whether the contact wrote first."""


class OutgoingQuerySet(models.QuerySet["Outgoing"]):
    def due(self, now: datetime) -> OutgoingQuerySet:
        """What may leave: also what was held, once its time has come and it is known that the contact was not faster."""
        set_back = models.Q(state=OutgoingState.HELD, scheduled=False, due_at__gt=now + HELD_AT_MOST)
        come = models.Q(due_at__lte=now) | set_back
        return self.filter(come, state__in=READY).exclude(_unless_answered() & _may_be_answered())

    def waiting(self) -> OutgoingQuerySet:
        """Nobody sends it right now, and it will be sent as soon as it can be."""
        return self.filter(state__in=WAITING)

    def held(self) -> OutgoingQuerySet:
        """Its writer may still take it back."""
        return self.filter(state=OutgoingState.HELD)

    def pending(self) -> OutgoingQuerySet:
        """Whether it leaves is not settled yet."""
        return self.filter(state__in=PENDING)

    def abandoned(self, now: datetime) -> OutgoingQuerySet:
        """Claimed by a sender that died: whether the server has the mail depends on `handed_over`."""
        return self.filter(state=OutgoingState.SENDING, lease_until__lt=now)

    def next_of_their_ticket(self) -> OutgoingQuerySet:
        """Those that wait for no other: one sender at a time works on a ticket, in the order in which it was written.

        A mail that reached somebody and is tried again for the others holds up nobody, nor does one that is to leave
        tomorrow. One that its writer may still take back does, for the few seconds that this lasts.
        """
        from inbox.models.outgoing import mail  # whose questions these are

        accepted = mail.OutgoingRecipient.objects.filter(outgoing=models.OuterRef("pk"), state=RecipientState.ACCEPTED)
        written_before = models.Q(pk__lt=models.OuterRef("pk")) & (
            models.Q(state=OutgoingState.QUEUED)
            | models.Q(state=OutgoingState.HELD, scheduled=False)
            | (models.Q(state=OutgoingState.DEFERRED) & ~models.Exists(accepted))
        )
        same_ticket = mail.Outgoing.objects.filter(message__ticket=models.OuterRef("message__ticket"))
        others = same_ticket.exclude(pk=models.OuterRef("pk"))
        return self.exclude(models.Exists(others.filter(models.Q(state=OutgoingState.SENDING) | written_before)))

    def waiting_for(self, sent: Outgoing, now: datetime) -> set[int]:
        """The ids of what may leave now that `sent` is settled, and needs not wait for the sweeper: the next of its
        ticket, and as many as its server takes at a time.
        """
        ready = self.due(now).next_of_their_ticket()
        at_server = ready.filter(mailbox__in=Mailbox.objects.at_server_of(sent.mailbox)).order_by("due_at", "pk")
        return {
            *ready.filter(message__ticket=sent.message.ticket_id).values_list("pk", flat=True),
            *at_server.values_list("pk", flat=True)[:AT_ONE_SERVER],
        }

    def sweep(self, now: datetime) -> int:
        """Settle what a dead sender left, and queue what is due, in case the queue lost it. Says how many it queued."""
        abandoned = self.abandoned(now)
        unknown = sum(lost.call_unknown(now=now) for lost in abandoned.filter(handed_over=True))
        given_back = abandoned.filter(handed_over=False).update(
            state=OutgoingState.DEFERRED, lease_token=None, lease_until=None, due_at=now
        )
        if unknown or given_back:
            logger.warning("Outgoing mail of lost senders: %d unknown, %d tried again", unknown, given_back)
        # The first of each mailbox, then the second: none is crowded out by one whose server hangs.
        oldest_first = ["due_at", "pk"]
        nth = models.Window(RowNumber(), partition_by="mailbox", order_by=oldest_first)
        ready = self.due(now).next_of_their_ticket().annotate(nth=nth).order_by("nth", *oldest_first)
        due = list(ready.values_list("pk", flat=True)[:SWEPT_AT_ONCE])
        for pk in due:
            queue(pk)
        return len(due)


def _unless_answered() -> models.Q:
    """Those that do not leave when the contact writes first."""
    return models.Q(state=OutgoingState.HELD, scheduled=True, cancel_if_answered=True)


def _may_be_answered() -> models.Q:
    """Mail came to a mailbox of its ticket that nobody has read yet, or may lie on the server since it was due.

    After hours in which nothing ran, both come before what was to leave meanwhile. It holds for minutes at most: a mail
    that cannot be read ends in quarantine, and a mailbox that cannot be fetched is not waited for.
    """
    here = models.Q(conversations__ticket=models.OuterRef("message__ticket")) | models.Q(pk=models.OuterRef("mailbox"))
    boxes = Mailbox.objects.filter(here)
    unread = Incoming.objects.filter(
        state__in=[IncomingState.STORED, IncomingState.PROCESSING], mailbox=models.OuterRef("pk")
    )
    unfetched = Mailbox.objects.polled().filter(fetch_error="", poll_seconds__lte=FETCHED_SOON)
    not_since = models.Q(last_poll_at=None) | models.Q(last_poll_at__lt=models.OuterRef(models.OuterRef("due_at")))
    return models.Q(models.Exists(boxes.filter(models.Exists(unread)))) | models.Q(
        models.Exists(boxes.filter(pk__in=unfetched.filter(not_since).values("pk")))
    )


def queue(pk: int) -> None:
    from inbox.tasks import deliver

    deliver.delay_on_commit(pk)
