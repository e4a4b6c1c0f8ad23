"""Notifications by mail, and what becomes of the answers to them. Mails leave by a real server and come in by the pipe."""

from __future__ import annotations

import smtplib
from datetime import timedelta
from email import message_from_bytes
from email.message import Message as Mail
from typing import Any

import pytest
from django.utils import timezone

from inbox import notices
from inbox.commenting import comment
from inbox.mime.compose import new_notice
from inbox.models import Attachment, Incoming, IncomingState, Mailbox, Message, MessageKind, Outgoing
from inbox.threading import token_key
from people.models import User
from tests.factories import make_mailbox, make_message, make_ticket, make_user
from tests.inbox.mails import make_mail, take_in
from tests.inbox.test_commenting import named
from tickets.models import Notification, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailbox(smtp_server: Any) -> Mailbox:
    return make_mailbox("support@desk.example", smtp_port=smtp_server.port, smtp_security="none")


@pytest.fixture
def author() -> User:
    return make_user(name="Aino Virtanen")


@pytest.fixture
def maija() -> User:
    return make_user(name="Maija Laine", email="maija@desk.example", language="en", time_zone="Europe/Helsinki")


@pytest.fixture
def ticket(author: User, mailbox: Mailbox) -> Ticket:
    ticket = make_ticket(owner=author)
    make_message(ticket, mailbox=mailbox)
    Notification.objects.all().delete()
    return ticket


def mail_due(after: int = 61) -> int:
    """What the sweeper does a minute later; says how many left."""
    now = timezone.now() + timedelta(seconds=after)
    return sum(notices.mail(pk, now=now) for pk in Notification.objects.to_mail(now).values_list("pk", flat=True))


def sent(smtp_server: Any) -> list[Mail]:
    return [message_from_bytes(mail.raw) for mail in smtp_server.taken]


def notice_to(maija: User, ticket: Ticket, author: User, smtp_server: Any, words: str = "please look") -> Mail:
    comment(ticket, by=author, html=named(maija, words=words))
    assert mail_due() == 1
    return sent(smtp_server)[-1]


def answer_to(notice: Mail, text: str = "I put one aside.", sender: str = "maija@desk.example", **rest: Any) -> bytes:
    return make_mail(text, sender=f"Maija Laine <{sender}>", answers=str(notice["Message-ID"]).strip("<>"), **rest)


# Out


class Killed(BaseException):
    """What a worker does that is killed: it leaves everything as it is."""


@pytest.mark.parametrize(("moment", "arrives"), [("rcpt", 1), ("data", 0)])
def test_a_worker_that_is_killed_loses_no_notice_and_sends_none_twice(
    maija: User, ticket: Ticket, author: User, smtp_server: Any, monkeypatch: Any, moment: str, arrives: int
) -> None:
    """Killed before the server got the text it is mailed a little later; killed while it gets it, nobody knows."""

    def kill(*_: Any) -> None:
        raise Killed

    comment(ticket, by=author, html=named(maija))
    with monkeypatch.context() as patch:
        patch.setattr(smtplib.SMTP, moment, kill)
        with pytest.raises(Killed):
            mail_due()
    assert mail_due(after=120) == 0, "another worker may still be at it"
    assert mail_due(after=600) == arrives
    assert mail_due(after=1200) == 0
    assert len(smtp_server.taken) == arrives


def test_what_is_read_while_a_worker_is_on_its_way_is_not_mailed(
    maija: User, ticket: Ticket, author: User, smtp_server: Any, monkeypatch: Any
) -> None:
    really = smtplib.SMTP.rcpt

    def read_meanwhile(*arguments: Any) -> Any:
        Notification.objects.filter(user=maija).mark_read(timezone.now())
        return really(*arguments)

    comment(ticket, by=author, html=named(maija))
    monkeypatch.setattr(smtplib.SMTP, "rcpt", read_meanwhile)
    assert mail_due() == 0
    assert not smtp_server.taken


