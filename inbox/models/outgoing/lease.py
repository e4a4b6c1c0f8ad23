"""A sender's claim on a mail: for half a minute, kept up while it works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection
from django.utils import timezone

from inbox.models.outgoing.states import OutgoingState

if TYPE_CHECKING:
    from inbox.models.outgoing.mail import Outgoing

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEWED_EVERY = 10.0


@contextmanager
def renewed(outgoing: Outgoing) -> Iterator[None]:
    """Keep the claim while a slow server makes us wait, up to ten minutes for its last answer."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(RENEWED_EVERY):
            try:
                mine = type(outgoing).objects.filter(
                    pk=outgoing.pk, state=OutgoingState.SENDING, lease_token=outgoing.lease_token
                )
                mine.update(lease_until=timezone.now() + LEASE)
            except DatabaseError as problem:
                logger.warning("Outgoing %d: its claim could not be renewed: %s", outgoing.pk, problem)
            finally:
                connection.close()

    renewer = threading.Thread(target=renew, name=f"lease of outgoing {outgoing.pk}", daemon=True)
    renewer.start()
    try:
        yield
    finally:
        done.set()
        renewer.join()
