from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from inbox.benchmarks import conversation, ingest, live, workspace
from inbox.benchmarks.browsing import CannotMeasure


class Command(BaseCommand):
    help = "Take the program's own figures on the database that it is pointed at. What it makes, it removes again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True, parser_class=type(parser))
        pages = kinds.add_parser("workspace", help="Pages over HTTP: times, queries, bytes.")
        pages.add_argument("--times", type=int, default=100, help="How often each page is asked for.")
        talk = kinds.add_parser(
            "conversation",
            help="A ticket of 200 messages with 40 HTML mails, made and removed: opening it, saving a draft, Send.",
        )
        talk.add_argument("--times", type=int, default=100, help="How often each is done.")
        mails = kinds.add_parser("ingest", help="Taking in mails: how many a second, and how soon they are seen.")
        mails.add_argument("--eml", type=Path, metavar="FOLDER", help="A folder of .eml files, taken in by name.")
        mails.add_argument("--imap", metavar="HOST:PORT", help="A mailbox; everything in its folder is fetched.")
        mails.add_argument("--imap-security", choices=["none", "starttls", "ssl"], default="none")
        mails.add_argument("--imap-folder", default="INBOX")
        mails.add_argument("--user", default="")
        mails.add_argument("--password-stdin", action="store_true")
        mails.add_argument("--workers", type=int, default=2, help="Processes that work on stored mails.")
        mails.add_argument("--limit", type=int, default=None, help="Of a folder, only the first so many files.")
        mails.add_argument("--latency-only", action="store_true", help="Only how soon a mail is seen in the list.")
        streams = kinds.add_parser("live", help="How soon a page hears of a mail, and what many open pages cost.")
        streams.add_argument("--streams", type=int, default=1000, help="How many pages stand open beside.")
        for one in (pages, talk, mails, streams):
            one.add_argument("--url", help="A running web process of this database. Default: one of our own.")
            one.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["kind"] == "workspace":
                report = workspace.measure(url=options["url"], times=options["times"], now=timezone.now())
            elif options["kind"] == "conversation":
                report = conversation.measure(url=options["url"], times=options["times"], now=timezone.now())
            elif options["kind"] == "live":
                report = live.measure(url=options["url"], streams=options["streams"])
            else:
                report = ingest.measure(self._source(options), url=options["url"], workers=options["workers"])
        except CannotMeasure as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(report.as_json() if options["json"] else report.as_table())

    def _source(self, options: dict[str, Any]) -> ingest.Source | None:
        if options["latency_only"]:
            return None
        if options["eml"]:
            return ingest.Folder(options["eml"], options["limit"])
        if not options["imap"]:
            raise CommandError("Say where the mails are: --eml FOLDER or --imap HOST:PORT.")
        host, _colon, port = options["imap"].rpartition(":")
        if not host or not port.isdecimal():
            raise CommandError("--imap takes a host and a port, like 127.0.0.1:143.")
        password = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else ""
        return ingest.Imap(host, int(port), options["imap_security"], options["user"], password, options["imap_folder"])
