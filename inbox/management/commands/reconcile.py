"""Is every mail on the server here? What is missing is noted and fetched by the next poll."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from inbox.channels.imap import connection, fetching
from inbox.models import Mailbox
from people.models.contact import normalised


class Command(BaseCommand):
    help = (
        "Compare the mails on the server since the point of import with those stored here. Exit 1 when one is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mailbox", metavar="ADDRESS", help="only this one; otherwise all that are fetched")
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object instead of words")

    def handle(self, *, mailbox: str | None, as_json: bool, **options: Any) -> None:
        on_server = stored = missing = 0
        for box in self._mailboxes(mailbox):
            try:
                found = fetching.reconcile(box)
            except connection.PROBLEMS as problem:
                raise CommandError(f"{box}: {connection.explain(problem, box).message}") from problem
            on_server += found.on_server
            stored += found.stored
            missing += len(found.missing)
            if found.missing and not as_json:
                uids = ", ".join(map(str, found.missing[:50]))
                self.stdout.write(_("%(mailbox)s: missing UIDs %(uids)s") % {"mailbox": box, "uids": uids})
        self._print({"on_server": on_server, "stored": stored, "missing": missing}, as_json=as_json)
        if missing:
            sys.exit(1)

    def _mailboxes(self, address: str | None) -> list[Mailbox]:
        if address is None:
            return list(Mailbox.objects.polled())
        mailbox = Mailbox.objects.filter(address=normalised(address)).exclude(imap_host="").first()
        if mailbox is None:
            raise CommandError(
                _("There is no mailbox %(address)s that is fetched.") % {"address": address}, returncode=67
            )
        return [mailbox]

    def _print(self, counts: dict[str, int], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(counts))
        else:
            self.stdout.write(", ".join(f"{number} {name}" for name, number in counts.items()))
