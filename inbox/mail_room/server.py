"""The mail room's SMTP server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import DatabaseError, connections

from inbox.mail_room import NoSuchRecipient, check_recipient, deliver

logger = logging.getLogger(__name__)

T = TypeVar("T")

HOST = "127.0.0.1"
MOST_CONNECTIONS = 200
MOST_RECIPIENTS = 100
# Seconds without a word from the other side.
PATIENCE = 60
AWAY = "451 4.3.0 The help desk cannot store mail right now, try again later"


class Handler:
    """Answers by what is in the database, asked in a few threads so that a slow disk holds up nobody's greeting."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients, send to the others in another mail"
        try:
            await self._ask(lambda: check_recipient(address, sender=envelope.mail_from or ""))
        except NoSuchRecipient as reason:
            return f"550 5.1.1 {reason}"
        except (DatabaseError, OSError) as problem:
            return _away(problem)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        sender, recipients = envelope.mail_from or "", list(envelope.rcpt_tos)
        try:
            delivered = await self._ask(lambda: deliver(raw, sender=sender, recipients=recipients))
        except (DatabaseError, OSError) as problem:
            return _away(problem)
        return f"250 2.0.0 Stored as {delivered.kept.pk}"

    async def handle_exception(self, error: Exception) -> str:
        logger.error("Mail room: a mail could not be taken", exc_info=error)
        return AWAY

    async def _ask(self, question: Callable[[], T]) -> T:
        def asked() -> T:
            try:
                return question()
            finally:
                connections.close_all()

        return await asyncio.get_running_loop().run_in_executor(self._threads, asked)


class Server(SMTP):
    # Mail programs do write lines longer than the RFC's 998 bytes, and mail servers do deliver them.
    line_length_limit = 1024 * 1024
    open_connections: set[Server] = set()

    def connection_made(self, transport: Any) -> None:
        if len(self.open_connections) >= MOST_CONNECTIONS:
            transport.write(b"421 4.7.0 Too many connections, try again later\r\n")
            transport.close()
            return
        self.open_connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self.open_connections:
            self.open_connections.discard(self)
            super().connection_lost(error)


async def serve(port: int, *, ready: Callable[[int], None]) -> None:
    """Take mail on this machine's own address until cancelled. Port 0 takes a free one; `ready` hears which.

    Raises OSError when the port is taken.
    """
    loop = asyncio.get_running_loop()
    largest = (settings.HELPDESK_MAX_MAIL_MB + 10) * 1024 * 1024
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="mail-room") as threads:
        handler = Handler(threads)

        def connection() -> Server:
            return Server(
                handler,
                hostname="mail-room.localhost",
                ident="Help desk mail room",
                data_size_limit=largest,
                enable_SMTPUTF8=True,
                timeout=PATIENCE,
                loop=loop,
            )

        server = await loop.create_server(connection, HOST, port)
        ready(server.sockets[0].getsockname()[1])
        with contextlib.suppress(asyncio.CancelledError):
            await server.serve_forever()


def _away(problem: Exception) -> str:
    logger.error("Mail room: %s: %s", type(problem).__name__, str(problem).split("\n")[0])
    return AWAY
