"""What the workers do. Each task takes ids, calls one verb, and can run twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import close_old_connections
from django.utils import timezone

from helpdesk.celery import task

if TYPE_CHECKING:
    from inbox.models import Incoming

logger = logging.getLogger(__name__)

SWEPT_AT_ONCE = 500


@task
def poll_due_mailboxes() -> None:
    """Queue a fetch of each mailbox whose time has come."""
    from inbox.models import Mailbox

    for pk, seconds in Mailbox.objects.take_due(timezone.now()):
        poll_mailbox.apply_async((pk,), expires=seconds)


@task
def poll_mailbox(mailbox_id: int) -> None:
    """Fetch what is new; one worker per mailbox at a time. How it went stands on the mailbox."""
    from inbox.models import Mailbox

    mailbox = Mailbox.objects.polled().filter(pk=mailbox_id).first()
    if mailbox is not None:
        mailbox.fetch(stored=_queue_processing)


@task
def process_incoming(incoming_id: int) -> None:
    """Try once. What becomes of a failure stands on the row, and the sweeper comes back for it."""
    from inbox import receiving

    receiving.process(incoming_id)


@task
def sweep() -> None:
    """Find again whatever the queue has lost or a dead worker has left, and files that nothing names."""
    from inbox import leftovers, notices
    from inbox.models import Outgoing

    for part in (_queue_waiting, Outgoing.objects.sweep, notices.queue_due, leftovers.collect_now_and_then):
        _apart(part)


def _queue_processing(rows: list[Incoming]) -> None:
    for row in rows:
        process_incoming.delay_on_commit(row.pk)


def _queue_waiting(now: datetime) -> None:
    from inbox.models import Incoming

    # What was stored a moment ago has its task on the queue as a rule.
    for pk in Incoming.objects.overlooked(now).order_by("pk").values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        process_incoming.delay(pk)


def _apart(part: Callable[[datetime], object]) -> None:
    """One part of the sweep that fails must not keep the others from their work."""
    try:
        part(timezone.now())
    except Exception:
        logger.exception("A part of the sweep failed, the next sweep tries again")
        close_old_connections()


@task
def deliver(outgoing_id: int) -> None:
    """Try once. What becomes of a failure stands on the row, and the sweeper comes back for it."""
    from inbox.models import Outgoing  # models queue tasks, so tasks import models late

    outgoing = Outgoing.objects.filter(pk=outgoing_id).first()
    if outgoing is not None:
        outgoing.send_now()


@task
def mail_notification(notification_id: int) -> None:
    """Try once. What the server does not take has a new due time, and the sweeper comes back for it."""
    from inbox import notices

    notices.mail(notification_id)
