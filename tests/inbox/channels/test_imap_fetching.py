"""Fetching from a real Dovecot."""

from __future__ import annotations

import contextlib
import imaplib
import itertools
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from inbox.channels.imap import fetching
from inbox.errors import LeaseLost
from inbox.models import FetchGap, Incoming, Mailbox, MailFolder, Message
from inbox.receiving import FetchedMail, settle, store_fetched
from tests.factories import make_mailbox
from tests.inbox.mails import make_mail
from tests.mail_servers import PASSWORD, Dovecot, free_port

pytestmark = pytest.mark.django_db

_count = itertools.count(1)


def make_fetched(dovecot: Dovecot, **fields: Any) -> Mailbox:
    user = f"support{next(_count)}"
    defaults = {
        "imap_host": dovecot.host,
        "imap_port": dovecot.port,
        "imap_security": "none",
        "imap_user": user,
        "imap_password": PASSWORD,
        "import_all": True,
    }
    return make_mailbox(f"{user}@desk.example", **(defaults | fields))


def poll(mailbox: Mailbox) -> list[Incoming]:
    rows = mailbox.fetch().rows
    return [settle(row.pk) for row in rows]


def flags_of(dovecot: Dovecot, mailbox: Mailbox) -> list[bytes]:
    client = dovecot.login(mailbox.imap_user)
    client.select("INBOX", readonly=True)
    _answer, found = client.fetch("1:*", "(FLAGS)")
    client.logout()
    return [one for one in found if isinstance(one, bytes)]


def append(dovecot: Dovecot, mailbox: Mailbox, raw: bytes, *, at: datetime) -> None:
    client = dovecot.login(mailbox.imap_user)
    client.append("INBOX", "", imaplib.Time2Internaldate(at), raw)
    client.logout()


