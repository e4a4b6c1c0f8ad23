from __future__ import annotations

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from people.models import AuditEntry, Membership, Role, Team, TicketAccess, User
from people.models.contact import normalised


class Command(BaseCommand):
    help = "Makes somebody who can sign in. Asks for the password, or reads it from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--team", action="append", default=[], metavar="NAME", help="Made if there is none.")
        parser.add_argument("--ticket-access", choices=TicketAccess.values, default=TicketAccess.ALL)
        parser.add_argument(
            "--password-stdin", action="store_true", help="Read the password from the first line of standard input."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User(
            email=normalised(options["email"]),
            name=options["name"].strip(),
            role=options["role"],
            ticket_access=options["ticket_access"],
        )
        try:
            # Before the password is asked for, so that nobody thinks one up for a user that cannot be.
            user.full_clean(exclude=["password"])
            password = self._password_from_stdin() if options["password_stdin"] else self._ask()
            validate_password(password, user)
        except ValidationError as problem:
            raise CommandError(_sentences(problem)) from None
        user.set_password(password)
        try:
            with transaction.atomic():
                user.save()
                for position, name in enumerate(options["team"]):
                    team, _made = Team.objects.get_or_create(name=name.strip())
                    Membership.objects.get_or_create(user=user, team=team, defaults={"is_main": position == 0})
                AuditEntry.objects.create(
                    by=None, what=f"User {user.email} made by create_user", changes={"role": [None, user.role]}
                )
        except IntegrityError:
            raise CommandError(f"There is already a user with the email {user.email}.") from None
        self.stdout.write(f"{user.email} can sign in as {user.get_role_display().lower()}.")

    def _password_from_stdin(self) -> str:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CommandError("--password-stdin was given, but standard input held no password.")
        return password

    def _ask(self) -> str:
        if not sys.stdin.isatty():
            raise CommandError("There is no terminal to ask for the password. Give it with --password-stdin.")
        try:
            password = getpass.getpass("Password: ")
            again = getpass.getpass("Password again: ")
        except (KeyboardInterrupt, EOFError):
            raise CommandError("No user was made.") from None
        if password != again:
            raise CommandError("The two passwords differ. No user was made.")
        return password


def _sentences(problem: ValidationError) -> str:
    """What is wrong, field by field: "email: Enter a valid email address."."""
    if not hasattr(problem, "error_dict"):
        return " ".join(problem.messages)
    return "\n".join(
        f"{field}: {sentence}" for field, sentences in problem.message_dict.items() for sentence in sentences
    )
