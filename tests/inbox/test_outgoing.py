"""What becomes of a mail at the SMTP server, for every answer it may give."""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from inbox.channels.smtp.sending import Outcome, send
from inbox.errors import CannotTryAgain, MayNotReply
from inbox.models import Mailbox, Outgoing, OutgoingState
from inbox.models.outgoing import MOST_TRIES, RecipientState, pause_after
from inbox.replying import reply
from people.models import Role, User
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tests.inbox.mails import land, make_mail
from tests.mail_servers import PASSWORD, SmtpServer, free_port
from tickets.models import Following, Notification, NotificationKind, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(smtp_server: SmtpServer) -> Mailbox:
    return make_mailbox(
        "support@desk.example", smtp_host=smtp_server.host, smtp_port=smtp_server.port, smtp_security="none"
    )


@pytest.fixture
def agent() -> User:
    return make_user()


@pytest.fixture
def write(box: Mailbox, agent: User) -> Callable[..., Outgoing]:
    def write(
        text: str = "It is on its way.",
        *,
        ticket: Ticket | None = None,
        cc: tuple[str, ...] = (),
        now: datetime | None = None,
    ) -> Outgoing:
        if ticket is None:
            ticket = make_ticket(contact=make_contact("elina@customer.example"))
            make_message(ticket, mailbox=box, cc=[{"name": "", "address": address} for address in cc])
        return reply(ticket, by=agent, text=text, now=now).outgoing

    return write


def seen(outgoing: Outgoing) -> Outgoing:
    outgoing.refresh_from_db()
    return outgoing


def states(outgoing: Outgoing) -> dict[str, str]:
    return dict(outgoing.recipients.values_list("address", "state"))


def later(outgoing: Outgoing) -> Any:
    return seen(outgoing).due_at + timedelta(seconds=1)


def test_a_reply_arrives_once_as_it_was_written(write: Any, smtp_server: SmtpServer, on_commit: Any) -> None:
    with on_commit():
        outgoing = write("First line\n.a line with a dot\n..two dots")
    outgoing.send_now()
    [taken] = smtp_server.taken
    with outgoing.mime.open("rb") as file:
        assert taken.raw == file.read()
    assert taken.sender == "support@desk.example"
    assert taken.recipients == ["elina@customer.example"]
    assert taken.message["Message-ID"] == f"<{outgoing.mail_id}>"
    assert seen(outgoing).state == OutgoingState.SENT
    assert outgoing.last_answer.startswith("250 OK queued")
    assert outgoing.sent_at is not None
    assert states(outgoing) == {"elina@customer.example": "accepted"}


@pytest.mark.parametrize("code", ["421", "450", "451", "452"])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_a_passing_refusal_is_tried_again_with_the_same_bytes(
    write: Any, smtp_server: SmtpServer, step: str, code: str
) -> None:
    smtp_server.answer_to[step] = lambda _: f"{code} 4.2.1 Come back later"
    outgoing = write()
    before = timezone.now()
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.DEFERRED
    assert f"{code} 4.2.1 Come back later" in outgoing.last_answer
    assert timedelta(seconds=50) < outgoing.due_at - before < timedelta(seconds=70)
    outgoing.send_now()
    assert outgoing.tries == 1

    smtp_server.answer_to.clear()
    outgoing.send_now(now=later(outgoing))
    assert seen(outgoing).state == OutgoingState.SENT
    assert [taken.message["Message-ID"] for taken in smtp_server.taken] == [f"<{outgoing.mail_id}>"]


def test_the_pauses_grow_and_end_after_48_hours(write: Any, smtp_server: SmtpServer) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: "450 4.2.0 Greylisted"
    outgoing = write()
    pauses = [pause_after(tries) for tries in range(1, MOST_TRIES)]
    assert [pause.total_seconds() / 60 for pause in pauses[:5]] == [1, 5, 15, 60, 120]
    assert timedelta(hours=45) < sum(pauses, timedelta()) <= timedelta(hours=48)
    Outgoing.objects.update(tries=MOST_TRIES - 1)
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.FAILED
    assert "48 hours" in outgoing.last_answer
    assert "Greylisted" in outgoing.last_answer


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("rcpt", "550 5.1.1 No such user here"),
        ("mail", "552 5.3.4 Too big for us"),
        ("data", "552 5.3.4 Message too large"),
        ("data", "554 5.6.0 Looks like spam"),
    ],
)
def test_a_final_refusal_fails_at_once_with_the_servers_words(
    write: Any, smtp_server: SmtpServer, step: str, line: str
) -> None:
    smtp_server.answer_to[step] = lambda _: line
    outgoing = write()
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.FAILED
    assert line in outgoing.last_answer
    outgoing.send_now()
    assert outgoing.tries == 1