def test_mail_is_fetched_once_and_the_mailbox_is_left_as_it_was(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    for number in range(3):
        dovecot.deliver(mailbox.imap_user, make_mail(subject=f"Order {number}"))

    assert [row.outcome for row in poll(mailbox)] == ["opened"] * 3
    assert poll(mailbox) == []
    assert not any(b"Seen" in flags for flags in flags_of(dovecot, mailbox))


def test_what_was_there_when_the_mailbox_was_connected_is_left_alone(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot, import_all=False)
    dovecot.deliver(mailbox.imap_user, make_mail(subject="Old"))
    fetching.begin(mailbox)
    dovecot.deliver(mailbox.imap_user, make_mail(subject="New"))

    poll(mailbox)

    assert [message.subject for message in Message.objects.all()] == ["New"]


def test_mail_that_comes_between_connecting_and_the_first_fetch_is_not_lost(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot, import_all=False)
    append(dovecot, mailbox, make_mail(subject="Old"), at=timezone.now() - timedelta(hours=2))
    dovecot.deliver(mailbox.imap_user, make_mail(subject="Just now"))

    poll(mailbox)

    assert [message.subject for message in Message.objects.all()] == ["Just now"]


def test_mail_is_imported_from_a_moment_on_and_not_from_the_day_it_lies_in(dovecot: Dovecot) -> None:
    since = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
    mailbox = make_fetched(dovecot, import_all=False, import_since=since)
    append(dovecot, mailbox, make_mail(subject="Morning"), at=since - timedelta(hours=3))
    append(dovecot, mailbox, make_mail(subject="Afternoon"), at=since + timedelta(hours=3))
    append(dovecot, mailbox, make_mail(subject="Moved here, older"), at=since - timedelta(days=300))

    poll(mailbox)
    append(dovecot, mailbox, make_mail(subject="Later"), at=since + timedelta(days=3))
    poll(mailbox)

    assert {message.subject for message in Message.objects.all()} == {"Afternoon", "Later"}
    assert Message.objects.get(subject="Afternoon").at == since + timedelta(hours=3)


def test_a_person_who_reads_or_deletes_mail_in_the_mailbox_loses_none(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    for subject in ("Read", "Marked as deleted", "Gone", "Untouched"):
        dovecot.deliver(mailbox.imap_user, make_mail(subject=subject))
    client = dovecot.login(mailbox.imap_user)
    client.select("INBOX")
    client.store("1", "+FLAGS", "\\Seen")
    client.store("3", "+FLAGS", "\\Deleted")
    client.expunge()
    client.store("2", "+FLAGS", "\\Deleted")
    client.logout()

    poll(mailbox)

    assert {message.subject for message in Message.objects.all()} == {"Read", "Untouched"}


def test_a_mailbox_that_is_numbered_anew_brings_nothing_twice_and_loses_nothing(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    mails = [make_mail(subject=f"Order {number}") for number in range(3)]
    for raw in mails:
        dovecot.deliver(mailbox.imap_user, raw)
    poll(mailbox)
    was = MailFolder.objects.get(mailbox=mailbox).uidvalidity

    renumber(dovecot, mailbox)
    dovecot.deliver(mailbox.imap_user, make_mail(subject="In between"))
    outcomes = [row.outcome for row in poll(mailbox)]

    assert MailFolder.objects.get(mailbox=mailbox).uidvalidity != was
    assert sorted(outcomes) == ["duplicate", "duplicate", "duplicate", "opened"]
    assert Message.objects.count() == 4


def test_mail_from_before_connecting_stays_out_when_the_mailbox_is_numbered_anew(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot, import_all=False)
    append(dovecot, mailbox, make_mail(subject="Old"), at=timezone.now() - timedelta(days=2))
    fetching.begin(mailbox)
    dovecot.deliver(mailbox.imap_user, make_mail(subject="New"))
    poll(mailbox)

    renumber(dovecot, mailbox)
    poll(mailbox)

    assert [message.subject for message in Message.objects.all()] == ["New"]


def renumber(dovecot: Dovecot, mailbox: Mailbox) -> None:
    """What happens when a server is restored from a backup: its index is lost, UIDVALIDITY is a new one."""
    home = dovecot.folder / "mail" / mailbox.imap_user
    time.sleep(1.1)  # Dovecot takes the time in seconds as UIDVALIDITY
    for path in home.glob("dovecot*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_the_same_mail_under_two_uids_is_one_message(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    raw = make_mail()
    dovecot.deliver(mailbox.imap_user, raw)
    dovecot.deliver(mailbox.imap_user, raw)

    assert [row.outcome for row in poll(mailbox)] == ["opened", "duplicate"]
    assert Message.objects.count() == 1


def test_a_large_mail_comes_in_parts_and_is_whole(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    raw = make_mail("x" * 70 + "\r\n") + b"".join(b"%060d\r\n" % number for number in range(480_000))
    assert len(raw) > 28_000_000
    dovecot.deliver(mailbox.imap_user, raw)
    dovecot.deliver(mailbox.imap_user, make_mail(subject="The next one"))

    rows = poll(mailbox)

    assert [row.outcome for row in rows] == ["opened", "opened"]
    assert rows[0].raw_bytes() == raw


def test_a_mail_above_the_limit_is_a_ticket_that_says_so(dovecot: Dovecot, settings: Any) -> None:
    settings.HELPDESK_MAX_MAIL_MB = 1
    mailbox = make_fetched(dovecot)
    dovecot.deliver(mailbox.imap_user, make_mail("x" * 60 + "\n") + b"filler\r\n" * 200_000)
    dovecot.deliver(mailbox.imap_user, make_mail(subject="The next one"))

    large, _next = poll(mailbox)

    message = Message.objects.get(incoming=large)
    assert (large.outcome, large.headers_only) == ("opened", True)
    assert message.subject == "Wrong size delivered"
    assert "not opened here" in message.text
    assert large.raw.size < 5_000


def test_two_workers_at_once_fetch_each_mail_once(transactional_db: None, dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    for number in range(60):
        dovecot.deliver(mailbox.imap_user, make_mail(subject=f"Order {number}"))

    def work() -> None:
        from django.db import connection

        with contextlib.closing(connection):
            Mailbox.objects.get(pk=mailbox.pk).fetch()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert Incoming.objects.count() == 60
    assert MailFolder.objects.get().lease_token is None


def test_a_worker_whose_lease_ran_out_writes_nothing(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    dovecot.deliver(mailbox.imap_user, make_mail())
    poll(mailbox)
    dovecot.deliver(mailbox.imap_user, make_mail())
    before = set(files("raw"))

    def another_takes_over(rows: list[Incoming]) -> None:
        raise AssertionError("the fenced-out worker must not store")

    slow = fetching._folder_of(mailbox)
    token = MailFolder.objects.lease(slow.pk, now=timezone.now() - timedelta(minutes=1))
    assert token
    assert MailFolder.objects.lease(slow.pk, now=timezone.now())
    with pytest.raises(fetching.LeaseLost):
        fetching._Run(mailbox, slow, token, another_takes_over).go()

    assert Incoming.objects.count() == 1
    assert set(files("raw")) == before


def test_what_a_fenced_out_worker_wants_to_store_is_not_stored(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    poll(mailbox)
    folder = MailFolder.objects.get()
    mine = MailFolder.objects.lease(folder.pk, now=timezone.now() - timedelta(minutes=1))
    assert mine
    assert MailFolder.objects.lease(folder.pk, now=timezone.now())
    before = set(files("raw"))

    mail = FetchedMail(uid=7, raw=make_mail(), received_at=timezone.now(), size=1)
    with pytest.raises(LeaseLost):
        store_fetched(folder, mine, [mail], last_uid=7, now=timezone.now())

    assert not Incoming.objects.exists()
    assert MailFolder.objects.get().last_uid == 0
    assert set(files("raw")) == before


def files(folder: str) -> Iterator[str]:
    try:
        folders, found = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from found
    for name in folders:
        yield from files(f"{folder}/{name}")


class Between:
    """A proxy that stands between us and the server, and cuts or changes what passes."""

    def __init__(self, dovecot: Dovecot, change: Callable[[bytes], bytes | None]) -> None:
        self.target = (dovecot.host, dovecot.port)
        self.change = change
        self.port = free_port()
        self.server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self.server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self.server.accept()
            except OSError:
                return
            upstream = socket.create_connection(self.target)
            threading.Thread(target=self._pump, args=(client, upstream, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(upstream, client, self.change), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes | None] | None) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                passed = change(chunk) if change else chunk
                if passed is None:
                    break
                sink.sendall(passed)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def test_a_connection_that_is_cut_in_the_middle_of_a_mail_stores_no_half(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    raw = make_mail("word " * 60_000)
    dovecot.deliver(mailbox.imap_user, raw)
    passed = itertools.count()

    def cut(chunk: bytes) -> bytes | None:
        return None if b"word word" in chunk and next(passed) == 1 else chunk

    between = Between(dovecot, cut)
    mailbox.imap_port = between.port
    mailbox.fetch()
    between.stop()
    assert all(row.raw_bytes() == raw for row in Incoming.objects.all())

    mailbox.imap_port = dovecot.port
    FetchGap.objects.update(next_try_at=timezone.now())
    poll(mailbox)

    assert [row.raw_bytes() for row in Incoming.objects.all()] == [raw]
    assert not FetchGap.objects.exists()


def test_a_mail_that_the_server_will_not_give_holds_up_no_other_and_is_tried_again(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    for subject in ("First", "Cursed", "Last"):
        dovecot.deliver(mailbox.imap_user, make_mail("It is here.", subject=subject))

    def curse(chunk: bytes) -> bytes | None:
        return None if b"Subject: Cursed" in chunk else chunk

    between = Between(dovecot, curse)
    mailbox.imap_port = between.port
    poll(mailbox)
    between.stop()
    assert {message.subject for message in Message.objects.all()} == {"First", "Last"}
    gap = FetchGap.objects.get()
    assert (gap.uid, gap.tries) == (2, 1)

    mailbox.imap_port = dovecot.port
    FetchGap.objects.update(next_try_at=timezone.now())
    poll(mailbox)

    assert {message.subject for message in Message.objects.all()} == {"First", "Cursed", "Last"}
    assert not FetchGap.objects.exists()


def test_reconcile_finds_what_is_missing_and_the_next_fetch_brings_it(dovecot: Dovecot) -> None:
    mailbox = make_fetched(dovecot)
    for number in range(3):
        dovecot.deliver(mailbox.imap_user, make_mail(subject=f"Order {number}"))
    poll(mailbox)
    whole = fetching.reconcile(mailbox)
    assert (whole.on_server, whole.stored, whole.missing) == (3, 3, [])

    Message.objects.all().delete()
    lost = Incoming.objects.order_by("pk")[1]
    lost.delete()
    assert fetching.reconcile(mailbox).missing == [lost.uid]
    poll(mailbox)

    assert fetching.reconcile(mailbox).missing == []
