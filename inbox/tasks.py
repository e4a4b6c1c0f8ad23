"""What the workers do. Each task takes ids, calls one verb, and can run twice."""

from __future__ import annotations

from celery import shared_task


@shared_task
def deliver(outgoing_id: int) -> None:
    """Try once. What becomes of a failure stands on the row, and the sweeper comes back for it."""
    from inbox.models import Outgoing  # models queue tasks, so tasks import models late

    outgoing = Outgoing.objects.filter(pk=outgoing_id).first()
    if outgoing is not None:
        outgoing.send_now()
