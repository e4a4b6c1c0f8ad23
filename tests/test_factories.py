"""What tests take for granted of the things they make."""

from __future__ import annotations

import pytest

from tests.factories import make_mailbox, make_message, make_ticket

pytestmark = pytest.mark.django_db


def test_a_message_stands_in_the_conversation_of_the_mailbox_that_is_named() -> None:
    support, sales, ticket = make_mailbox(), make_mailbox(), make_ticket()
    first = make_message(ticket, mailbox=support)
    other = make_message(ticket, mailbox=sales)
    assert [one.conversation and one.conversation.mailbox for one in (first, other)] == [support, sales]
    assert make_message(ticket, mailbox=support).conversation == first.conversation
    assert make_message(ticket).conversation in (first.conversation, other.conversation)
    assert ticket.conversations.count() == 2
