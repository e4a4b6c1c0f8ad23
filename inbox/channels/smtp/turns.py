"""How many mails are handed over at once. A server that hangs keeps a sender for up to ten minutes, and must not get all.

A turn is a lock of the database session that has it: it ends with that session, also when the worker is killed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from zlib import crc32

from django.db import DatabaseError, connection

from inbox.channels.smtp.connection import server_of
from inbox.models.mailbox import Mailbox

logger = logging.getLogger(__name__)

AT_ONE_SERVER = 3
AT_ONCE = 9
"""At all servers together. Workers have more slots than that, so that some are left for everything else."""


@contextmanager
def turn(mailbox: Mailbox) -> Iterator[bool]:
    """Whether there was one at the mailbox's server; nobody waits here.

    Whoever had one queues afterwards what found none, or the sweeper does.
    """
    server = server_of(mailbox)
    with ExitStack() as places:
        yield all(
            places.enter_context(_place(group, of=count))
            for group, count in ((f"{server.host}:{server.port}", AT_ONE_SERVER), ("all", AT_ONCE))
        )


@contextmanager
def _place(group: str, *, of: int) -> Iterator[bool]:
    key = crc32(f"sending at {group}".encode()) - 2**31  # PostgreSQL's integer has a sign
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place FROM generate_series(1, %s::int) AS place WHERE pg_try_advisory_lock(%s::int, place) LIMIT 1",
            [of, key],
        )
        found = cursor.fetchone()
    try:
        yield found is not None
    finally:
        if found:
            _leave(key, found[0])


def _leave(key: int, place: int) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s::int, %s::int)", [key, place])
    except DatabaseError as problem:  # the session is gone, and the place with it
        logger.warning("A turn to send could not be given back: %s", problem)