def test_each_recipient_fares_for_itself_and_nobody_gets_it_twice(write: Any, smtp_server: SmtpServer) -> None:
    answers = {"busy@x.example": "451 4.3.0 Busy", "gone@x.example": "550 5.1.1 Unknown"}
    smtp_server.answer_to["rcpt"] = answers.get
    outgoing = write(cc=("busy@x.example", "gone@x.example"))
    outgoing.send_now()
    assert states(outgoing) == {
        "elina@customer.example": "accepted",
        "busy@x.example": "deferred",
        "gone@x.example": "refused",
    }
    assert seen(outgoing).state == OutgoingState.DEFERRED
    assert "gone@x.example: 550 5.1.1 Unknown" in outgoing.last_answer
    assert not outgoing.handed_over

    answers.pop("busy@x.example")
    outgoing.send_now(now=later(outgoing))
    assert [taken.recipients for taken in smtp_server.taken] == [["elina@customer.example"], ["busy@x.example"]]
    assert seen(outgoing).state == OutgoingState.FAILED
    assert "gone@x.example" in outgoing.last_answer


def test_a_connection_lost_after_the_final_dot_is_unknown_and_never_sent_again_by_itself(
    write: Any, smtp_server: SmtpServer, agent: User
) -> None:
    smtp_server.cut_after_data = True
    outgoing = write()
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.UNKNOWN
    assert "may have sent" in outgoing.last_answer
    smtp_server.cut_after_data = False
    outgoing.send_now(now=timezone.now() + timedelta(days=3))
    Outgoing.objects.sweep(timezone.now() + timedelta(days=3))
    assert len(smtp_server.taken) == 1

    outgoing.try_again(by=agent)
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.SENT
    first, second = smtp_server.taken
    assert first.raw == second.raw


class CutsAtDot(threading.Thread):
    """Hangs up in the middle of the mail's text, before the final dot.

    It takes one line, and the mail is larger than what the system would hold on the way, so the dot cannot have left.
    """

    MAIL = b"Subject: Long\r\n\r\n" + b"A long answer, line by line.\r\n" * 600_000

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self) -> None:
        client, _ = self.listener.accept()
        with client, client.makefile("rb") as lines:
            client.sendall(b"220 hello\r\n")
            for line in lines:
                if line.upper().startswith(b"DATA"):
                    client.sendall(b"354 go on\r\n")
                    lines.readline()
                    return
                client.sendall(b"250 fine\r\n")


def test_a_connection_lost_before_the_final_dot_is_tried_again(write: Any, box: Mailbox) -> None:
    server = CutsAtDot()
    Mailbox.objects.update(smtp_port=server.port)
    outgoing = write()
    outgoing.mime.save("long.eml", ContentFile(server.MAIL))
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.DEFERRED
    assert "before the mail was handed over" in outgoing.last_answer
    assert not outgoing.handed_over
    server.listener.close()


def test_lines_that_begin_with_a_dot_arrive_with_it(write: Any, smtp_server: SmtpServer) -> None:
    outgoing = write()
    outgoing.mime.save("dots.eml", ContentFile(b"Subject: Dots\r\n\r\n.\r\n.hidden\r\n..\r\nThe end.\r\n"))
    outgoing.send_now()
    assert smtp_server.taken[0].raw.endswith(b"\r\n\r\n.\r\n.hidden\r\n..\r\nThe end.\r\n")


