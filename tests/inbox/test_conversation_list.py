"""Conversations of mailboxes that make no tickets by themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from inbox import receiving
from inbox.errors import MayNotReply
from inbox.models import Conversation, Direction, Message, MessageKind
from inbox.models.message import id_hash
from people.models import Role, User
from tests.factories import make_contact, make_mailbox, make_pipeline, make_team, make_user
from tickets.models import Kind, Ticket

pytestmark = pytest.mark.django_db


def make_conversation(subject: str = "Newsletter", texts: tuple[str, ...] = ("First", "Second")) -> Conversation:
    now = timezone.now()
    box = make_mailbox(makes_tickets=False, pipeline=make_pipeline("Other"), team=make_team())
    contact = make_contact()
    conversation = Conversation.objects.create(mailbox=box, contact=contact, subject=subject, created_at=now)
    for text in texts:
        Message.objects.create(
            conversation=conversation, contact=contact, direction=Direction.IN, kind=MessageKind.EMAIL, text=text,
            at=timezone.now(), subject=subject,
        )  # fmt: skip
    return conversation


@pytest.fixture
def agent(client: Client) -> User:
    agent = make_user()
    client.force_login(agent)
    return agent


def test_the_list_shows_who_wrote_and_what(client: Client, agent: User) -> None:
    conversation = make_conversation("Do you ship to Åland?")
    text = client.get("/conversations/").content.decode()
    assert "Do you ship to Åland?" in text
    assert str(conversation.contact) in text
    assert "Second" in text


def test_one_can_be_read_before_it_becomes_a_ticket(client: Client, agent: User) -> None:
    conversation = make_conversation()
    text = client.get(f"/conversations/{conversation.pk}/").content.decode()
    assert "First" in text
    assert "Make ticket" in text
    ticket = conversation.make_ticket(by=agent, now=timezone.now())
    assert client.get(f"/conversations/{conversation.pk}/").headers["Location"] == f"/tickets/{ticket.number}/"
    client.force_login(make_user(Role.COLLABORATOR))
    assert client.get(f"/conversations/{make_conversation().pk}/").status_code == 404


def test_making_a_ticket_takes_every_message_along(client: Client, agent: User) -> None:
    conversation = make_conversation()
    answer = client.post(f"/conversations/{conversation.pk}/ticket/")
    ticket = Ticket.objects.get()
    assert answer.headers["Location"] == f"/tickets/{ticket.number}/"
    assert ticket.name == "Newsletter"
    assert ticket.pipeline.name == "Other"
    assert ticket.team == conversation.mailbox.team
    assert ticket.contact == conversation.contact
    assert (ticket.message_count, ticket.preview, ticket.created_by) == (2, "Second", agent)
    assert ticket.turn in (Kind.NEW, Kind.WAITING_ON_US)
    assert conversation.messages.filter(ticket=ticket).count() == 2
    assert "Newsletter" not in client.get("/conversations/").content.decode()


def test_two_clicks_make_one_ticket(client: Client, agent: User) -> None:
    conversation = make_conversation()
    for _ in range(2):
        client.post(f"/conversations/{conversation.pk}/ticket/")
    assert Ticket.objects.count() == 1


def test_who_may_not_reply_or_sees_no_unassigned_tickets_is_refused(client: Client) -> None:
    conversation = make_conversation()
    url = f"/conversations/{conversation.pk}/ticket/"
    client.force_login(make_user(Role.COLLABORATOR))
    assert client.get("/conversations/").status_code == 403
    assert client.post(url).status_code == 404
    client.force_login(make_user(sees_unassigned=False))
    assert "Newsletter" not in client.get("/conversations/").content.decode()
    assert client.post(url).status_code == 404
    with pytest.raises(MayNotReply):
        conversation.make_ticket(by=make_user(Role.COLLABORATOR), now=timezone.now())


def test_the_list_goes_on_at_its_next_page(client: Client, agent: User) -> None:
    for number in range(51):
        make_conversation(f"Subject {number}", ("x",))
    first = client.get("/conversations/").content.decode()
    assert "Subject 50<" in first
    assert "Subject 0<" not in first
    rest = client.get("/conversations/?page=2", headers={"HX-Request": "true"}).content.decode()
    assert "Subject 0<" in rest
    assert "<html" not in rest


def test_the_list_costs_the_same_for_one_and_for_ten(
    client: Client, agent: User, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    make_conversation()
    one = count_queries(lambda: client.get("/conversations/"))
    for _ in range(9):
        make_conversation()
    assert count_queries(lambda: client.get("/conversations/")) == one


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_comes_while_the_ticket_is_made_lands_on_it() -> None:
    agent, conversation = make_user(), make_conversation(texts=("First",))
    first = conversation.messages.get()
    Message.objects.filter(pk=first.pk).update(message_id="first@x.example", message_id_hash=id_hash("first@x.example"))
    sender = conversation.contact.address
    raw = (
        f"From: {sender}\r\nTo: {conversation.mailbox.address}\r\nSubject: Re: Newsletter\r\n"
        "Message-ID: <second@x.example>\r\nIn-Reply-To: <first@x.example>\r\n\r\nOne more thing.\r\n"
    ).encode()
    incoming = receiving.store(conversation.mailbox, raw, source="pipe", now=timezone.now())

    def land() -> None:
        receiving.process(incoming.pk)
        connection.close()

    landing = threading.Thread(target=land)
    with transaction.atomic():
        ticket = Conversation.objects.get(pk=conversation.pk).make_ticket(by=agent, now=timezone.now())
        landing.start()
        landing.join(1.5)
        assert landing.is_alive()
    landing.join(20)
    assert list(ticket.messages.order_by("pk").values_list("text", flat=True)) == ["First", "One more thing."]
