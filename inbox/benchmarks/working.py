"""What a process does that works on stored mails. It is started afresh, so models are imported once Django is set up."""

from __future__ import annotations

import logging
import time

import django


def begin() -> None:
    django.setup()
    logging.getLogger("inbox").setLevel(logging.ERROR)


def warm_up(place: int) -> None:
    """A worker in its daily life has a reader and a connection already."""
    from inbox import reading
    from tickets.models import Ticket

    reading.read(b"Subject: warm up\r\n\r\nwarm up")
    Ticket.objects.exists()
    time.sleep(0.5)  # so that every process gets one


def work(incoming_id: int) -> str:
    from inbox import receiving

    done = receiving.process(incoming_id)
    return done.outcome or str(done.state)
