"""What becomes no message, and what a machine wrote."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inbox import threading
from inbox.models import Incoming, Mailbox, Message, Outgoing
from inbox.replying import reply
from tests.factories import make_mailbox, make_user
from tests.inbox.mails import land, make_mail, take_in
from tickets.models import EventKind, Kind, Ticket

pytestmark = pytest.mark.django_db

BOUNCE = """From: MAILER-DAEMON@mx.customer.example
To: support@desk.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn{n}@mx.customer.example>
Return-Path: <>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver your mail.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.customer.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {status} No such user

--b
Content-Type: text/rfc822-headers

Message-ID: <{bounced}>
Subject: Re: Wrong size delivered

--b--
"""


def make_bounce(
    bounced: str, *, action: str = "failed", status: str = "5.1.1", recipient: str = "elina@customer.example"
) -> bytes:
    text = BOUNCE.format(bounced=bounced, action=action, status=status, recipient=recipient, n=Incoming.objects.count())
    return text.replace("\n", "\r\n").encode()


@pytest.fixture
def mailbox() -> Mailbox:
    return make_mailbox("support@desk.example")


@pytest.fixture
def sent(mailbox: Mailbox) -> Outgoing:
    first = land(mailbox, make_mail(message_id="known@customer.example"))
    assert first.ticket
    message = reply(first.ticket, by=make_user(), text="We send you an M.")
    Outgoing.objects.filter(message=message).update(state="sent")
    return Outgoing.objects.get(message=message)


def turn(outgoing: Outgoing) -> int:
    return Ticket.objects.get(pk=outgoing.message.ticket_id).turn


def test_a_bounce_is_noted_on_the_mail_that_bounced(mailbox: Mailbox, sent: Outgoing) -> None:
    row = take_in(mailbox, make_bounce(sent.mail_id))

    sent.refresh_from_db()
    assert row.outcome == "refused:bounce"
    assert sent.state == "bounced"
    assert "5.1.1" in sent.last_answer
    assert sent.recipients.get().state == "bounced"
    assert Message.objects.count() == 2


def test_a_bounce_puts_the_ticket_back_where_its_owner_looks_once(mailbox: Mailbox, sent: Outgoing) -> None:
    assert turn(sent) == Kind.WAITING_ON_CONTACT
    take_in(mailbox, make_bounce(sent.mail_id))
    ticket = Ticket.objects.get()
    assert (ticket.turn, ticket.undelivered) == (Kind.WAITING_ON_US, True)
    assert ticket.events.last().kind == EventKind.UNDELIVERED
    take_in(mailbox, make_bounce(sent.mail_id))
    assert ticket.events.filter(kind=EventKind.UNDELIVERED).count() == 1


def test_a_bounce_of_a_mail_that_we_never_sent_is_ordinary_mail(mailbox: Mailbox, sent: Outgoing) -> None:
    assert take_in(mailbox, make_bounce("forged@desk.example")).outcome == "opened"
    sent.refresh_from_db()
    assert sent.state == "sent"


def test_a_report_that_names_nobody_whom_we_wrote_to_changes_nothing(mailbox: Mailbox, sent: Outgoing) -> None:
    row = take_in(mailbox, make_bounce(sent.mail_id, recipient="somebody@elsewhere.example"))

    sent.refresh_from_db()
    assert row.outcome == "opened"
    assert Message.objects.get(incoming=row).automatic == "bounce"
    assert (sent.state, sent.recipients.get().state) == ("sent", "pending")


def test_a_bounce_of_the_address_that_theirs_forwards_to_is_theirs(mailbox: Mailbox, sent: Outgoing) -> None:
    raw = make_bounce(sent.mail_id, recipient="elina@private.example")
    raw = raw.replace(b"Action:", b"Original-Recipient: rfc822; elina@customer.example\r\nAction:")
    assert take_in(mailbox, raw).outcome == "refused:bounce"
    assert sent.recipients.get().state == "bounced"


def test_a_delay_is_no_failure(mailbox: Mailbox, sent: Outgoing) -> None:
    row = take_in(mailbox, make_bounce(sent.mail_id, action="delayed", status="4.4.1"))

    sent.refresh_from_db()
    assert row.outcome == "refused:report"
    assert sent.state == "sent"


def test_a_bounce_that_is_faster_than_the_end_of_sending_is_looked_at_again(mailbox: Mailbox, sent: Outgoing) -> None:
    Outgoing.objects.update(state="sending")
    row = take_in(mailbox, make_bounce(sent.mail_id))
    assert (row.state, row.outcome) == ("stored", "")


def test_our_own_mail_seen_in_the_mailbox_is_known(mailbox: Mailbox, sent: Outgoing) -> None:
    with sent.mime.open("rb") as file:
        row = take_in(mailbox, file.read())

    assert row.outcome == "refused:own_copy"
    assert Message.objects.count() == 2
    assert not Message.objects.filter(incoming=row).exists()


def test_our_own_mail_is_known_with_what_servers_on_the_way_add(mailbox: Mailbox, sent: Outgoing) -> None:
    with sent.mime.open("rb") as file:
        raw = file.read()
    subject = f"Subject: {sent.message.subject}".encode()
    assert subject in raw
    raw = raw.replace(subject, b"Subject: [EXTERNAL] " + sent.message.subject.encode())
    raw = raw.replace(b"We send you an M.", b"Caution: from outside.\r\n\r\nWe send\r\nyou an M.\r\n\r\nChecked by us.")

    assert take_in(mailbox, raw).outcome == "refused:own_copy"


@pytest.mark.parametrize("header", ["Message-ID", "X-Desk-Message"])
def test_an_imitation_of_our_mail_replaces_nothing_and_lands_beside_its_ticket(
    mailbox: Mailbox, sent: Outgoing, client: Client, header: str
) -> None:
    ours = {"message_id": sent.mail_id} if header == "Message-ID" else {"X_Desk_Message": f"<{sent.mail_id}>"}
    forged = make_mail(
        "Pay to this account.", sender="Desk <support@desk.example>", subject=sent.message.subject, answers=sent.mail_id, **ours
    )  # fmt: skip
    landed = land(mailbox, forged)

    assert landed.ticket_id != sent.message.ticket_id
    assert Ticket.objects.get(pk=landed.ticket_id).links.get().other_id == sent.message.ticket_id
    client.force_login(make_user())
    original = b"".join(client.get(f"/messages/{sent.message.pk}/original/").streaming_content)
    with sent.mime.open("rb") as file:
        assert original == file.read()


def test_who_answers_our_mail_lands_on_its_ticket_though_somebody_used_its_id(mailbox: Mailbox, sent: Outgoing) -> None:
    land(mailbox, make_mail("Mine.", sender="mallory@elsewhere.example", message_id=sent.mail_id))

    assert land(mailbox, make_mail("Thank you.", answers=sent.mail_id)).ticket_id == sent.message.ticket_id


def test_what_one_team_writes_to_the_other_is_mail_there(mailbox: Mailbox, sent: Outgoing) -> None:
    sales = make_mailbox("sales@desk.example")
    sent.recipients.create(address="sales@desk.example")
    with sent.mime.open("rb") as file:
        row = take_in(sales, file.read())

    assert row.outcome == "opened"


def test_an_absence_note_is_kept_and_changes_nothing(mailbox: Mailbox, sent: Outgoing) -> None:
    note = land(
        mailbox,
        make_mail(
            "I am back on Monday.",
            subject="Automatic reply: Re: Wrong",
            answers=sent.mail_id,
            Auto_Submitted="auto-replied",
        ),
    )

    assert note.ticket_id == sent.message.ticket_id
    assert note.automatic == "auto_reply"
    assert turn(sent) == Kind.WAITING_ON_CONTACT


def test_an_absence_note_does_not_reopen_a_closed_ticket(mailbox: Mailbox, sent: Outgoing) -> None:
    ticket = Ticket.objects.get(pk=sent.message.ticket_id)
    ticket.move_to(ticket.pipeline.first_status(Kind.CLOSED), by=None, now=sent.created_at)

    note = land(mailbox, make_mail(answers=sent.mail_id, Auto_Submitted="auto-replied"))

    assert note.ticket_id == ticket.pk
    assert turn(sent) == Kind.CLOSED


def test_an_automatic_mail_of_ours_that_comes_back_is_a_loop(mailbox: Mailbox) -> None:
    raw = make_mail(X_Desk_Instance=threading.instance(), Auto_Submitted="auto-generated")
    assert take_in(mailbox, raw).outcome == "refused:loop"


def test_a_mail_of_another_help_desk_is_mail(mailbox: Mailbox) -> None:
    assert take_in(mailbox, make_mail(X_Desk_Instance="another")).outcome == "opened"


def test_a_read_receipt_opens_no_ticket(mailbox: Mailbox) -> None:
    raw = (
        b"From: elina@customer.example\r\nTo: support@desk.example\r\nSubject: Read: Re: Wrong size\r\n"
        b"Message-ID: <r@customer.example>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nYour message was read.\r\n"
        b"--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: manual-action; displayed\r\n--b--\r\n"
    )
    assert take_in(mailbox, raw).outcome == "refused:report"


def test_mail_from_an_agents_address_is_never_shown_as_the_agents(mailbox: Mailbox) -> None:
    agent: Any = make_user(email="kirsi@desk.example")

    message = land(mailbox, make_mail(sender="Kirsi <kirsi@desk.example>"))

    assert message.author is None
    assert message.contact is not None
    assert message.contact.address == agent.email