def test_a_mention_is_mailed_a_minute_later_with_the_comment_and_a_link(
    maija: User, ticket: Ticket, author: User, smtp_server: Any, settings: Any
) -> None:
    settings.HELPDESK_PUBLIC_URL = "https://help.example.com"
    written = comment(ticket, by=author, html=named(maija, words="is the shelf empty?"))
    assert mail_due(after=30) == 0
    assert mail_due() == 1
    assert mail_due() == 0

    mail = sent(smtp_server)[-1]
    text = mail.get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert mail["To"] == "Maija Laine <maija@desk.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"].endswith("<support@desk.example>")
    assert "Aino Virtanen mentioned you" in text
    assert "is the shelf empty?" in text
    assert f"https://help.example.com/tickets/{ticket.pk}/?message={written.pk}#m{written.pk}" in text
    assert mail.get_payload(1).get_content_type() == "text/html"  # type: ignore[union-attr]


def test_what_was_read_in_the_browser_meanwhile_is_not_mailed(
    maija: User, ticket: Ticket, author: User, smtp_server: Any
) -> None:
    comment(ticket, by=author, html=named(maija))
    Notification.objects.visible_to(maija).mark_read(timezone.now())
    assert mail_due() == 0


def test_only_what_one_wants_is_mailed(maija: User, ticket: Ticket, author: User) -> None:
    maija.mail_on_mention = False
    maija.save()
    comment(ticket, by=author, html=named(maija))
    assert Notification.objects.filter(user=maija).exists()
    assert mail_due() == 0


def test_what_one_cannot_see_any_more_is_not_mailed(ticket: Ticket, author: User, smtp_server: Any) -> None:
    reader = make_user(ticket_access="own", sees_unassigned=False)
    Ticket.objects.filter(pk=ticket.pk).update(owner=reader)
    ticket.refresh_from_db()
    comment(ticket, by=author, html=named(reader, words="secret words"))
    Ticket.objects.filter(pk=ticket.pk).update(owner=author)
    assert mail_due() == 0
    assert not sent(smtp_server)


def test_a_deleted_comment_is_not_mailed(maija: User, ticket: Ticket, author: User, smtp_server: Any) -> None:
    from inbox import commenting

    written = comment(ticket, by=author, html=named(maija))
    commenting.delete(written, by=author)
    assert mail_due() == 0


def test_it_is_written_in_the_language_of_its_reader(
    maija: User, ticket: Ticket, author: User, smtp_server: Any
) -> None:
    maija.language = "fi"
    maija.save()
    notice = notice_to(maija, ticket, author, smtp_server)
    assert 'lang="fi"' in notice.get_payload(1).get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_a_server_that_is_away_is_asked_again_later(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox
) -> None:
    Mailbox.objects.update(smtp_port=1)
    comment(ticket, by=author, html=named(maija))
    assert mail_due() == 0
    waiting = Notification.objects.get(user=maija)
    assert waiting.mailed_at is None
    assert waiting.mail_due_at is not None
    assert waiting.mail_due_at > timezone.now() + timedelta(minutes=4)
    assert mail_due(after=26 * 3600) == 0
    assert Notification.objects.get(user=maija).mail_due_at is None


# In


def test_the_answer_becomes_a_comment_of_the_user_and_no_mail_to_the_customer(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any
) -> None:
    notice = notice_to(maija, ticket, author, smtp_server)
    was = (ticket.turn, ticket.message_count)
    incoming = take_in(
        mailbox,
        answer_to(
            notice, "I put one aside.\n\nOn 24 Nov 2026 at 10:00, Help desk wrote:\n> @Maija Laine please look\n"
        ),
    )
    assert (incoming.state, incoming.outcome) == (IncomingState.DONE, "appended")
    written = Message.objects.get(incoming=incoming)
    assert (written.kind, written.author, written.ticket) == (MessageKind.COMMENT, maija, ticket)
    assert written.text.strip() == "I put one aside."
    assert written.contact is None
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.message_count) == was
    assert not Outgoing.objects.exists()
    assert Ticket.objects.count() == 1
    assert [one.anchor for one in Notification.objects.visible_to(author)] == [f"m{written.pk}"]


