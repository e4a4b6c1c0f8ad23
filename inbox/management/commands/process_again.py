"""Try mails in quarantine anew, now and in the foreground."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from inbox import receiving
from inbox.models import Incoming, IncomingState


class Command(BaseCommand):
    help = "Process mails in quarantine again: those named by id, or all of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("incoming", nargs="*", type=int, metavar="ID")
        parser.add_argument("--all", action="store_true", dest="everything", help="all that are in quarantine")

    def handle(self, *, incoming: list[int], everything: bool, **options: Any) -> None:
        if bool(incoming) == everything:
            raise CommandError(_("Name mails by their id, or say --all."))
        rows = Incoming.objects.filter(state=IncomingState.QUARANTINED).order_by("pk")
        found = list(rows if everything else rows.filter(pk__in=incoming))
        absent = set(incoming) - {row.pk for row in found}
        if absent:
            ids = ", ".join(map(str, sorted(absent)))
            raise CommandError(_("Not in quarantine: %(ids)s.") % {"ids": ids})
        for row in found:
            done = receiving.process_again(row)
            self.stdout.write(f"{done.pk}: {done.state} {done.outcome or done.error}")
