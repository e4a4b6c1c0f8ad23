"""A mail comes in and becomes a message on a ticket."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from django.utils.translation import override

from inbox import leftovers, receiving
from inbox.errors import NotInQuarantine
from inbox.models import Attachment, Incoming, IncomingState, Mailbox, Message
from inbox.reading import child, pool
from tests.factories import make_mailbox, make_pipeline, make_team, make_user
from tests.inbox.mails import land, make_mail, take_in
from tickets.models import Kind, Ticket

pytestmark = pytest.mark.django_db

EMAILS = Path(__file__).with_name("emails")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


@pytest.fixture
def mailbox() -> Mailbox:
    return make_mailbox("support@desk.example")


# The ordinary world


def test_a_mail_opens_a_ticket_named_by_its_subject(mailbox: Mailbox) -> None:
    incoming = take_in(mailbox, make_mail(subject="Wrong size delivered"))

    assert (incoming.state, incoming.outcome) == (IncomingState.DONE, "opened")
    message = Message.objects.get(incoming=incoming)
    ticket = message.ticket
    assert ticket is not None
    assert (ticket.name, ticket.turn, ticket.message_count) == ("Wrong size delivered", Kind.NEW, 1)
    assert ticket.contact is not None
    assert (ticket.contact.address, ticket.contact.name) == ("elina@customer.example", "Elina Saarinen")
    assert str(ticket.company) == "customer.example"
    assert message.text == ticket.preview == "The jacket is a size S, I ordered an M."
    assert message.to == [{"name": "", "address": "support@desk.example"}]


def test_a_new_ticket_is_as_the_mailbox_says(mailbox: Mailbox) -> None:
    mailbox.pipeline = make_pipeline("Returns")
    mailbox.status = mailbox.pipeline.first_status(Kind.WAITING_ON_US)
    mailbox.team, mailbox.owner = make_team("Returns team"), make_user(name="Kirsi Laine")
    mailbox.save()

    ticket = land(mailbox, make_mail()).ticket

    assert ticket is not None
    assert (ticket.pipeline, ticket.status, ticket.team, ticket.owner) == (
        mailbox.pipeline,
        mailbox.status,
        mailbox.team,
        mailbox.owner,
    )


def test_a_mailbox_that_makes_no_tickets_keeps_the_conversation(mailbox: Mailbox) -> None:
    mailbox.makes_tickets = False
    mailbox.save()

    first = land(mailbox, make_mail(message_id="known@customer.example"))
    second = land(mailbox, make_mail(answers="known@customer.example"))

    assert first.ticket is second.ticket is None
    assert first.conversation == second.conversation
    assert not Ticket.objects.exists()


def test_a_mail_in_latin_1_reads_as_written(mailbox: Mailbox) -> None:
    raw = (
        b"From: =?iso-8859-1?Q?P=E4ivi_M=E4kel=E4?= <paivi@customer.example>\r\nTo: support@desk.example\r\n"
        b"Subject: =?iso-8859-1?Q?V=E4=E4r=E4_koko?=\r\nMessage-ID: <l1@customer.example>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + "Hei, takki on väärää kokoa.\r\n".encode("latin-1")
    )
    message = land(mailbox, raw)

    assert (message.from_name, message.subject, message.text) == (
        "Päivi Mäkelä",
        "Väärä koko",
        "Hei, takki on väärää kokoa.",
    )


def test_a_mail_of_html_only_is_safe_and_has_its_words(mailbox: Mailbox) -> None:
    raw = (
        b"From: a@customer.example\r\nTo: support@desk.example\r\nSubject: HTML\r\nMessage-ID: <h@customer.example>\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        b'<p onclick="alert(1)">Where is <b>my parcel</b>?</p><script>alert(2)</script>'
        b'<img src="https://tracker.example/p.gif">\r\n'
    )
    message = land(mailbox, raw)

    assert "Where is my parcel?" in message.text
    assert "<b>my parcel</b>" in message.html
    assert "alert" not in message.html
    assert message.remote_images == 1


def test_a_reply_is_shown_without_what_it_quotes(mailbox: Mailbox) -> None:
    gmail = land(
        mailbox,
        make_mail(
            "Thank you!\n\nOn Mon, 2 Mar 2026 at 10:00, Support <support@desk.example> wrote:\n> We send you an M.\n",
            html='<div dir="ltr">Thank you!</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Mar 2026 '
            'at 10:00, Support wrote:<br></div><blockquote class="gmail_quote">We send you an M.</blockquote></div>',
        ),
    )
    outlook = land(
        mailbox,
        make_mail(
            "Kiitos!\n\n-----Original Message-----\nFrom: Support <support@desk.example>\nSent: Monday, 2 March 2026 10:00\n"
            "To: Elina\nSubject: Wrong size\n\nWe send you an M.\n"
        ),
    )
    apple = land(
        mailbox,
        make_mail(
            "Great.\n\n> On 2. Mar 2026, at 10.00, Support <support@desk.example> wrote:\n> \n> We send you an M.\n"
        ),
    )

    assert [gmail.text.strip(), outlook.text.strip(), apple.text.strip()] == ["Thank you!", "Kiitos!", "Great."]
    assert all("We send you an M." in message.quoted_text for message in (gmail, outlook, apple))
    assert "We send you an M." not in gmail.html
    assert "We send you an M." in gmail.quoted_html


def test_attachments_and_inline_images_are_kept_under_their_names(mailbox: Mailbox) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@customer.example", mailbox.address, "Photo"
    mail["Message-ID"] = "<photo@customer.example>"
    mail.set_content("See the photo.")
    mail.add_alternative('<p>See <img src="cid:photo1"></p>', subtype="html")
    html: Any = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(PIXEL, "image", "png", cid="<photo1>", filename="kuva.png")
    mail.add_attachment(b"%PDF-1.4 receipt", "application", "pdf", filename="Käyttöohje – lämpö.pdf")

    message = land(mailbox, mail.as_bytes())

    files = {one.name: one for one in message.attachments.all()}
    assert set(files) == {"kuva.png", "Käyttöohje – lämpö.pdf"}
    assert (files["kuva.png"].inline, files["kuva.png"].content_id) == (True, "photo1")
    assert "cid:photo1" in message.html
    with files["Käyttöohje – lämpö.pdf"].file.open("rb") as file:
        assert file.read() == b"%PDF-1.4 receipt"
    assert message.ticket is not None
    assert message.ticket.has_attachments


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"\x00\xff\xfe not a mail \x00" * 50, b"Subject: \r\n\r\n", b"From: <>\r\n\r\nHello"]
)
def test_whatever_comes_is_accounted_for(mailbox: Mailbox, raw: bytes) -> None:
    incoming = take_in(mailbox, raw)

    assert (incoming.state, incoming.outcome) == (IncomingState.DONE, "opened")
    assert incoming.raw_bytes() == raw
    ticket = Message.objects.get(incoming=incoming).ticket
    assert ticket is not None
    assert ticket.name == ""
    with override("fi"):
        assert str(ticket) == f"#{ticket.number} (ei aihetta)"


def test_a_mail_of_thirty_megabytes_comes_in_whole(mailbox: Mailbox) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@customer.example", mailbox.address, "Big"
    mail.set_content("The film is attached.")
    content = bytes(range(256)) * 90_000
    mail.add_attachment(content, "video", "mp4", filename="film.mp4")
    raw = mail.as_bytes()
    assert len(raw) > 30_000_000

    message = land(mailbox, raw)

    with message.attachments.get().file.open("rb") as file:
        assert file.read() == content


def test_a_mail_from_a_server_whose_clock_is_ahead_counts_from_now(mailbox: Mailbox) -> None:
    """Else it stood on top of its ticket, and of what waits, until that time has come."""
    now = timezone.now()
    stored = receiving.store(mailbox, make_mail(), source="pipe", now=now)
    Incoming.objects.update(received_at=now + timedelta(hours=3))
    receiving.process(stored.pk, now=now)
    message = Message.objects.get()
    assert message.at == now
    assert message.ticket
    assert message.ticket.turn_since == now


def test_a_mail_dated_in_another_century_counts_from_when_it_came(mailbox: Mailbox) -> None:
    raw = make_mail().replace(b"\r\nDate: ", b"\r\nDate: Thu, 1 Jan 2099 00:00:00 +0000\r\nX-Was: ", 1)
    assert abs(land(mailbox, raw).at - timezone.now()) < timedelta(minutes=1)


@pytest.mark.parametrize("path", sorted(EMAILS.glob("*.eml")), ids=lambda path: path.stem)
def test_every_mail_we_met_is_accounted_for(mailbox: Mailbox, path: Path) -> None:
    incoming = take_in(mailbox, path.read_bytes())

    assert incoming.state == IncomingState.DONE, incoming.error
    refused = incoming.outcome.startswith("refused:")
    assert refused or incoming.outcome == "opened"
    assert Message.objects.filter(incoming=incoming).count() == (0 if refused else 1)


# Twice


def test_the_same_mail_handed_in_twice_is_one_row(mailbox: Mailbox) -> None:
    raw = make_mail()
    first = take_in(mailbox, b"Received: from a by b; once\r\n" + raw)
    second = receiving.store(mailbox, b"Received: from a by b; again\r\n" + raw, source="pipe", now=timezone.now())

    assert (second.pk, second.was_known) == (first.pk, True)
    assert Message.objects.count() == 1


def test_the_same_message_id_with_other_words_is_kept(mailbox: Mailbox) -> None:
    for text in ("First", "Second"):
        take_in(mailbox, make_mail(text, message_id="same@customer.example"))
    assert Message.objects.count() == 2


def test_processing_twice_makes_one_message(mailbox: Mailbox) -> None:
    incoming = take_in(mailbox, make_mail())
    receiving.process(incoming.pk)
    assert Message.objects.count() == 1


# What goes wrong


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    program = str(Path(__file__).with_name("poisoned_child.py"))
    monkeypatch.setattr(pool, "COMMAND", [sys.executable, program])
    monkeypatch.setattr(pool, "SECONDS", 1.5)
    monkeypatch.setattr(pool, "_pool", pool._Pool())


@pytest.mark.parametrize(
    ("kind", "words"), [("hang", "longer than"), ("memory", "more memory"), ("kill", "signal 9"), ("raise", "so deep")]
)
def test_poison_ends_in_quarantine_with_a_ticket_and_the_next_mail_goes_on(
    mailbox: Mailbox, poison: None, monkeypatch: pytest.MonkeyPatch, kind: str, words: str
) -> None:
    # On a busy machine even the start of a process takes its time.
    monkeypatch.setattr(pool, "SECONDS", 1.5 if kind == "hang" else 20.0)
    raw = make_mail(X_Poison=kind, subject="Poison")
    stored = receiving.store(mailbox, raw, source="pipe", now=timezone.now())
    begun = time.monotonic()

    incoming = receiving.settle(stored.pk)
    monkeypatch.setattr(pool, "SECONDS", 20.0)
    after = take_in(mailbox, make_mail(subject="The next one"))

    assert (incoming.state, incoming.tries, incoming.outcome) == (IncomingState.QUARANTINED, 3, "")
    assert words in incoming.error
    assert kind != "hang" or time.monotonic() - begun < 15
    message = Message.objects.get(incoming=incoming)
    ticket = message.ticket
    assert ticket is not None
    assert ticket.name == "This mail could not be read"
    assert ticket.contact is not None
    assert ticket.contact.address == "elina@customer.example"
    with message.attachments.get().file.open("rb") as file:
        assert file.read() == raw
    assert after.outcome == "opened"


def test_a_reading_process_whose_worker_was_killed_ends_quietly() -> None:
    raw = make_mail()
    orphan = subprocess.Popen(
        [*pool.COMMAND, str(2**30)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert orphan.stdin
    assert orphan.stdout
    orphan.stdout.close()
    _, said = orphan.communicate(child.JOB.pack(False, 20.0, len(raw)) + raw, timeout=30)
    assert (orphan.returncode, said) == (0, b"")


def test_a_mail_in_quarantine_can_be_processed_again_and_is_one_message(
    mailbox: Mailbox, poison: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = receiving.store(mailbox, make_mail(X_Poison="raise"), source="pipe", now=timezone.now())
    incoming = receiving.settle(stored.pk)
    notice = Message.objects.get(incoming=incoming)
    monkeypatch.undo()

    again = receiving.process_again(incoming)

    assert (again.state, again.outcome) == (IncomingState.DONE, "opened")
    message = Message.objects.get()
    assert (message.pk, message.ticket_id) == (notice.pk, notice.ticket_id)
    assert message.text == "The jacket is a size S, I ordered an M."
    assert Ticket.objects.get().name == "Wrong size delivered"
    assert not Attachment.objects.exists()
    with pytest.raises(NotInQuarantine):
        receiving.process_again(again)


def test_what_was_an_answer_leaves_the_ticket_of_its_notice(
    mailbox: Mailbox, poison: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = land(mailbox, make_mail(message_id="known@customer.example"))
    raw = make_mail("Hello?", X_Poison="raise", answers="known@customer.example")
    incoming = receiving.settle(receiving.store(mailbox, raw, source="pipe", now=timezone.now()).pk)
    notice_ticket = Message.objects.get(incoming=incoming).ticket
    monkeypatch.undo()

    receiving.process_again(incoming)

    assert Message.objects.get(incoming=incoming).ticket == first.ticket
    assert notice_ticket is not None
    notice_ticket.refresh_from_db()
    assert notice_ticket.trashed_at is not None


def test_a_worker_that_died_is_made_good_by_the_sweeper(mailbox: Mailbox) -> None:
    now = timezone.now()
    incoming = receiving.store(mailbox, make_mail(), source="pipe", now=now)
    assert Incoming.objects.claim(incoming.pk, now=now)

    assert not Incoming.objects.overlooked(now + timedelta(seconds=29)).exists()
    assert list(Incoming.objects.overlooked(now + timedelta(seconds=31))) == [incoming]
    done = receiving.process(incoming.pk, now=now + timedelta(seconds=31))

    assert (done.outcome, done.tries) == ("opened", 2)


def test_a_mail_that_kills_every_worker_ends_in_quarantine(mailbox: Mailbox) -> None:
    now = timezone.now()
    incoming = receiving.store(mailbox, make_mail(), source="pipe", now=now)
    for death in range(3):
        assert Incoming.objects.claim(incoming.pk, now=now + timedelta(minutes=death))

    done = receiving.process(incoming.pk, now=now + timedelta(minutes=3))

    assert done.state == IncomingState.QUARANTINED
    assert Message.objects.get().ticket.name == "This mail could not be read"  # type: ignore[union-attr]


def test_a_worker_that_was_given_up_writes_nothing(mailbox: Mailbox) -> None:
    now = timezone.now()
    stored = receiving.store(mailbox, make_mail(), source="pipe", now=now)
    slow = Incoming.objects.claim(stored.pk, now=now)
    assert slow
    receiving.process(stored.pk, now=now + timedelta(minutes=1))

    with pytest.raises(receiving.LeaseLost):
        slow.finish("opened")
    assert Message.objects.count() == 1


def test_a_storage_that_is_away_for_a_while_costs_only_time(mailbox: Mailbox) -> None:
    now = timezone.now()
    raw = make_mail()
    incoming = receiving.store(mailbox, raw, source="pipe", now=now)
    name = str(incoming.raw.name)
    default_storage.delete(name)
    waiting = receiving.process(incoming.pk, now=now)
    assert (waiting.state, waiting.tries) == (IncomingState.STORED, 1)

    Path(default_storage.path(name)).write_bytes(raw)
    assert receiving.process(incoming.pk, now=now).state == IncomingState.STORED, "it is not due yet"
    assert receiving.process(incoming.pk, now=now + timedelta(seconds=6)).outcome == "opened"


def test_files_of_a_transaction_that_fails_go_with_it(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "a@customer.example", mailbox.address
    mail.set_content("See the file.")
    mail.add_attachment(b"content", "text", "x", filename="a.txt")
    folder = f"attachments/{timezone.now():%Y/%m/%d}"
    before = set(listed(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ticket, "heard", _fail)
        take_in(mailbox, mail.as_bytes())

    assert set(listed(folder)) == before
    assert not Message.objects.exists()


def _fail(*args: Any, **kwargs: Any) -> None:
    raise ValueError("as if there were a bug")


def listed(folder: str) -> list[str]:
    try:
        return default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return []


def test_a_file_that_no_row_names_is_collected_after_an_hour(mailbox: Mailbox) -> None:
    kept = take_in(mailbox, make_mail())
    now = timezone.now()
    lost = receiving._keep(b"written, and then the worker died", [], now)

    assert leftovers.collect(now + timedelta(minutes=50)) == 0
    leftovers.collect(now + timedelta(minutes=70))

    assert not default_storage.exists(lost)
    assert default_storage.exists(str(kept.raw.name))


@pytest.mark.django_db(transaction=True)
def test_however_many_mails_come_at_once_a_worker_reads_few_of_them_at_a_time(mailbox: Mailbox, poison: None) -> None:
    """Each is read in a process of its own, and it has more slots than the machine has memory for those."""
    stored = [receiving.store(mailbox, make_mail(X_Poison="hang"), source="pipe", now=timezone.now()) for _ in range(8)]

    def work(pk: int) -> None:
        receiving.process(pk)
        connection.close()

    def children() -> int:
        found = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", "poisoned_child"], capture_output=True)
        return len(found.stdout.split())

    of_other_tests = children()
    workers = [threading.Thread(target=work, args=(incoming.pk,)) for incoming in stored]
    for worker in workers:
        worker.start()
    most = 0
    while any(worker.is_alive() for worker in workers):
        most = max(most, children() - of_other_tests)
    assert 1 < most <= pool.AT_ONCE
    assert {row.tries for row in Incoming.objects.all()} == {1}
