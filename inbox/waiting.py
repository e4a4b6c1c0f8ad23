"""What /health/, every page and the list tell of mail: how long it waits, and which mailboxes do not work."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from inbox.models import Incoming, IncomingState, Mailbox, Outgoing, OutgoingState


def oldest_incoming_seconds() -> int:
    """Seconds since the oldest mail was stored that is not settled yet; 0 when none waits."""
    waiting = Incoming.objects.filter(state__in=[IncomingState.STORED, IncomingState.PROCESSING])
    oldest = waiting.aggregate(oldest=models.Min("stored_at"))["oldest"]
    return max(0, round((timezone.now() - oldest).total_seconds())) if oldest else 0


def oldest_outgoing_seconds() -> int:
    """Seconds since the oldest mail that may go now was to go; 0 when none waits."""
    now = timezone.now()
    states = [OutgoingState.HELD, OutgoingState.QUEUED, OutgoingState.SENDING]
    waiting = Outgoing.objects.filter(state__in=states, due_at__lte=now)
    oldest = waiting.aggregate(oldest=models.Min("due_at"))["oldest"]
    return max(0, round((now - oldest).total_seconds())) if oldest else 0


def mailboxes_in_error() -> int:
    return Mailbox.objects.in_error().count()


def a_mailbox_is_in_error() -> bool:
    return Mailbox.objects.in_error().exists()


def tickets_with_scheduled() -> models.QuerySet[Outgoing, int]:
    """The numbers of the tickets from which a mail leaves at a time that its writer chose."""
    scheduled = Outgoing.objects.held().filter(scheduled=True, message__ticket__isnull=False)
    return scheduled.order_by().values_list("message__ticket", flat=True)
