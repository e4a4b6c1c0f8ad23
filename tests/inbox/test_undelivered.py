"""An answer that did not arrive is seen where the agent looks: in the list, not only inside its ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inbox import notices
from inbox.models import Outgoing, OutgoingState
from inbox.replying import reply
from people.models import User
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tests.mail_servers import SmtpServer
from tickets.models import EventKind, Kind, Notification, NotificationKind, Ticket

pytestmark = pytest.mark.django_db

REFUSED = "550 5.1.1 No such user here"
MARK = "Answer not delivered"


@pytest.fixture
def agent() -> User:
    return make_user()


@pytest.fixture
def ticket() -> Ticket:
    return make_ticket(contact=make_contact("elina@customer.example"))


@pytest.fixture
def write(smtp_server: SmtpServer, agent: User, ticket: Ticket) -> Callable[[], Outgoing]:
    box = make_mailbox(
        "support@desk.example", smtp_host=smtp_server.host, smtp_port=smtp_server.port, smtp_security="none"
    )
    make_message(ticket, mailbox=box)

    def write() -> Outgoing:
        return reply(ticket, by=agent, text="It is on its way.").outgoing

    return write


@pytest.fixture
def listed(client: Client, agent: User) -> Callable[[], str]:
    client.force_login(agent)
    return lambda: client.get("/?view=all-open").content.decode()


def test_a_refused_answer_is_our_turn_again_and_marked_in_the_list(
    write: Any, smtp_server: SmtpServer, ticket: Ticket, listed: Any
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    outgoing = write()
    ticket.refresh_from_db()
    assert ticket.turn == Kind.WAITING_ON_CONTACT
    assert MARK not in listed()
    outgoing.send_now()
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.undelivered) == (Kind.WAITING_ON_US, True)
    assert ticket.turn_since == ticket.last_inbound_at
    event = ticket.events.last()
    assert event is not None
    assert (event.kind, event.detail["to"]) == (EventKind.UNDELIVERED, "Waiting on us")
    assert MARK in listed()


def test_sending_it_again_takes_the_mark_away_and_waits_for_the_customer(
    write: Any, smtp_server: SmtpServer, ticket: Ticket, agent: User, listed: Any
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    outgoing = write()
    outgoing.send_now()
    smtp_server.answer_to.clear()
    outgoing.refresh_from_db()
    outgoing.try_again(by=agent)
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.undelivered) == (Kind.WAITING_ON_CONTACT, False)
    assert MARK not in listed()


def test_sending_it_again_after_the_customer_wrote_stays_our_turn(
    write: Any, smtp_server: SmtpServer, ticket: Ticket, agent: User
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    outgoing = write()
    outgoing.send_now()
    make_message(ticket, now=timezone.now() + timedelta(minutes=1))
    outgoing.refresh_from_db()
    outgoing.try_again(by=agent)
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.undelivered) == (Kind.WAITING_ON_US, False)


def test_a_later_answer_that_leaves_makes_up_for_it(write: Any, smtp_server: SmtpServer, ticket: Ticket) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    write().send_now()
    smtp_server.answer_to.clear()
    second = write()
    ticket.refresh_from_db()
    assert ticket.undelivered
    second.send_now()
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.undelivered) == (Kind.WAITING_ON_CONTACT, False)


def test_a_closed_ticket_whose_answer_failed_is_open_again(
    write: Any, smtp_server: SmtpServer, ticket: Ticket, agent: User
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    outgoing = write()
    ticket.move_to(ticket.pipeline.first_status(Kind.CLOSED), by=agent, now=timezone.now())
    outgoing.send_now()
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.closed_at) == (Kind.WAITING_ON_US, None)


def test_one_that_may_have_arrived_is_marked_and_nothing_more(
    write: Any, smtp_server: SmtpServer, ticket: Ticket
) -> None:
    smtp_server.cut_after_data = True
    write().send_now()
    ticket.refresh_from_db()
    assert (ticket.turn, ticket.undelivered) == (Kind.WAITING_ON_CONTACT, True)


def test_what_a_dead_sender_left_unknown_is_marked(write: Any, ticket: Ticket) -> None:
    outgoing = write()
    long_ago = timezone.now() - timedelta(minutes=5)
    Outgoing.objects.filter(pk=outgoing.pk).update(state=OutgoingState.SENDING, handed_over=True, lease_until=long_ago)
    Outgoing.objects.sweep(timezone.now())
    ticket.refresh_from_db()
    assert ticket.undelivered


def told(ticket: Ticket) -> list[tuple[str, str]]:
    rows = Notification.objects.filter(ticket=ticket, kind=NotificationKind.SENDING, read_at=None).order_by("pk")
    return [(row.user.email, row.anchor) for row in rows]


def test_whoever_wrote_a_mail_that_was_refused_hears_of_it_wherever_they_are_by_now(
    write: Any, smtp_server: SmtpServer, ticket: Ticket, agent: User
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    outgoing = write()
    outgoing.send_now()
    assert told(ticket) == [(agent.email, f"m{outgoing.message_id}")]


def test_of_a_refused_mail_its_writer_hears_by_mail_whatever_they_want_to_be_mailed(
    write: Any, smtp_server: SmtpServer, agent: User
) -> None:
    wishes = ("mail_on_mention", "mail_on_assignment", "mail_on_answer", "mail_on_team_ticket")
    User.objects.filter(pk=agent.pk).update(**dict.fromkeys(wishes, False))
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    write().send_now()
    smtp_server.answer_to.clear()
    later = timezone.now() + timedelta(seconds=61)
    assert [notices.mail(pk, now=later) for pk in Notification.objects.to_mail(later).values_list("pk", flat=True)]
    assert smtp_server.taken[-1].recipients == [agent.email]


def test_of_a_refused_mail_whose_writer_is_gone_the_owner_hears(
    write: Any, smtp_server: SmtpServer, ticket: Ticket, agent: User
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    outgoing, owner = write(), make_user(name="Petra Nieminen")
    Ticket.objects.filter(pk=ticket.pk).update(owner=owner)
    User.objects.filter(pk=agent.pk).update(is_active=False)
    outgoing.send_now()
    assert told(ticket) == [(owner.email, f"m{outgoing.message_id}")]


def test_of_one_that_fails_once_more_its_writer_hears_once_more(
    write: Any, smtp_server: SmtpServer, ticket: Ticket, agent: User
) -> None:
    smtp_server.answer_to["rcpt"] = lambda _: REFUSED
    outgoing = write()
    outgoing.send_now()
    Notification.objects.all().mark_read(timezone.now())
    outgoing.try_again(by=make_user())
    outgoing.send_now()
    assert told(ticket) == [(agent.email, f"m{outgoing.message_id}")]


def test_of_a_mail_that_came_back_its_writer_hears(
    write: Any, smtp_server: SmtpServer, ticket: Ticket, agent: User
) -> None:
    outgoing = write()
    outgoing.send_now()
    assert told(ticket) == []
    outgoing.refresh_from_db()
    outgoing.bounced(outgoing.recipients.all(), REFUSED)
    assert told(ticket) == [(agent.email, f"m{outgoing.message_id}")]
