from __future__ import annotations

import asyncio
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inbox.mail_room import MailRoomClosed, insist_on_open
from inbox.mail_room.server import HOST, serve


class Command(BaseCommand):
    help = "Take mail on this machine for the team addresses, and catch what the help desk sends. For trying out only."
    # They would load every page of the desk, and the web process makes them anyway.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=None, help="Instead of MAIL_ROOM_PORT; 0 takes a free one.")

    def handle(self, *args: Any, port: int | None, **options: Any) -> None:
        try:
            insist_on_open()
        except MailRoomClosed as closed:
            raise CommandError(str(closed)) from closed
        port = settings.MAIL_ROOM_PORT if port is None else port
        try:
            asyncio.run(self._until_told(port))
        except OSError as problem:
            raise CommandError(
                f"The mail room cannot listen on {HOST}:{port}: {problem.strerror}. "
                "Set MAIL_ROOM_PORT to a port that is free."
            ) from problem

    async def _until_told(self, port: int) -> None:
        serving = asyncio.ensure_future(serve(port, ready=self._say))
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, serving.cancel)
        await serving

    def _say(self, port: int) -> None:
        self.stdout.write(f"The mail room takes mail on {HOST}:{port}.")
        self.stdout.flush()
