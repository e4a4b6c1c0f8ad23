from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from inbox.demo.telling import tell
from inbox.mail_room import MailRoomClosed, insist_on_open
from people.models import User


class Command(BaseCommand):
    help = "Put an example organisation with people, mailboxes and tickets into an empty desk, to try it out."

    def handle(self, *args: Any, **options: Any) -> None:
        # Its password is known to everyone, and its answers must not reach anybody.
        try:
            insist_on_open()
        except MailRoomClosed as closed:
            if settings.HELPDESK_PRODUCTION:
                raise CommandError(str(closed)) from closed
            self.stdout.write("The mail room is off, so no demo data was put in. Make a user: manage.py create_user")
            return
        if User.objects.exists():
            self.stdout.write("There are users already, so no demo data was put in.")
            return
        # Not among the logins, which whoever started this keeps.
        self.stderr.write("Putting in demo data …", style_func=str)
        logging.getLogger("inbox").setLevel(logging.WARNING)  # a newcomer need not read of every mail
        told = tell(now=timezone.now())
        width = max(len(user.email) for user in told.users)
        self.stdout.write("FOR TRIAL ONLY: everybody who reads this can sign in. Remove these users before real work.")
        self.stdout.write(f"  All of them have the password: {told.password}")
        for user in told.users:
            self.stdout.write(f"  {user.email:<{width}}  {user.get_role_display()}, {user.name}")
        addresses = " and ".join(mailbox.address for mailbox in told.mailboxes)
        self.stdout.write(f"  {told.tickets} tickets. Mail for {addresses} becomes one more.")
