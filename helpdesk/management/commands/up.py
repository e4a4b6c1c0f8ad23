"""So that `manage.py help` lists the command. The work is in `helpdesk.embedded.supervisor`."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from helpdesk.embedded import supervisor


class Command(BaseCommand):
    help = "Starts the whole help desk (servers, web, worker, scheduler) and keeps it running until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        supervisor.add_arguments(parser)

    def handle(self, **options: Any) -> None:
        sys.exit(supervisor.up(options["host"], options["port"], end_with_parent=options["end_with_parent"]))
