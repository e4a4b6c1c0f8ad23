"""Two things at once: a mail that is to leave, and what the contact, a colleague, the trash or its own writer do meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inbox import receiving
from inbox.models import Direction, Draft, Incoming, Outgoing, OutgoingState
from inbox.replying import send
from people.models import User
from tests.factories import make_contact, make_mailbox, make_message, make_ticket, make_user
from tests.inbox.mails import make_mail
from tests.mail_servers import SmtpServer
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    return make_user(name="Maija Virtanen", undo_seconds=10)


@pytest.fixture
def ticket(smtp_server: SmtpServer) -> Ticket:
    box = make_mailbox(
        "support@desk.example", smtp_host=smtp_server.host, smtp_port=smtp_server.port, smtp_security="none"
    )
    ticket = make_ticket(contact=make_contact("elina@customer.example"))
    make_message(ticket, mailbox=box)
    return ticket


def draft_of(agent: User, ticket: Ticket, text: str = "We send another.", **fields: Any) -> Draft:
    return Draft(user=agent, ticket=ticket, mode="reply", text=text, **fields)


def fresh(thing: Any) -> Any:
    return type(thing)._default_manager.get(pk=thing.pk)


def unless_answered(agent: User, ticket: Ticket, text: str = "Unless you write.") -> Outgoing:
    """A mail that was due an hour ago, and not if the contact wrote first."""
    now = timezone.now()
    written = now - timedelta(hours=9)
    due = now - timedelta(hours=1)
    draft = draft_of(agent, ticket, text)
    return send(draft, by=agent, due_at=due, cancel_if_answered=True, now=written).outgoing


def customers_mail(ticket: Ticket) -> Incoming:
    """Stored, and nobody has worked on it yet."""
    asked = ticket.messages.filter(direction=Direction.IN).get()
    words = {"sender": "elina@customer.example", "subject": "Re: Wrong size"}
    raw = make_mail("One more thing.", answers=asked.message_id, **words)
    return receiving.store(asked.conversation.mailbox, raw, source="pipe", now=timezone.now())


def test_after_downtime_a_stored_mail_of_the_customer_comes_before_what_was_to_leave(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    outgoing = unless_answered(agent, ticket)
    stored = customers_mail(ticket)
    outgoing.send_now()
    assert smtp_server.taken == []
    assert Outgoing.objects.sweep(timezone.now()) == 0
    receiving.process(stored.pk)
    assert smtp_server.taken == []
    assert not Outgoing.objects.held().exists()
    assert "Unless you write." in Draft.objects.get().text + Draft.objects.get().html


def test_a_mail_in_quarantine_holds_up_nothing(agent: User, ticket: Ticket, smtp_server: SmtpServer) -> None:
    outgoing = unless_answered(agent, ticket)
    stored = customers_mail(ticket)
    Incoming.objects.filter(pk=stored.pk).update(state="quarantined")
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.SENT


def test_a_mail_without_that_wish_waits_for_nothing_that_came_in(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    now = timezone.now()
    due, written = now - timedelta(minutes=1), now - timedelta(hours=1)
    outgoing = send(draft_of(agent, ticket), by=agent, due_at=due, now=written).outgoing
    customers_mail(ticket)
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.SENT


def test_after_downtime_the_mailbox_is_fetched_before_what_was_to_leave(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    outgoing = unless_answered(agent, ticket)
    box = outgoing.mailbox
    box.imap_host, box.last_poll_at = "imap.desk.example", outgoing.due_at - timedelta(seconds=30)
    box.save()
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.HELD
    box.last_poll_at = timezone.now()
    box.save()
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.SENT


def test_a_mailbox_that_cannot_be_fetched_is_not_waited_for(
    agent: User, ticket: Ticket, smtp_server: SmtpServer
) -> None:
    outgoing = unless_answered(agent, ticket)
    box = outgoing.mailbox
    box.imap_host, box.fetch_error = "imap.desk.example", "The server does not answer."
    box.save()
    outgoing.send_now()
    assert fresh(outgoing).state == OutgoingState.SENT
