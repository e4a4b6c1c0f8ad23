"""Fetch and process now, in the foreground."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from inbox import receiving
from inbox.models import Incoming, IncomingState, Mailbox
from people.models.contact import normalised

# A worker of the running desk may be at the same mailbox.
LONGEST_WAIT = 90.0
COUNTED = ("opened", "appended", "refused", "duplicate", "quarantined")


class Command(BaseCommand):
    help = "Fetch new mail from one mailbox or all, and process it before returning."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mailbox", metavar="ADDRESS", help="only this one; otherwise all that are switched on")
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object instead of words")

    def handle(self, *, mailbox: str | None, as_json: bool, **options: Any) -> None:
        counts: Counter[str] = Counter()
        errors = []
        for box in self._mailboxes(mailbox):
            box.fetch_error = ""
            ends = time.monotonic() + LONGEST_WAIT
            fetched = box.fetch()
            counts.update(self._process(fetched.rows))
            while fetched.unfinished or (fetched.busy and time.monotonic() < ends):
                if fetched.busy:
                    time.sleep(0.3)
                fetched = box.fetch()
                counts.update(self._process(fetched.rows))
            if fetched.busy:
                errors.append(_("%(mailbox)s is being fetched by another process.") % {"mailbox": box})
            elif box.fetch_error:
                errors.append(f"{box}: {box.fetch_error}")
        self._print(counts, as_json=as_json)
        if errors:
            raise CommandError("\n".join(errors))

    def _mailboxes(self, address: str | None) -> list[Mailbox]:
        if address is None:
            return list(Mailbox.objects.polled())
        mailbox = Mailbox.objects.filter(address=normalised(address)).first()
        if mailbox is None:
            raise CommandError(_("There is no mailbox %(address)s.") % {"address": address}, returncode=67)
        if not mailbox.fetches:
            raise CommandError(
                _("%(address)s is not fetched: it has no IMAP server. Its mail comes by “receive”.")
                % {"address": mailbox.address}
            )
        return [mailbox]

    def _process(self, rows: list[Incoming]) -> Counter[str]:
        counts: Counter[str] = Counter(fetched=len(rows))
        for row in rows:
            done = receiving.settle(row.pk)
            if done.state == IncomingState.QUARANTINED:
                counts["quarantined"] += 1
            elif done.state == IncomingState.DONE:
                counts[done.outcome.partition(":")[0]] += 1
            else:
                counts["waiting"] += 1
        return counts

    def _print(self, counts: Counter[str], *, as_json: bool) -> None:
        shown = {name: counts[name] for name in ("fetched", *COUNTED)}
        if counts["waiting"]:
            shown["waiting"] = counts["waiting"]  # a fault that passes: the worker goes on with them
        if as_json:
            self.stdout.write(json.dumps(shown))
        else:
            self.stdout.write(", ".join(f"{number} {name}" for name, number in shown.items()))
