"""Connect a team address, or connect it anew: both servers are tried first, and nothing is saved when one refuses."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime, time
from getpass import getpass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from inbox.channels.imap import checking as imap_checking
from inbox.channels.smtp import checking as smtp_checking
from inbox.channels.steps import Step, all_well
from inbox.models import Mailbox, Security
from people.models import AuditEntry, Team, User
from people.models.contact import normalised
from tickets.models import Pipeline, Status

M = TypeVar("M", bound=models.Model)

IMAP_PORTS = {Security.NONE: 143, Security.STARTTLS: 143, Security.SSL: 993}
SMTP_PORTS = {Security.NONE: 25, Security.STARTTLS: 587, Security.SSL: 465}


class Command(BaseCommand):
    help = "Connects a team address: tries its IMAP and SMTP servers and saves it. A refusal saves nothing and exits 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        security = list(Security.values)
        parser.add_argument("address", metavar="ADDRESS", help="the team address, like support@example.com")
        imap = parser.add_argument_group("fetching")
        imap.add_argument("--no-imap", action="store_true", help="mail comes by a pipe (manage.py receive) instead")
        imap.add_argument("--imap-host", default="")
        imap.add_argument("--imap-port", type=int, help="default: 993 for ssl, else 143")
        imap.add_argument("--imap-security", choices=security, default=Security.SSL)
        imap.add_argument("--imap-user", default="", help="default: the address")
        imap.add_argument("--folder", default="INBOX")
        imap.add_argument("--poll-seconds", type=int)
        imap.add_argument(
            "--import-since",
            default="now",
            metavar="now|all|DATE",
            help="which mail that is already there to take in; now (the default) leaves it alone, "
            "DATE is like 2026-01-31",
        )
        smtp = parser.add_argument_group("sending")
        smtp.add_argument("--smtp-host", required=True)
        smtp.add_argument("--smtp-port", type=int, help="default: 465 for ssl, 587 for starttls, else 25")
        smtp.add_argument("--smtp-security", choices=security, default=Security.STARTTLS)
        smtp.add_argument("--smtp-user", default="", help="default: sending needs no login")
        parser.add_argument(
            "--secret-stdin",
            action="store_true",
            help="read the password, one for both servers, from the first line of standard input; else it is asked for",
        )
        parser.add_argument("--ca-file", help="PEM file of a private authority that signed the servers' certificates")
        parser.add_argument("--name", help="shown to customers as the sender; default: the part before the @")
        parser.add_argument("--signature")
        parser.add_argument("--pipeline", help="name of the pipeline for new tickets")
        parser.add_argument("--status", help="name of the status of new tickets, one of that pipeline")
        parser.add_argument("--team", help="name of the team that gets new tickets")
        parser.add_argument("--owner", metavar="EMAIL", help="who gets new tickets")
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        address = normalised(options["address"])
        mailbox = Mailbox.objects.filter(address=address).first() or Mailbox(address=address, name="")
        self._take(mailbox, options)
        try:
            mailbox.full_clean()
        except ValidationError as problem:
            reasons = "\n".join(f"  {name}: {' '.join(found)}" for name, found in problem.message_dict.items())
            raise CommandError(
                _("%(address)s cannot be connected like this:") % {"address": address} + f"\n{reasons}"
            ) from None

        imap, smtp = imap_checking.check(mailbox), smtp_checking.check(mailbox)
        works = all(all_well(steps) for steps in (imap, smtp) if steps)
        if works:
            self._save(mailbox)
        self._print(mailbox, imap, smtp, works, as_json=options["json"])
        if not works:
            refused = [f"{kind}: {step.message}{_said(step)}" for kind, step in _failed(mailbox, imap, smtp)]
            raise CommandError("\n".join([*refused, _("Nothing was saved.")]))

    def _take(self, mailbox: Mailbox, options: dict[str, Any]) -> None:
        if bool(options["imap_host"]) == options["no_imap"]:
            raise CommandError(_("Give either --imap-host, or --no-imap when mail comes by a pipe."))
        mailbox.name = options["name"] or mailbox.name or mailbox.address.partition("@")[0]
        mailbox.imap_host, mailbox.smtp_host = options["imap_host"], options["smtp_host"]
        mailbox.imap_security, mailbox.smtp_security = options["imap_security"], options["smtp_security"]
        mailbox.imap_port = options["imap_port"] or IMAP_PORTS[Security(options["imap_security"])]
        mailbox.smtp_port = options["smtp_port"] or SMTP_PORTS[Security(options["smtp_security"])]
        mailbox.imap_user = (options["imap_user"] or mailbox.address) if options["imap_host"] else ""
        mailbox.smtp_user = options["smtp_user"]
        mailbox.imap_folder = options["folder"]
        mailbox.uses_mail_room = False
        mailbox.enabled = True
        if options["poll_seconds"]:
            mailbox.poll_seconds = options["poll_seconds"]
        if options["signature"] is not None:
            mailbox.signature = options["signature"]
        if options["ca_file"]:
            mailbox.ca_certificate = _text_of(options["ca_file"])
        mailbox.import_all, mailbox.import_since = _import_point(options["import_since"])
        self._take_defaults(mailbox, options)
        secret = _secret(options) if mailbox.imap_user or mailbox.smtp_user else ""
        mailbox.imap_password = secret if mailbox.imap_user else ""
        mailbox.smtp_password = secret if mailbox.smtp_user else ""

    def _take_defaults(self, mailbox: Mailbox, options: dict[str, Any]) -> None:
        if options["pipeline"]:
            mailbox.pipeline = _named(Pipeline.objects.all(), name=options["pipeline"])
            mailbox.status = None
        if options["status"]:
            statuses = Status.objects.filter(pipeline=mailbox.pipeline or Pipeline.first())
            mailbox.status = _named(statuses, name=options["status"])
        if options["team"]:
            mailbox.team = _named(Team.objects.all(), name=options["team"])
        if options["owner"]:
            mailbox.owner = _named(User.objects.all(), email=normalised(options["owner"]))

    def _save(self, mailbox: Mailbox) -> None:
        made = mailbox._state.adding
        with transaction.atomic():
            mailbox.save()
            if not made:
                mailbox.connection_changed(now=timezone.now())
            what = f"Mailbox {mailbox.address} {'connected' if made else 'changed'} by a command"
            AuditEntry.objects.create(
                by=None,
                what=what[:200],
                changes={"imap_host": mailbox.imap_host, "smtp_host": mailbox.smtp_host, "passwords": "changed"},
            )
        mailbox.begin_fetching()

    def _print(self, mailbox: Mailbox, imap: list[Step], smtp: list[Step], works: bool, *, as_json: bool) -> None:
        if as_json:
            result = {
                "address": mailbox.address,
                "mailbox": mailbox.pk if works else None,
                "saved": works,
                "imap": [_as_dict(step) for step in imap],
                "smtp": [_as_dict(step) for step in smtp],
            }
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        for kind, steps in (("IMAP", imap), ("SMTP", smtp)):
            for step in steps:
                self.stdout.write(f"{kind} {'ok    ' if step.ok else 'FAILED'} {step.message}{_said(step)}")
        if works:
            self.stdout.write(_("%(address)s is connected.") % {"address": mailbox.address})


def _failed(mailbox: Mailbox, imap: list[Step], smtp: list[Step]) -> list[tuple[str, Step]]:
    return [
        (_("%(kind)s server %(host)s") % {"kind": kind, "host": host}, step)
        for kind, host, steps in (("IMAP", mailbox.imap_host, imap), ("SMTP", mailbox.smtp_host, smtp))
        for step in steps
        if not step.ok
    ]


def _said(step: Step) -> str:
    return " " + _("It said: %(words)s") % {"words": step.said} if step.said else ""


def _as_dict(step: Step) -> dict[str, Any]:
    return {"step": step.name, "ok": step.ok, "message": step.message, "said": step.said}


def _secret(options: dict[str, Any]) -> str:
    if options["secret_stdin"]:
        secret = sys.stdin.readline().rstrip("\r\n")
        if not secret:
            raise CommandError(_("Standard input held no password."))
        return secret
    if not sys.stdin.isatty():
        raise CommandError(_("Give the password on standard input, with --secret-stdin."))
    return getpass(_("Password: "))


def _import_point(text: str) -> tuple[bool, datetime | None]:
    if text in ("now", "all"):
        return text == "all", None
    try:
        moment = parse_datetime(text) or datetime.combine(parse_date(text) or _never(), time.min)
    except ValueError:
        raise CommandError(
            _("--import-since is “%(text)s”, but it must be now, all or a date like 2026-01-31.") % {"text": text}
        ) from None
    return False, timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _never() -> Any:
    raise ValueError


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except (OSError, UnicodeError) as problem:
        raise CommandError(
            _("--ca-file %(path)s cannot be read as a PEM file: %(reason)s") % {"path": path, "reason": problem}
        ) from None


def _named(rows: models.QuerySet[M], **which: str) -> M:
    found = rows.filter(**which).first()
    if found is None:
        raise CommandError(
            _("There is no %(what)s “%(name)s”.")
            % {"what": rows.model._meta.verbose_name, "name": next(iter(which.values()))}
        )
    return found
