"""The mail room: mail on this machine becomes tickets, answers are caught and read on the page "Customer's side"."""

from __future__ import annotations

import asyncio
import os
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from inbox import mail_room
from inbox.mail_room.server import serve
from inbox.models import Direction, Incoming, Mailbox, Message, RoomMail
from people.models import User
from people.tasks import send_reset_link
from tests.factories import make_contact, make_mailbox, make_ticket, make_user
from tests.processes import CHECKOUT
from tickets.models import Ticket

CUSTOMER = "anna.berg@customer.example"


@pytest.fixture
def open_room(settings: Any) -> None:
    settings.HELPDESK_MAIL_ROOM = True


@pytest.fixture
def mailbox(db: None, open_room: None) -> Mailbox:
    return make_mailbox("support@desk.example", name="Desk Support", uses_mail_room=True)


@pytest.fixture
def agent(db: None) -> User:
    return make_user()


@pytest.fixture
def page(client: Client, agent: User, open_room: None) -> Client:
    client.force_login(agent)
    return client


@pytest.fixture
def port(transactional_db: None, open_room: None) -> Iterator[int]:
    """A running mail room."""
    known: list[int] = []
    ready = threading.Event()
    loop = asyncio.new_event_loop()

    def say(port: int) -> None:
        known.append(port)
        ready.set()

    async def run() -> None:
        await serve(0, ready=say)

    task = loop.create_task(run())
    thread = threading.Thread(target=loop.run_until_complete, args=(task,))
    thread.start()
    assert ready.wait(5)
    yield known[0]
    loop.call_soon_threadsafe(task.cancel)
    thread.join(5)
    loop.close()