def test_its_files_come_along(maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any) -> None:
    notice = notice_to(maija, ticket, author, smtp_server)
    raw = answer_to(notice).decode()
    mail: Any = message_from_bytes(raw.encode())
    from email.mime.multipart import MIMEMultipart
    from email.mime.text import MIMEText

    whole = MIMEMultipart()
    for name in ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"):
        whole[name] = mail[name]
    whole.attach(MIMEText("See the photo."))
    photo = MIMEText("shelf")
    photo.add_header("Content-Disposition", "attachment", filename="shelf.txt")
    whole.attach(photo)
    incoming = take_in(mailbox, whole.as_bytes())
    assert Attachment.objects.get(message__incoming=incoming).name == "shelf.txt"


@pytest.mark.parametrize(
    ("change", "sender", "reason"),
    [
        ({}, "stranger@customer.example", "notice_not_theirs"),
        ({"is_active": False}, "maija@desk.example", "notice_not_active"),
        ({"ticket_access": "own", "sees_unassigned": False}, "maija@desk.example", "notice_not_seen"),
    ],
)
def test_an_answer_that_does_not_count_is_kept_where_an_admin_sees_it(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any, change: Any, sender: str, reason: str
) -> None:
    notice = notice_to(maija, ticket, author, smtp_server)
    User.objects.filter(pk=maija.pk).update(**change)
    messages = Message.objects.count()
    incoming = take_in(mailbox, answer_to(notice, sender=sender))
    assert incoming.state == IncomingState.QUARANTINED
    assert incoming.error.startswith(f"{reason}: ")
    assert Message.objects.count() == messages
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("named", [True, False])
def test_in_a_name_that_failed_nobody_comments(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any, named: bool
) -> None:
    notice = notice_to(maija, ticket, author, smtp_server)
    raw = answer_to(notice, "Refund it all.")
    if not named:
        quoted = notice.get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
        raw = make_mail(
            "Refund it all.\n\n" + "\n".join(f"> {line}" for line in quoted.splitlines()), sender=maija.email
        )
    incoming = take_in(mailbox, b"Authentication-Results: mx.desk.example; dmarc=fail\r\n" + raw)
    assert incoming.state == IncomingState.QUARANTINED
    assert incoming.error.startswith("notice_not_proven: ")
    assert not Message.objects.filter(author=maija).exists()


def test_a_comment_made_by_mail_does_not_tell_what_another_could_answer_with(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any
) -> None:
    """Where a program quotes as nobody knows it, the foot of the notification stands in the comment."""
    notice = notice_to(maija, ticket, author, smtp_server)
    token = str(notice["Message-ID"]).strip("<>").partition("@")[0]
    words = f"I put one aside. This is what you wrote: please look, {token} and {token.upper()}."
    html = f"<p>I put <b>one</b> aside.</p><p>This is what you wrote: {token}</p>"
    incoming = take_in(mailbox, answer_to(notice, words, html=html))
    written = Message.objects.get(incoming=incoming)
    assert "aside" in written.text
    assert "aside" in written.html
    assert token not in (written.text + written.html).lower()


def test_after_access_was_given_it_can_be_processed_again(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any
) -> None:
    from inbox import receiving

    notice = notice_to(maija, ticket, author, smtp_server)
    User.objects.filter(pk=maija.pk).update(is_active=False)
    incoming = take_in(mailbox, answer_to(notice))
    User.objects.filter(pk=maija.pk).update(is_active=True)
    assert receiving.process_again(Incoming.objects.get(pk=incoming.pk)).outcome == "appended"


