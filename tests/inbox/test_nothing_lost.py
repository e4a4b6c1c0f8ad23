"""Workers are killed at random while mail comes in: every mail becomes one message, and none becomes two."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from inbox import leftovers
from inbox.channels.imap import fetching
from inbox.models import Attachment, Direction, Incoming, Mailbox, Message, Outgoing
from inbox.replying import reply
from people.models import User
from tests.factories import make_mailbox, make_user
from tests.inbox.channels.test_imap_fetching import files, make_fetched
from tests.mail_servers import Dovecot, SmtpServer
from tests.processes import environment
from tickets.models import Kind, Ticket

MAILS = 200
ANSWERS = 50
KILLINGS = 45
NURSERY = Path(__file__).with_name("nursery.py")


class Workers:
    """Processes of the desk, each in its role, and the hand that kills them."""

    def __init__(self, log: Path) -> None:
        self.log = log.open("wb")
        self.nursery = subprocess.Popen(
            [sys.executable, str(NURSERY)],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.running: dict[str, int] = {}
        self.killed: Counter[str] = Counter()
        self.lock = threading.Lock()

    def start(self, role: str) -> int:
        assert self.nursery.stdin
        assert self.nursery.stdout
        with self.lock:
            self.nursery.stdin.write(f"{role}\n")
            self.nursery.stdin.flush()
            pid = int(self.nursery.stdout.readline())
        self.running[role] = pid
        return pid

    def kill(self, role: str) -> None:
        os.kill(self.running.pop(role), signal.SIGKILL)
        self.killed[role.split()[0]] += 1

    def end(self) -> None:
        for role in list(self.running):
            self.kill(role)
        self.nursery.kill()
        self.nursery.wait()
        time.sleep(0.3)  # until the database has noticed that they are gone
        self.log.close()


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path) -> Iterator[Workers]:
    found = Workers(tmp_path / "workers.log")
    yield found
    found.end()


def write_mails() -> list[bytes]:
    """Seven in ten begin a conversation, the others answer an earlier one; some carry a file."""
    dice = random.Random(7)
    mails: list[bytes] = []
    for number in range(MAILS):
        mail = EmailMessage()
        answered = dice.randrange(number) if number and dice.random() < 0.3 else None
        root = number if answered is None else _root(mails[answered])
        mail["From"] = f"customer{root}@company{root % 40}.example"
        mail["To"] = "support@desk.example"
        mail["Subject"] = f"Order {root}"
        mail["Message-ID"] = f"<{number}.{root}@customer.example>"
        mail["X-Root"] = str(root)
        if answered is not None:
            mail["In-Reply-To"] = f"<{answered}.{root}@customer.example>"
            mail["References"] = f"<{root}.{root}@customer.example> <{answered}.{root}@customer.example>"
        mail.set_content(f"This is mail number {number}.\n" + "word " * dice.randrange(2000))
        if dice.random() < 0.2:
            mail.add_attachment(dice.randbytes(40_000), "application", "pdf", filename=f"file{number}.pdf")
        mails.append(mail.as_bytes())
    return mails


def _root(raw: bytes) -> int:
    return int(raw.split(b"X-Root: ")[1].split(b"\n")[0])


class Arrivals(threading.Thread):
    """Mail comes in, on the server and by a pipe, whatever happens to the desk."""

    def __init__(self, workers: Workers, dovecot: Dovecot, fetched: Mailbox, piped: Mailbox, folder: Path) -> None:
        super().__init__()
        self.workers, self.dovecot, self.fetched, self.piped, self.folder = workers, dovecot, fetched, piped, folder

    def run(self) -> None:
        dice = random.Random(3)
        for number, raw in enumerate(write_mails()):
            # Whole conversations come one way; which one must not matter.
            if _root(raw) % 4:
                self.dovecot.deliver(self.fetched.imap_user, raw)
            else:
                path = self.folder / f"{number}.eml"
                path.write_bytes(raw)
                self.pipe(path, dice)
            time.sleep(0.02)
        connection.close()

    def pipe(self, path: Path, dice: random.Random) -> None:
        """An MTA tries until it hears that the mail was taken; every third time its pipe breaks."""
        while True:
            role = f"receive {self.piped.pk} {path}"
            pid = self.workers.start(role)
            if dice.random() < 0.33:
                time.sleep(dice.random() * 0.1)
                self.workers.kill(role)
                continue
            while _lives(pid):
                time.sleep(0.01)
            if Incoming.objects.filter(mailbox=self.piped, raw__isnull=False, size=path.stat().st_size).exists():
                self.workers.running.pop(role, None)
                return


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def queue_that_loses_everything() -> Iterator[None]:
    """Tasks are queued where no worker listens: what is to be done must be found in the database."""
    from helpdesk.celery import app

    app.conf.task_always_eager = False
    yield
    app.conf.task_always_eager = True


def test_every_mail_becomes_one_message_and_every_answer_one_mail_whoever_is_killed(
    workers: Workers, queue_that_loses_everything: None, dovecot: Dovecot, smtp_server: SmtpServer, tmp_path: Path
) -> None:
    dice = random.Random(time.time_ns())
    sends = {"smtp_host": smtp_server.host, "smtp_port": smtp_server.port, "smtp_security": "none"}
    fetched = make_fetched(dovecot, **sends)
    piped = make_mailbox("piped@desk.example", **sends)
    agent = make_user()
    # Two of each, so that they meet over one mailbox and one mail.
    roles = [f"poll {fetched.pk}", f"poll {fetched.pk} again", "work", "work too", "send", "send too"]
    arrivals = Arrivals(workers, dovecot, fetched, piped, tmp_path)
    arrivals.start()
    for role in roles:
        workers.start(role)

    while sum(workers.killed.values()) < KILLINGS or arrivals.is_alive():
        role = dice.choice(roles)
        time.sleep(dice.random() * 0.5)
        workers.kill(role)
        workers.start(role)
        answer_some(agent)
    arrivals.join()
    ends = time.monotonic() + 45
    while time.monotonic() < ends and not (_is_all_in() and _is_all_out()):
        answer_some(agent)
        time.sleep(0.2)

    assert min(workers.killed[role] for role in ("poll", "work", "send")) >= 3
    _assert_nothing_lost_and_nothing_twice(fetched)
    _assert_each_answer_went_out_once(agent, smtp_server)


def answer_some(agent: User) -> None:
    """An agent answers what has come in so far, a few tickets at a time."""
    left = ANSWERS - Outgoing.objects.count()
    for ticket in Ticket.objects.filter(turn__in=[Kind.NEW, Kind.WAITING_ON_US]).order_by("?")[: min(left, 3)]:
        reply(ticket, by=agent, text=f"We look into it, ticket {ticket.pk}.")


def _is_all_out() -> bool:
    return Outgoing.objects.count() == ANSWERS and not Outgoing.objects.exclude(state__in=["sent", "unknown"]).exists()


def _assert_each_answer_went_out_once(agent: User, smtp_server: SmtpServer) -> None:
    for unknown in Outgoing.objects.filter(state="unknown"):
        # Its sender died while the server had the word. An agent who sees that it did not arrive sends it again.
        if unknown.mail_id not in _ids_at(smtp_server):
            unknown.try_again(by=agent)
            unknown.send_now()
    assert Counter(_ids_at(smtp_server)) == dict.fromkeys(Outgoing.objects.values_list("mail_id", flat=True), 1)
    assert Outgoing.objects.count() == ANSWERS


def _ids_at(smtp_server: SmtpServer) -> list[str]:
    return [taken.message["Message-ID"].strip("<>") for taken in smtp_server.taken]


def _is_all_in() -> bool:
    return Incoming.objects.count() == MAILS and not Incoming.objects.exclude(state="done").exists()


def _assert_nothing_lost_and_nothing_twice(fetched: Mailbox) -> None:
    whole = fetching.reconcile(fetched)
    assert whole.missing == []
    assert Counter(Incoming.objects.values_list("state", flat=True)) == {"done": MAILS}
    assert set(Incoming.objects.values_list("outcome", flat=True)) == {"opened", "appended"}

    messages = list(Message.objects.filter(direction=Direction.IN).select_related("ticket", "incoming"))
    numbers = Counter(message.message_id.partition(".")[0] for message in messages)
    assert numbers == {str(number): 1 for number in range(MAILS)}
    by_root: dict[str, set[int | None]] = defaultdict(set)
    for message in messages:
        assert f"This is mail number {message.message_id.partition('.')[0]}." in message.text
        by_root[message.subject].add(message.ticket_id)
    assert {root: len(tickets) for root, tickets in by_root.items() if len(tickets) != 1} == {}
    assert Ticket.objects.count() == len(by_root)
    for ticket in Ticket.objects.all():
        assert ticket.message_count == ticket.messages.count()

    # What dying workers left on the disk goes, what belongs to a message stays.
    leftovers.collect(timezone.now() + timedelta(hours=2))
    assert sum(1 for _ in files("raw")) >= MAILS
    expected = sum(1 for raw in write_mails() if b"filename=" in raw)
    assert Attachment.objects.count() == expected
    for attachment in Attachment.objects.all():
        assert attachment.file.size == 40_000