def a_mail(subject: str = "The zip broke", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = f"Anna Berg <{CUSTOMER}>"
    mail["To"] = "support@desk.example"
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{subject.replace(' ', '.').lower()}@customer.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("It broke after a week.")
    return mail


def letter(**words: Any) -> dict[str, Any]:
    import uuid

    return {
        "name": "Anna Berg",
        "address": CUSTOMER,
        "to": "support@desk.example",
        "subject": "The zip broke",
        "text": "It broke after a week.",
        "form_key": str(uuid.uuid4()),
    } | words


# -- By SMTP


def test_a_mail_to_the_port_is_a_ticket(port: int) -> None:
    make_mailbox("support@desk.example")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.send_message(a_mail())
    assert Ticket.objects.get().name == "The zip broke"
    assert Incoming.objects.get().source == "room"
    assert RoomMail.objects.get().people == [CUSTOMER, "support@desk.example"]


def test_what_the_desk_sends_is_caught_whoever_it_is_for(port: int) -> None:
    make_mailbox("support@desk.example")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail("support@desk.example", ["someone@elsewhere.example"], b"Subject: Hello\r\n\r\nText")
    assert RoomMail.objects.get().recipients == ["someone@elsewhere.example"]
    assert not Ticket.objects.exists()


def test_an_unknown_address_of_the_desks_domain_is_refused(port: int) -> None:
    make_mailbox("support@desk.example")
    with smtplib.SMTP("127.0.0.1", port) as server, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        server.sendmail(CUSTOMER, ["suport@desk.example"], b"Subject: Hello\r\n\r\nText")
    assert refused.value.recipients["suport@desk.example"] == (
        550,
        b"5.1.1 <suport@desk.example>: no mailbox with this address",
    )
    assert not RoomMail.objects.exists()


def test_a_mailbox_that_fetches_elsewhere_or_is_off_is_refused(port: int) -> None:
    make_mailbox("off@desk.example", enabled=False)
    make_mailbox("imap@desk.example", imap_host="imap.desk.example")
    with smtplib.SMTP("127.0.0.1", port) as server:
        for address in ("off@desk.example", "imap@desk.example"):
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                server.sendmail(CUSTOMER, [address], b"Subject: Hello\r\n\r\nText")
    assert not Incoming.objects.exists()


def test_while_the_database_is_away_the_sender_is_told_to_come_back(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    make_mailbox("support@desk.example")

    def away(*args: Any, **options: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr("inbox.mail_room.receiving.store", away)
    with smtplib.SMTP("127.0.0.1", port) as server, pytest.raises(smtplib.SMTPDataError) as answer:
        server.send_message(a_mail())
    assert answer.value.smtp_code == 451
    assert not RoomMail.objects.exists()


def test_the_same_mail_sent_again_is_one_ticket(port: int) -> None:
    make_mailbox("support@desk.example")
    for _ in range(2):
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.send_message(a_mail())
    assert Ticket.objects.count() == 1
    assert Message.objects.count() == 1


def test_one_mail_for_two_mailboxes_reaches_both(port: int) -> None:
    make_mailbox("support@desk.example")
    make_mailbox("returns@desk.example")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail(CUSTOMER, ["Support@desk.example", "returns@desk.example"], a_mail().as_bytes())
    assert Incoming.objects.values("mailbox").distinct().count() == 2
    assert RoomMail.objects.count() == 1


def test_foreign_addresses_long_lines_and_things_that_are_no_mail_are_taken(port: int) -> None:
    make_mailbox("support@desk.example")
    with smtplib.SMTP("127.0.0.1", port) as server:
        server.sendmail(
            "jörg@müller.example", ["support@desk.example"], b"Subject: x\r\n\r\ny", mail_options=["SMTPUTF8"]
        )
        server.sendmail(CUSTOMER, ["support@desk.example"], b"Subject: long\r\n\r\n" + b"word " * 60_000)
        server.sendmail(CUSTOMER, ["support@desk.example"], bytes(range(256)) * 20)
        server.sendmail(CUSTOMER, ["support@desk.example"], b"")
    assert Incoming.objects.count() == RoomMail.objects.count() == 4
    assert not Incoming.objects.exclude(state="done").exists()


def test_whoever_talks_nonsense_is_answered_and_others_are_still_served(port: int) -> None:
    make_mailbox("support@desk.example")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
        one.sendall(b"GET / HTTP/1.1\r\n\x00\xff\xfe\r\n" * 3)
        heard = b""
        while b"500" not in heard:
            heard += one.recv(4096)
        many = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(60)]
        with smtplib.SMTP("127.0.0.1", port) as server:
            server.send_message(a_mail())
        for each in many:
            each.close()
    assert Ticket.objects.count() == 1


def test_it_does_not_open_beside_a_production_setting(settings: Any) -> None:
    settings.HELPDESK_MAIL_ROOM = False
    with pytest.raises(CommandError, match="closed beside production settings"):
        call_command("mail_room")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        # A process of its own: browser tests leave an event loop behind in theirs.
        ended = subprocess.run(
            [sys.executable, "manage.py", "mail_room", "--port", str(taken)],
            env={name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{taken}" in ended.stderr


# -- The page


def test_a_mail_written_on_the_page_is_a_ticket(page: Client, mailbox: Mailbox, on_commit: Any) -> None:
    attached = SimpleUploadedFile("zip.png", b"\x89PNG\r\n\x1a\n", content_type="image/png")
    with on_commit():
        answer = page.post("/mail-room/?new=1", letter(attachments=[attached]), follow=True)
    ticket = Ticket.objects.get()
    assert (ticket.name, ticket.contact and ticket.contact.address) == ("The zip broke", CUSTOMER)
    assert ticket.messages.get().attachments.get().name == "zip.png"
    assert "zip.png" in answer.content.decode()


def test_the_same_form_sent_twice_is_one_mail(page: Client, mailbox: Mailbox, on_commit: Any) -> None:
    words = letter()
    with on_commit():
        for _ in range(2):
            page.post("/mail-room/", words)
    assert Ticket.objects.count() == RoomMail.objects.count() == 1


def test_a_mail_needs_words_and_an_address(page: Client, mailbox: Mailbox) -> None:
    answer = page.post("/mail-room/", letter(text=" ", address="nobody"))
    assert answer.status_code == 422
    assert "Write something first." in answer.content.decode()
    assert not RoomMail.objects.exists()


def test_without_a_mailbox_there_is_nowhere_to_write_and_a_link_to_make_one(page: Client, agent: User) -> None:
    body = page.get("/mail-room/?new=1").content.decode()
    assert "No mailbox takes mail from this page yet" in body
    assert 'href="/settings/mailboxes/new/"' in body
    assert 'name="to"' not in body
    assert page.post("/mail-room/?new=1", {"text": "Hello"}).status_code == 422
    agent.settings_right = False
    agent.save(update_fields=["settings_right"])
    body = page.get("/mail-room/").content.decode()
    assert "No mailbox takes mail from this page yet" in body
    assert "/settings/mailboxes/new/" not in body


def test_a_mailbox_of_another_server_is_not_written_to_from_here(page: Client) -> None:
    make_mailbox("support@desk.example", imap_host="imap.desk.example")
    body = page.get("/mail-room/").content.decode()
    assert "No mailbox takes mail from this page yet" in body
    assert 'name="to"' not in body


def test_a_subject_cannot_bring_headers_along(page: Client, mailbox: Mailbox, on_commit: Any) -> None:
    with on_commit():
        page.post("/mail-room/", letter(subject="Hello\r\nBcc: other@customer.example"))
    assert "bcc" not in RoomMail.objects.get().parsed().headers
    assert Message.objects.get().subject == "Hello Bcc: other@customer.example"


def test_an_answer_is_shown_in_the_thread_with_its_files_and_pictures(
    page: Client, agent: User, mailbox: Mailbox, on_commit: Any
) -> None:
    with on_commit():
        page.post("/mail-room/", letter())
    first = RoomMail.objects.get()
    answer = a_mail(In_Reply_To=f"<{first.message_id}>")
    answer.replace_header("From", "Desk Support <support@desk.example>")
    answer.replace_header("To", CUSTOMER)
    answer.add_alternative(
        '<p onclick="x()">We send a <b>new</b> one.</p><script>x()</script><img src="cid:seam@desk.example">'
        '<blockquote type="cite">It broke after a week.</blockquote>',
        subtype="html",
    )
    answer.get_payload()[-1].add_related(b"\x89PNG", "image", "png", cid="<seam@desk.example>")
    answer.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="label.pdf")
    kept = mail_room.deliver(answer.as_bytes(), sender="support@desk.example", recipients=[CUSTOMER]).kept
    assert kept.thread_id == first.pk

    thread = page.get(f"/mail-room/?as={CUSTOMER}&thread={first.pk}").content.decode()
    assert "label.pdf" in thread
    assert f"/mail-room/{kept.pk}/body/" in thread
    assert "Content-Type: multipart/mixed" in thread  # the header, on demand

    body = page.get(f"/mail-room/{kept.pk}/body/")
    shown = body.content.decode()
    assert "We send a <b>new</b> one." in shown
    assert "script" not in shown
    assert "onclick" not in shown
    assert "default-src 'none'" in body["Content-Security-Policy"]
    assert (body["X-Content-Type-Options"], body["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert "img-src 'self' data:;" in body["Content-Security-Policy"]
    image = shown.partition('src="')[2].partition('"')[0]
    assert page.get(image).getvalue() == b"\x89PNG"


def test_a_reply_names_what_it_answers_and_quotes_it(page: Client, mailbox: Mailbox, on_commit: Any) -> None:
    with on_commit():
        page.post("/mail-room/", letter())
    first = RoomMail.objects.get()
    form = page.get(f"/mail-room/?as={CUSTOMER}&thread={first.pk}&answers={first.pk}").content.decode()
    assert 'value="Re: The zip broke"' in form
    with on_commit():
        page.post(
            f"/mail-room/?as={CUSTOMER}&answers={first.pk}", letter(subject="Re: The zip broke", text="Any news?")
        )
    reply = RoomMail.objects.last()
    assert reply is not None
    mail = reply.parsed()
    assert (mail.in_reply_to, mail.references) == (first.message_id, [first.message_id])
    assert "> It broke after a week." in mail.text
    assert '<blockquote type="cite"' in mail.html
    assert reply.thread_id == first.pk
    ticket = Ticket.objects.get()  # and the desk found it too
    assert [message.text.strip() for message in ticket.messages.filter(direction=Direction.IN)][-1] == "Any news?"


def test_the_page_asks_for_what_is_new_and_is_told_when_nothing_is(
    page: Client, mailbox: Mailbox, on_commit: Any
) -> None:
    with on_commit():
        page.post("/mail-room/", letter())
    first = RoomMail.objects.get()
    asked = f"/mail-room/?as={CUSTOMER}&thread={first.pk}&part=thread&known="
    assert page.get(f"{asked}{first.pk}").status_code == 204
    fresh = page.get(f"{asked}0").content.decode()
    assert fresh.lstrip().startswith('<div class="thread" id="room-thread"')
    assert "<form" not in fresh
    assert page.get(f"/mail-room/?as={CUSTOMER}&part=threads&known={first.pk}").status_code == 204


def test_without_a_customer_one_chooses_from_those_who_wrote_and_the_contacts(page: Client, mailbox: Mailbox) -> None:
    make_ticket(contact=make_contact("lumi@customer.example", "Lumi Aalto"))
    shown = page.get("/mail-room/").content.decode()
    assert "Lumi Aalto" in shown
    assert "support@desk.example" in shown


@pytest.mark.parametrize("access", ["own", "team"])
@pytest.mark.parametrize("role", ["agent", "collaborator"])
def test_whoever_sees_a_part_of_the_tickets_only_has_no_such_page(
    client: Client, mailbox: Mailbox, role: str, access: str
) -> None:
    kept = mail_room.deliver(a_mail().as_bytes(), sender=CUSTOMER, recipients=["support@desk.example"]).kept
    client.force_login(make_user(role, ticket_access=access))
    for address in ("/mail-room/", f"/mail-room/?as={CUSTOMER}", f"/mail-room/{kept.pk}/body/"):
        assert client.get(address).status_code == 404
    assert client.post("/mail-room/", letter()).status_code == 404
    assert "/mail-room/" not in client.get("/").content.decode()
    client.force_login(make_user("collaborator"))
    assert "/mail-room/" in client.get("/").content.decode()


@pytest.mark.parametrize("typed", ["boss@ääkkö.test", "Boss@ÄÄKKÖ.test", "boss@xn--kk-uiaa6g.test"])
def test_a_reset_link_is_the_admins_however_the_domain_is_written(
    client: Client, page: Client, mailbox: Mailbox, port: int, settings: Any, typed: str
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1"
    settings.EMAIL_PORT = port
    admin = make_user("admin", email="boss@ääkkö.test")
    send_reset_link(typed)
    kept = RoomMail.objects.get()
    for address in ("boss@ääkkö.test", "boss@xn--kk-uiaa6g.test", "BOSS@xn--KK-uiaa6g.test"):
        assert "password" not in page.get("/mail-room/", {"as": address}).content.decode().lower()
        assert page.get("/mail-room/", {"as": address, "thread": kept.pk}).context["threads"] == []
    assert page.get(f"/mail-room/{kept.pk}/body/").status_code == 404
    page.force_login(admin)
    assert page.get("/mail-room/", {"as": "boss@ääkkö.test"}).context["threads"]


def test_what_the_desk_itself_sends_is_for_whom_it_was_sent_to(page: Client, agent: User, mailbox: Mailbox) -> None:
    def from_desk(recipient: str) -> int:
        raw = b"From: Desk <desk@localhost>\r\nSubject: A link\r\n\r\nlink"
        return RoomMail.objects.keep(raw, sender="desk@localhost", recipients=[recipient], now=timezone.now()).pk

    mine, of_nobody_we_know = from_desk(agent.email), from_desk("somebody@elsewhere.example")
    assert page.get(f"/mail-room/{mine}/body/").status_code == 200
    assert page.get(f"/mail-room/{of_nobody_we_know}/body/").status_code == 404


def test_an_address_with_a_nul_is_no_error(page: Client, mailbox: Mailbox) -> None:
    assert page.get("/mail-room/?as=%00").status_code == 200
    assert page.get(f"/mail-room/?as={CUSTOMER}%00").context["customer"] == CUSTOMER


def test_a_mail_that_takes_for_ever_to_read_holds_up_neither_the_room_nor_the_page(
    page: Client, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inbox.models.room.SECONDS", 0.0)
    raw = (
        b"From: Anna <anna@customer.example>\r\nSubject: Slow\r\nContent-Type: text/html\r\n\r\n"
        + b"<svg\r\n" * 400_000
    )
    begun = time.monotonic()
    kept = RoomMail.objects.keep(raw, sender="anna@customer.example", recipients=[CUSTOMER], now=timezone.now())
    assert time.monotonic() - begun < 2
    assert (kept.subject, kept.from_address, kept.size) == ("Slow", "anna@customer.example", len(raw))
    body = page.get(f"/mail-room/{kept.pk}/body/")
    assert "This mail could not be read." in body.content.decode()
    assert page.get(f"/mail-room/?as={CUSTOMER}&thread={kept.pk}").status_code == 200


def test_mail_from_the_desk_to_a_colleague_is_theirs(page: Client, mailbox: Mailbox) -> None:
    admin = make_user("admin")
    kept = RoomMail.objects.keep(
        b"Subject: Your new password\r\n\r\nlink", sender="desk@localhost", recipients=[admin.email], now=timezone.now()
    )
    assert page.get(f"/mail-room/{kept.pk}/body/").status_code == 404
    assert "Your new password" not in page.get(f"/mail-room/?as={admin.email}").content.decode()
    page.force_login(admin)
    assert "Your new password" in page.get(f"/mail-room/?as={admin.email}").content.decode()


def test_strangers_sign_in_first_and_without_a_mail_room_there_is_no_page(
    client: Client, agent: User, mailbox: Mailbox, settings: Any
) -> None:
    assert client.get("/mail-room/")["Location"].startswith("/login/")
    client.force_login(agent)
    assert client.get("/mail-room/").status_code == 200
    settings.HELPDESK_MAIL_ROOM = False
    for address in ("/mail-room/", "/mail-room/1/body/", "/mail-room/1/attachments/0/"):
        assert client.get(address).status_code == 404


def test_an_attachment_that_is_not_there_is_404(page: Client, mailbox: Mailbox) -> None:
    kept = RoomMail.objects.keep(b"", sender="", recipients=[CUSTOMER], now=timezone.now())
    assert page.get(f"/mail-room/{kept.pk}/attachments/0/").status_code == 404
    assert page.get(f"/mail-room/{kept.pk}/body/").status_code == 200


@pytest.mark.parametrize("typed", ["anna@straße.test", "anna@ÄÄKKÖ.test"])
def test_a_customer_of_a_foreign_domain_writes_and_is_found_again(
    page: Client, mailbox: Mailbox, on_commit: Any, typed: str
) -> None:
    with on_commit():
        page.post("/mail-room/?new=1", letter(address=typed))
    kept = RoomMail.objects.get()
    assert kept.from_address.isascii()
    assert page.get("/mail-room/", {"as": typed}).context["threads"]
    assert Ticket.objects.get().contact == make_contact(typed)