def test_a_server_may_work_on_a_mail_for_ten_minutes(
    write: Any, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RFC 5321, 4.5.3.2.6. Who hangs up earlier does not know what became of the mail."""
    patience: list[float | None] = []
    read = smtplib.SMTP.getreply

    def noted(smtp: smtplib.SMTP) -> Any:
        patience.append(smtp.sock.gettimeout())  # type: ignore[union-attr]
        return read(smtp)

    monkeypatch.setattr(smtplib.SMTP, "getreply", noted)
    write().send_now()
    *before, after_dot, _goodbye = patience
    assert after_dot == 600
    assert set(before) == {30}


def test_a_sender_that_was_taken_for_dead_settles_its_mail_when_it_comes_back(
    write: Any, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    outgoing = write()

    def stopped_for_a_while(mail: Outgoing) -> Any:
        outcome = send(mail)
        Outgoing.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        Outgoing.objects.sweep(timezone.now())
        assert seen(Outgoing.objects.get(pk=mail.pk)).state == OutgoingState.UNKNOWN
        return outcome

    monkeypatch.setattr("inbox.channels.smtp.sending.send", stopped_for_a_while)
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.SENT
    assert outgoing.sent_at


def test_a_wrong_password_is_the_mailboxs_trouble_and_clears_by_itself(
    write: Any, box: Mailbox, smtp_server: SmtpServer
) -> None:
    Mailbox.objects.update(smtp_user="support", smtp_password="wrong")
    first, second = write(), write()
    first.send_now()
    box.refresh_from_db()
    assert seen(first).state == OutgoingState.DEFERRED
    assert "refused the user name or password" in box.send_error
    assert box in Mailbox.objects.in_error()
    # The others wait too, so that the account is not locked for fifty wrong logins.
    assert seen(second).due_at > timezone.now()
    second.send_now()
    assert second.tries == 0

    box.smtp_password = PASSWORD
    box.save()
    first.send_now(now=later(first))
    box.refresh_from_db()
    assert box.send_error == ""
    assert smtp_server.logins == ["support"]
    second.send_now(now=later(second))
    assert seen(second).state == OutgoingState.SENT


def test_a_server_that_is_away_defers_and_says_so_on_the_mailbox(write: Any, box: Mailbox) -> None:
    Mailbox.objects.update(smtp_port=free_port())
    outgoing = write()
    outgoing.send_now()
    box.refresh_from_db()
    assert seen(outgoing).state == OutgoingState.DEFERRED
    assert "cannot be reached" in box.send_error


def test_an_account_that_may_not_send_as_the_mailbox_blames_no_customer(
    write: Any, box: Mailbox, smtp_server: SmtpServer
) -> None:
    smtp_server.answer_to["data"] = lambda _: "550 5.7.60 Client does not have permissions to send as this sender"
    outgoing = write()
    outgoing.send_now()
    box.refresh_from_db()
    assert seen(outgoing).state == OutgoingState.DEFERRED
    assert "5.7.60" in box.send_error


def test_security_none_to_another_machine_never_sends_the_password(write: Any, box: Mailbox) -> None:
    Mailbox.objects.update(smtp_host="mail.example", smtp_user="support", smtp_password="x")
    outgoing = write()
    outgoing.send_now()
    box.refresh_from_db()
    assert "STARTTLS" in box.send_error


def test_a_customer_who_became_one_of_our_mailboxes_is_not_mailed(write: Any, smtp_server: SmtpServer) -> None:
    outgoing = write()
    make_mailbox("elina@customer.example")
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.FAILED
    assert smtp_server.taken == []


def test_two_answers_of_one_ticket_go_in_order_and_one_at_a_time(
    write: Any, smtp_server: SmtpServer, on_commit: Any
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: "450 Later"
    first = write("One")
    second = write("Two", ticket=first.message.ticket)
    second.send_now()
    assert seen(second).tries == 0
    first.send_now()
    second.send_now()
    assert seen(second).tries == 0
    smtp_server.answer_to.clear()
    with on_commit():
        first.send_now(now=later(first))
    # The first one's sender sees to the next.
    assert [taken.message.get_payload(0).get_payload().strip()[:3] for taken in smtp_server.taken] == ["One", "Two"]
    assert seen(second).state == OutgoingState.SENT


def test_mails_that_wait_for_others_do_not_crowd_out_the_sweep(write: Any, smtp_server: SmtpServer) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: "450 Later"
    first = write("One")
    first.send_now()
    write("Two", ticket=first.message.ticket)
    write("Of another ticket")
    assert Outgoing.objects.sweep(timezone.now()) == 1


def test_a_mail_that_reached_its_customer_does_not_hold_up_the_next(write: Any, smtp_server: SmtpServer) -> None:
    smtp_server.answer_to["rcpt"] = lambda address: "450 Later" if address == "busy@x.example" else None
    first = write("One", cc=("busy@x.example",))
    first.send_now()
    second = write("Two", ticket=first.message.ticket)
    second.send_now()
    assert states(second)["elina@customer.example"] == "accepted"


def test_trying_again_is_for_people_who_may_reply_and_for_mail_that_did_not_go(
    write: Any, smtp_server: SmtpServer, agent: User
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: "550 No such user"
    outgoing = write()
    with pytest.raises(CannotTryAgain):
        outgoing.try_again(by=agent)
    outgoing.send_now()
    with pytest.raises(MayNotReply):
        outgoing.try_again(by=make_user(Role.COLLABORATOR))
    smtp_server.answer_to.clear()
    outgoing.try_again(by=agent)
    assert seen(outgoing).state == OutgoingState.QUEUED
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.SENT
    with pytest.raises(CannotTryAgain):
        outgoing.try_again(by=agent)


def test_the_sweeper_settles_what_a_dead_sender_left(write: Any, smtp_server: SmtpServer) -> None:
    before, after, alive, waiting = write(), write(), write(), write()
    now = timezone.now()
    past, soon = now - timedelta(seconds=1), now + timedelta(seconds=20)
    sending = {"state": OutgoingState.SENDING, "lease_until": past}
    Outgoing.objects.filter(pk=before.pk).update(**sending)
    Outgoing.objects.filter(pk=after.pk).update(**sending, handed_over=True)
    Outgoing.objects.filter(pk=alive.pk).update(state=OutgoingState.SENDING, lease_until=soon)
    assert Outgoing.objects.sweep(now) == 2
    assert seen(before).state == OutgoingState.DEFERRED
    assert before.due_at <= now
    assert seen(after).state == OutgoingState.UNKNOWN
    assert seen(alive).state == OutgoingState.SENDING
    assert seen(waiting).state == OutgoingState.QUEUED


def test_a_sender_that_lost_its_claim_does_not_finish_the_mail(
    write: Any, smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else decides about it by now: the final dot must not be sent."""
    monkeypatch.setattr("inbox.models.outgoing.lease.LEASE", timedelta(seconds=-1))
    write().send_now()
    assert smtp_server.taken == []


def test_a_demo_mailbox_sends_to_the_mail_room(write: Any, smtp_server: SmtpServer, settings: Any) -> None:
    settings.MAIL_ROOM_PORT = smtp_server.port
    Mailbox.objects.update(uses_mail_room=True, smtp_host="", smtp_port=0, smtp_user="", smtp_security="ssl")
    outgoing = write()
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.SENT
    assert smtp_server.logins == []


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inbox.models.outgoing.lease.RENEWED_EVERY", 0.2)
    monkeypatch.setattr("inbox.models.outgoing.lease.LEASE", timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_a_slow_server_keeps_its_claim_and_nobody_sends_beside_it(
    write: Any, smtp_server: SmtpServer, hurried: None
) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(_: Any) -> None:
        entered.set()
        go_on.wait(20)

    smtp_server.answer_to["data"] = slow
    outgoing = write(now=timezone.now() + timedelta(hours=1))  # not yet, or it goes as soon as it is committed
    Outgoing.objects.update(due_at=timezone.now())

    def send() -> None:
        Outgoing.objects.get(pk=outgoing.pk).send_now()
        connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    assert entered.wait(10)
    threading.Event().wait(1.5)
    assert seen(outgoing).handed_over
    assert outgoing.state == OutgoingState.SENDING
    Outgoing.objects.sweep(timezone.now())
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.SENDING
    go_on.set()
    sender.join(20)
    assert seen(outgoing).state == OutgoingState.SENT
    assert len(smtp_server.taken) == 1


def told_of(outgoing: Outgoing, user: User) -> list[int]:
    """How often, for each line in the bell."""
    lines = Notification.objects.filter(user=user, kind=NotificationKind.ANSWER, ticket=outgoing.message.ticket)
    return list(lines.order_by("pk").values_list("times", flat=True))


def test_followers_hear_of_an_answer_once_and_only_when_it_has_left(
    write: Any, box: Mailbox, smtp_server: SmtpServer
) -> None:
    follower, ticket = make_user(), make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=box)
    Following.objects.follow(ticket, follower)
    smtp_server.answer_to["rcpt"] = lambda _: "451 4.2.0 Try again later"
    outgoing = write(ticket=ticket)
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.DEFERRED
    assert told_of(outgoing, follower) == [], "nobody got it"
    land(box, make_mail("Are you there?", sender="elina@customer.example", answers=outgoing.mail_id))
    assert told_of(outgoing, follower) == [1], "of what the customer wrote"
    smtp_server.answer_to.clear()
    outgoing.send_now(now=later(outgoing))
    assert seen(outgoing).state == OutgoingState.SENT
    assert told_of(outgoing, follower) == [2]


def test_followers_hear_of_an_answer_that_may_have_left(write: Any, box: Mailbox, smtp_server: SmtpServer) -> None:
    follower, ticket = make_user(), make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=box)
    Following.objects.follow(ticket, follower)
    smtp_server.cut_after_data = True
    outgoing = write(ticket=ticket)
    outgoing.send_now()
    assert seen(outgoing).state == OutgoingState.UNKNOWN
    assert told_of(outgoing, follower) == [1]


def test_of_an_answer_whose_sender_died_followers_hear_once(write: Any, box: Mailbox) -> None:
    follower, ticket = make_user(), make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=box)
    Following.objects.follow(ticket, follower)
    outgoing = write(ticket=ticket)
    now = timezone.now()
    outgoing._claim(now)
    outgoing.hand_over()
    assert told_of(outgoing, follower) == []
    Outgoing.objects.sweep(now + timedelta(minutes=2))
    assert told_of(outgoing, follower) == [1]
    accepted = dict.fromkeys(states(outgoing), (RecipientState.ACCEPTED, "250 OK"))
    outgoing._settle(Outcome(accepted, "250 OK"), now + timedelta(minutes=3))  # it was only slow
    assert seen(outgoing).state == OutgoingState.SENT
    assert told_of(outgoing, follower) == [1]
