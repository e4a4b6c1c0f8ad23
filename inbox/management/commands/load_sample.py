from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from inbox.benchmarks.sample import load


class Command(BaseCommand):
    help = (
        "Write tickets in bulk beside what is there, for trials and benchmarks. There is no way to take them out again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tickets", type=int, required=True)
        parser.add_argument("--messages-per-ticket", type=int, required=True, help="On average.")
        parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same words.")

    def handle(self, *args: Any, tickets: int, messages_per_ticket: int, seed: int, **options: Any) -> None:
        if tickets < 1 or messages_per_ticket < 1:
            raise CommandError("Both --tickets and --messages-per-ticket must be at least 1.")
        begun = time.monotonic()
        made = load(tickets=tickets, messages_per_ticket=messages_per_ticket, seed=seed, now=timezone.now())
        self.stdout.write(
            f"{made.tickets} tickets with {made.messages} messages, {made.contacts} contacts and "
            f"{made.companies} companies in {time.monotonic() - begun:.1f} s."
        )
