"""Bulk data must be what the program itself would have written, only faster."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from inbox import receiving
from inbox.benchmarks import sample
from inbox.models import Direction, Mailbox, Message, Outgoing
from people.models import Contact
from tests.factories import make_mailbox, make_ticket, make_user
from tickets.models import Kind, Ticket

pytestmark = pytest.mark.django_db


def load(tickets: int = 120, messages: int = 4, seed: int = 1) -> None:
    sample.load(tickets=tickets, messages_per_ticket=messages, seed=seed, now=timezone.now())


def test_it_writes_as_many_as_were_asked_for_beside_what_is_there() -> None:
    ticket = make_ticket()
    call_command("load_sample", tickets=60, messages_per_ticket=3)
    assert Ticket.objects.exclude(pk=ticket.pk).count() == 60
    assert Message.objects.count() == 180
    call_command("load_sample", tickets=40, messages_per_ticket=3)
    assert Ticket.objects.count() == 101
    assert not Contact.objects.filter(addresses=None).exists()


def test_what_tickets_say_of_themselves_agrees_with_their_messages() -> None:
    load()
    mails = Q(messages__direction__in=[Direction.IN, Direction.OUT])
    counted = Ticket.objects.annotate(
        said=Count("messages", filter=mails),
        last=Max("messages__at", filter=mails),
        inbound=Max("messages__at", filter=Q(messages__direction=Direction.IN)),
    )
    assert not counted.exclude(message_count=F("said"), last_message_at=F("last")).exists()
    assert not counted.exclude(last_inbound_at=F("inbound")).exists()
    assert not Ticket.objects.exclude(turn=F("status__kind")).exists()
    assert not Ticket.objects.filter(turn=Kind.CLOSED, closed_at=None).exists()
    assert not Ticket.objects.exclude(turn=Kind.CLOSED).exclude(closed_at=None).exists()
    assert not Ticket.objects.filter(Q(opened_at__gt=timezone.now()) | Q(turn_since__gt=timezone.now())).exists()
    assert not Ticket.objects.filter(turn_since__lt=F("opened_at")).exists()
    assert set(Ticket.objects.values_list("turn", flat=True)) == set(Kind)
    answers = Message.objects.filter(direction=Direction.OUT)
    assert answers.count() == Outgoing.objects.filter(state="sent").count() > 0
    # whoever answered an unassigned ticket owns it
    assert not Ticket.objects.filter(messages__direction=Direction.OUT, owner=None).exists()


def test_a_message_follows_the_one_before_it() -> None:
    load(tickets=30)
    for message in Message.objects.exclude(in_reply_to=""):
        earlier = Message.objects.with_message_id(message.in_reply_to).get()
        assert earlier.ticket_id == message.ticket_id
        assert earlier.at <= message.at


def test_the_desk_goes_on_numbering_where_the_sample_ended() -> None:
    load(tickets=30)
    highest = Ticket.objects.order_by("-pk").values_list("pk", flat=True)[0]
    assert make_ticket().pk == highest + 1
    mailbox = Mailbox.objects.get()
    answered = Message.objects.filter(direction=Direction.OUT).latest("pk")
    assert answered.ticket
    raw = (
        f"From: {answered.to[0]['address']}\r\nTo: {mailbox.address}\r\nSubject: Re\r\n"
        f"In-Reply-To: <{answered.message_id}>\r\nMessage-ID: <next@customer.example>\r\n\r\nThank you"
    ).encode()
    incoming = receiving.store(mailbox, raw, source="pipe", now=timezone.now())
    receiving.process(incoming.pk)
    reply = Message.objects.get(incoming=incoming)
    closed_long_ago = answered.ticket.closed_at is not None
    assert reply.ticket_id == answered.ticket_id or closed_long_ago


def test_the_same_seed_tells_the_same_stories() -> None:
    load(tickets=20, seed=7)
    first = list(Ticket.objects.order_by("pk").values_list("name", "turn", "message_count"))
    load(tickets=20, seed=7)
    assert list(Ticket.objects.order_by("pk").values_list("name", "turn", "message_count"))[20:] == first


def test_it_uses_the_people_and_mailboxes_that_are_there() -> None:
    agent, mailbox = make_user(), make_mailbox()
    load(tickets=30)
    assert set(Ticket.objects.exclude(owner=None).values_list("owner", flat=True)) == {agent.pk}
    assert list(Mailbox.objects.all()) == [mailbox]


def test_no_tickets_is_not_a_number_of_tickets() -> None:
    with pytest.raises(CommandError, match="at least 1"):
        call_command("load_sample", tickets=0, messages_per_ticket=3)


def test_a_row_is_shown_like_any_other(client: Any) -> None:
    client.force_login(make_user())
    load(tickets=60)
    newest = Ticket.objects.open().order_by("-last_message_at")[0]
    shown = client.get(f"/tickets/{newest.pk}/").content.decode()
    assert newest.name in shown
    assert f"RX-{newest.messages.latest('at').pk}" in shown
