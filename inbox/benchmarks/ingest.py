"""How many mails a second become messages, what that costs, and how soon one is seen in the list."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import secrets
import smtplib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connections
from django.db.models import Max
from django.utils import timezone

from inbox import receiving
from inbox.benchmarks import processor_time, working
from inbox.benchmarks.browsing import Browser, CannotMeasure, agent, web
from inbox.benchmarks.figures import Report, machine
from inbox.models import Attachment, Conversation, Incoming, Mailbox, Message, RoomMail
from people.models import Company, Contact, User
from tickets.models import Ticket

# Mails whose way to the list is timed, one after the other.
SEEN = 20
PATIENCE = 10.0


class Source(Protocol):
    """Where the mails of a measurement come from."""

    def describe(self) -> str: ...

    def settings(self) -> dict[str, object]:
        """What the mailbox row needs for it."""

    def take_in(self, mailbox: Mailbox, heard: Callable[[list[Incoming]], None]) -> None:
        """Store every mail; `heard` is told of each batch. Raises CannotMeasure."""


@dataclass(frozen=True)
class Folder:
    path: Path
    limit: int | None = None

    def describe(self) -> str:
        return "a folder of .eml files"

    def settings(self) -> dict[str, object]:
        return {}

    def take_in(self, mailbox: Mailbox, heard: Callable[[list[Incoming]], None]) -> None:
        files = sorted(self.path.glob("*.eml"))[: self.limit]
        if not files:
            raise CannotMeasure(f"There are no .eml files in {self.path}.")
        for file in files:
            heard([receiving.store(mailbox, file.read_bytes(), source="pipe", now=timezone.now())])


@dataclass(frozen=True)
class Imap:
    host: str
    port: int
    security: str
    user: str
    password: str
    folder: str

    def describe(self) -> str:
        return f"IMAP, {self.security}"

    def settings(self) -> dict[str, object]:
        return {
            "imap_host": self.host,
            "imap_port": self.port,
            "imap_security": self.security,
            "imap_user": self.user,
            "imap_password": self.password,
            "imap_folder": self.folder,
            "import_all": True,
        }

    def take_in(self, mailbox: Mailbox, heard: Callable[[list[Incoming]], None]) -> None:
        while mailbox.fetch(stored=heard).unfinished:
            pass
        if mailbox.fetch_error:
            raise CannotMeasure(mailbox.fetch_error)


def measure(source: Source | None, *, url: str | None, workers: int) -> Report:
    """Without a source only how soon a mail is seen is measured. Raises CannotMeasure."""
    logging.getLogger("inbox").setLevel(logging.WARNING)
    report = Report("ingest", setting={"tickets": Ticket.objects.count()} | machine())
    if source:
        with a_mailbox(enabled=False, **source.settings()) as mailbox:
            _add_rate(report, source, mailbox, workers)
    with agent() as (user, password), a_mailbox(enabled=True, owner=user) as mailbox, web(url) as site:
        _add_latency(report, mailbox, user, password, site.url)
    return report


def _add_rate(report: Report, source: Source, mailbox: Mailbox, workers: int) -> None:
    futures: list[Future[str]] = []
    context = multiprocessing.get_context("spawn")
    connections.close_all()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=working.begin) as pool:
        list(pool.map(working.warm_up, range(workers)))
        before = processor_time.of_tree(os.getpid())
        database_before = processor_time.of_database(settings.PLACES.postgres_data)
        begun = time.perf_counter()
        source.take_in(mailbox, lambda rows: futures.extend(pool.submit(working.work, row.pk) for row in rows))
        stored = time.perf_counter() - begun
        outcomes = Counter(future.result().partition(":")[0] for future in futures)
        took = time.perf_counter() - begun
        after = processor_time.of_tree(os.getpid())
        database_after = processor_time.of_database(settings.PLACES.postgres_data)
    if not futures:
        raise CannotMeasure("There were no mails to take in.")
    count = len(futures)
    report.setting |= {"mails": count, "from": source.describe(), "workers": workers}
    report.setting |= {
        "MB": round(sum(Incoming.objects.filter(mailbox=mailbox).values_list("size", flat=True)) / 1e6, 1)
    }
    report.add("mails a second", count / took, "mails/s", f"stored and processed, {workers} workers beside the fetcher")
    report.add("stored a second", count / stored, "mails/s", "raw mail and row durable, while workers work")
    report.add("processor time, program", _each(before, after, count), "ms/mail", "fetching, reading and landing")
    report.add("processor time, database", _each(database_before, database_after, count), "ms/mail", "embedded server")
    for outcome, number in sorted(outcomes.items()):
        report.add(f"mails {outcome}", number, "mails")


def _each(before: float | None, after: float | None, count: int) -> float | None:
    return None if before is None or after is None else (after - before) * 1000 / count


def _add_latency(report: Report, mailbox: Mailbox, user: User, password: str, address: str) -> None:
    browser = Browser(address)
    browser.sign_in(user.email, password)
    seen_after(browser, "nothing yet", wait=0)
    by_receive = []
    for _ in range(SEEN):
        subject = f"Benchmark {secrets.token_hex(8)}"
        incoming = receiving.store(mailbox, a_mail(mailbox, subject), source="pipe", now=timezone.now())
        begun = time.perf_counter()
        receiving.process(incoming.pk)
        by_receive.append(seen_after(browser, subject, since=begun))
    report.add_times(
        "seen in the list after `receive` stored it", [one for one in by_receive if one], "without start-up"
    )

    by_room = _by_room(mailbox, browser)
    if by_room is None:
        how = "not measured: no mail room and worker run beside this command (`make run`)"
        report.add("seen in the list after the mail room's 250", None, "ms", how)
    else:
        report.add_times("seen in the list after the mail room's 250", by_room)
    browser.close()


def _by_room(mailbox: Mailbox, browser: Browser) -> list[float] | None:
    if not settings.HELPDESK_MAIL_ROOM:
        return None
    times = []
    for _ in range(SEEN):
        subject = f"Benchmark {secrets.token_hex(8)}"
        try:
            with smtplib.SMTP("127.0.0.1", settings.MAIL_ROOM_PORT, timeout=10) as server:
                server.sendmail("anna@customer.example", [mailbox.address], a_mail(mailbox, subject))
                begun = time.perf_counter()
        except (OSError, smtplib.SMTPException):
            return None
        seconds = seen_after(browser, subject, since=begun)
        if seconds is None:
            return None
        times.append(seconds)
    return times


def seen_after(browser: Browser, subject: str, *, since: float = 0.0, wait: float = PATIENCE) -> float | None:
    """Seconds until a list that was asked for has it; None when it never had."""
    end = time.perf_counter() + wait
    while True:
        answer = browser.get("/tickets/?view=my-open", fragment=True)
        if answer.status != 200:
            raise CannotMeasure(f"The list was answered with {answer.status}.")
        now = time.perf_counter()
        if subject in answer.text:
            return now - since
        if now > end:
            return None
        time.sleep(0.01)


def a_mail(mailbox: Mailbox, subject: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Anna Berg <anna@customer.example>", mailbox.address, subject
    mail["Message-ID"] = f"<{secrets.token_hex(12)}@customer.example>"
    mail.set_content("The zip of my jacket broke after a week. What can I do?")
    return mail.as_bytes()


@contextlib.contextmanager
def a_mailbox(**fields: object) -> Iterator[Mailbox]:
    """A mailbox of our own, removed with everything that came into it."""
    contacts = Contact.objects.aggregate(last=Max("pk"))["last"] or 0
    companies = Company.objects.aggregate(last=Max("pk"))["last"] or 0
    address = f"benchmark-{secrets.token_hex(4)}@desk.example"
    mailbox = Mailbox.objects.create(address=address, name="Benchmark", uses_mail_room=True, **fields)
    try:
        yield mailbox
    finally:
        _remove(mailbox)
        alone = {"tickets": None, "messages": None, "conversations": None}
        Contact.objects.filter(pk__gt=contacts, **alone).delete()
        Company.objects.filter(pk__gt=companies, contacts=None, tickets=None).delete()


def _remove(mailbox: Mailbox) -> None:
    messages = Message.objects.filter(conversation__mailbox=mailbox)
    incoming = Incoming.objects.filter(mailbox=mailbox)
    room = RoomMail.objects.of(mailbox.address)
    files = [
        *Attachment.objects.filter(message__in=messages).values_list("file", flat=True),
        *incoming.values_list("raw", flat=True),
        *room.values_list("raw", flat=True),
    ]
    Ticket.objects.filter(pk__in=messages.values("ticket")).delete()
    Conversation.objects.filter(mailbox=mailbox).delete()
    Message.objects.filter(incoming__in=incoming).delete()
    incoming.update(duplicate_of=None)
    incoming.delete()
    room.delete()
    mailbox.delete()
    for name in files:
        with contextlib.suppress(OSError):
            default_storage.delete(name)
