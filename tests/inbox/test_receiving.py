"""A mail comes in and becomes a message on a ticket."""

from __future__ import annotations

import pytest
from django.utils import timezone

from inbox import receiving
from inbox.models import Incoming, IncomingState, Mailbox, Message
from tests.factories import make_mailbox
from tests.inbox.mails import make_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox() -> Mailbox:
    return make_mailbox("support@desk.example")


def take_in(mailbox: Mailbox, raw: bytes) -> Incoming:
    """What a mail server's pipe does: hand over, and have it processed."""
    incoming = receiving.store(mailbox, raw, source="pipe", now=timezone.now())
    return receiving.process(incoming.pk)


def test_a_mail_opens_a_ticket_named_by_its_subject(mailbox: Mailbox) -> None:
    incoming = take_in(mailbox, make_mail(subject="Wrong size delivered"))

    assert (incoming.state, incoming.outcome) == (IncomingState.DONE, "opened")
    message = Message.objects.get(incoming=incoming)
    assert message.ticket is not None
    assert message.ticket.name == "Wrong size delivered"
    assert message.ticket.contact.address == "elina@customer.example"
    assert message.ticket.contact.name == "Elina Saarinen"
    assert message.text == "The jacket is a size S, I ordered an M."
