"""For an MTA's pipe: a mail on standard input, or in files, is stored and processed.

    support: "|/srv/helpdesk/manage.py receive --mailbox support@example.com"

The exit status is what sysexits.h and every MTA mean by it: 0 accounted for, 75 try again later, 67 no such mailbox,
64 wrong usage. Once a mail is stored it is accounted for, also when it cannot be processed yet.
"""

from __future__ import annotations

import json
import logging
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import receiving
from inbox.models import Incoming, Mailbox, Message
from people.models.contact import normalised

logger = logging.getLogger(__name__)

USAGE, NO_MAILBOX, TRY_AGAIN = 64, 67, 75


class Command(BaseCommand):
    help = "Take in a mail from standard input or files, for a mailbox. One line of JSON for each with --json."
    requires_system_checks: list[str] = []  # each costs time, for every mail that comes

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)

        def refuse(message: str) -> NoReturn:
            if not parser.called_from_command_line:
                raise CommandError(message, returncode=USAGE)
            parser.print_usage(sys.stderr)
            parser.exit(USAGE, f"{message}\n")

        parser.error = refuse  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mailbox", metavar="ADDRESS", required=True, help="the team address that the mail is for")
        parser.add_argument("--json", action="store_true", help="accepted for clarity: the answer always is JSON")
        parser.add_argument("files", nargs="*", metavar="FILE", help="mails as files; “-” or none: standard input")

    def handle(self, *, mailbox: str, files: list[str], **options: Any) -> None:
        try:
            box = self._mailbox(mailbox)
            for raw in self._mails(files):
                self._take(box, raw)
        except (DatabaseError, InterfaceError) as problem:
            raise CommandError(
                _("The database is away, try again later: %(problem)s") % {"problem": str(problem).split("\n")[0]},
                returncode=TRY_AGAIN,
            ) from problem
        except OSError as problem:
            raise CommandError(
                _("The mail could not be stored, try again later: %(problem)s") % {"problem": problem},
                returncode=TRY_AGAIN,
            ) from problem

    def _mailbox(self, address: str) -> Mailbox:
        mailbox = Mailbox.objects.filter(address=normalised(address)).first()
        if mailbox is None:
            raise CommandError(
                _("There is no mailbox %(address)s. Connect it first, or correct the address.") % {"address": address},
                returncode=NO_MAILBOX,
            )
        return mailbox

    def _mails(self, files: list[str]) -> list[bytes]:
        """Everything is read before the first is stored, so that a missing file stores nothing."""
        mails = []
        for name in files or ["-"]:
            if name == "-":
                mails.append(sys.stdin.buffer.read())
                continue
            try:
                mails.append(Path(name).read_bytes())
            except OSError as problem:
                raise CommandError(
                    _("%(file)s cannot be read: %(problem)s.") % {"file": name, "problem": problem.strerror},
                    returncode=USAGE,
                ) from problem
        return mails

    def _take(self, mailbox: Mailbox, raw: bytes) -> None:
        stored = receiving.store(mailbox, raw, source="pipe", now=timezone.now())
        try:
            incoming = receiving.settle(stored.pk)
        except Exception:
            # It is stored, so the sender must not send it again; the sweeper goes on with it.
            logger.exception("Incoming %d is stored, but could not be processed yet", stored.pk)
            incoming = stored
        self.stdout.write(json.dumps(_account(incoming, was_known=stored.was_known)))


def _account(incoming: Incoming, *, was_known: bool) -> dict[str, Any]:
    first = incoming.duplicate_of or incoming
    try:
        message = Message.objects.filter(incoming=first).first()
    except (DatabaseError, InterfaceError):
        message = None
    return {
        "incoming": incoming.pk,
        "state": incoming.state,
        "outcome": "duplicate" if was_known and incoming.is_settled else incoming.outcome,
        "ticket": message.ticket_id if message else None,
        "message": message.pk if message else None,
    }