def test_a_forged_token_opens_nothing(maija: User, ticket: Ticket, mailbox: Mailbox) -> None:
    forged = f"n{ticket.pk}.{maija.pk}.0123456789.aaaaaaaaaa@desk.example"
    incoming = take_in(mailbox, make_mail("Let me in.", sender="maija@desk.example", answers=forged))
    assert incoming.state == IncomingState.QUARANTINED
    assert incoming.error.startswith("notice_not_signed")
    assert Ticket.objects.count() == 1


def test_a_token_of_one_user_is_none_of_another(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any
) -> None:
    other = make_user(name="Matti", email="matti@desk.example")
    notice = notice_to(maija, ticket, author, smtp_server)
    assert take_in(mailbox, answer_to(notice, sender=other.email)).state == IncomingState.QUARANTINED


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "auto-replied"}, {"X_Autoreply": "yes"}, {"subject": "Automatic reply: [#1] Hello"}]
)
def test_an_away_notice_is_refused(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any, headers: Any
) -> None:
    notice = notice_to(maija, ticket, author, smtp_server)
    messages = Message.objects.count()
    incoming = take_in(mailbox, answer_to(notice, "I am away.", **headers))
    assert incoming.outcome == "refused:notice_auto_reply"
    assert Message.objects.count() == messages


def test_an_answer_whose_program_dropped_the_ids_is_known_by_what_it_quotes(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any
) -> None:
    notice = notice_to(maija, ticket, author, smtp_server)
    quoted = notice.get_payload(0).get_payload(decode=True).decode()  # type: ignore[union-attr]
    lines = "\n".join(f"> {line}" for line in quoted.splitlines())
    text = f"On my way.\n\nOn 24 Nov 2026 at 10:00, Help desk wrote:\n{lines}\n"
    assert take_in(mailbox, make_mail(text, sender="maija@desk.example")).outcome == "appended"
    assert Message.objects.get(author=maija).text.strip() == "On my way."
    # A customer to whom it was passed on writes a mail like any other.
    assert take_in(mailbox, make_mail(text, sender="elina@customer.example")).outcome == "opened"


def test_a_notice_that_bounces_opens_no_ticket(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any
) -> None:
    from pathlib import Path

    notice = notice_to(maija, ticket, author, smtp_server)
    raw = (Path(__file__).parent / "emails" / "bounce_postfix.eml").read_text()
    import re

    ids = re.findall(r"(?mi)^Message-ID: <([^>]+)>", raw)
    bounce = raw.replace(ids[-1], str(notice["Message-ID"]).strip("<>"))
    incoming = take_in(mailbox, bounce.encode())
    assert incoming.outcome == "refused:notice_bounce"
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(("days", "outcome"), [(59, "appended"), (61, "")])
def test_a_notice_can_be_answered_for_two_months(
    maija: User, ticket: Ticket, mailbox: Mailbox, days: int, outcome: str
) -> None:
    made = timezone.now().date() - timedelta(days=days)
    token = new_notice(ticket.pk, maija.pk, token_key(), made=made)
    raw = make_mail("Done.", sender="Maija <maija@desk.example>", answers=f"{token}@desk.example")
    incoming = take_in(mailbox, raw)
    assert incoming.outcome == outcome
    assert incoming.error.startswith("" if outcome else "notice_too_old: ")
    assert Message.objects.filter(incoming=incoming).exists() == bool(outcome)


@pytest.mark.parametrize("precedence", ["bulk", "list"])
def test_what_was_sent_round_is_no_answer(
    maija: User, ticket: Ticket, author: User, mailbox: Mailbox, smtp_server: Any, precedence: str
) -> None:
    notice = notice_to(maija, ticket, author, smtp_server)
    incoming = take_in(mailbox, f"Precedence: {precedence}\r\n".encode() + answer_to(notice))
    assert incoming.outcome == "refused:notice_bulk"
    assert not Message.objects.filter(incoming=incoming).exists()
