"""Plain forms that are sent after the session has ended: no word of them is lost, and nothing is done twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inbox.models import Message
from people.models import User
from tests.factories import make_mailbox, make_message, make_ticket, make_user
from tests.people.test_signing_in import sign_in
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return make_user(name="Aino Virtanen")


@pytest.fixture
def ticket() -> Ticket:
    ticket = make_ticket()
    make_message(ticket, mailbox=make_mailbox())
    return ticket


def sent_when_signed_out(client: Client, user: User, address: str, fields: dict[str, Any]) -> None:
    sign_in(client, user)
    del client.cookies["sessionid"]
    answer = client.post(address, fields)
    assert answer["Location"].startswith("/login/")


@pytest.mark.parametrize(
    ("where", "fields", "words"),
    [
        ("/tickets/{}/replies/?view=all-open", {"text": "We send another."}, "We send another."),
        ("/tickets/{}/comments/", {"text": "Check the shelf."}, "Check the shelf."),
        ("/tickets/new/", {"name": "Backpack fitting", "description": "She rang."}, "She rang."),
        ("/profile/", {"section": "signature", "signature": "Maija, who writes"}, "Maija, who writes"),
    ],
)
def test_what_was_sent_when_signed_out_stands_in_its_form_after_signing_in(
    client: Client, user: User, ticket: Ticket, where: str, fields: dict[str, Any], words: str
) -> None:
    before = Message.objects.count(), Ticket.objects.count()
    sent_when_signed_out(client, user, where.format(ticket.number), fields)
    answer = client.get(sign_in(client, user)["Location"])
    page = answer.content.decode()
    assert words in page
    assert "You were signed out meanwhile" in page
    assert (Message.objects.count(), Ticket.objects.count()) == before
    user.refresh_from_db()
    assert user.signature == ""
    assert client.get("/unsent/")["Location"] == "/", "it is shown once"


def test_somebody_else_who_signs_in_there_sees_nothing_of_it(client: Client, user: User, ticket: Ticket) -> None:
    sent_when_signed_out(client, user, f"/tickets/{ticket.number}/replies/", {"text": "We send another."})
    assert sign_in(client, make_user())["Location"] != "/unsent/"
    assert client.get("/unsent/")["Location"] == "/"


def test_a_password_is_not_kept(client: Client, user: User) -> None:
    sent_when_signed_out(client, user, "/profile/", {"section": "password", "old_password": "x", "new_password1": "y"})
    assert "unsent" not in client.cookies


def test_a_form_that_would_do_something_when_shown_is_not_kept(client: Client, user: User, ticket: Ticket) -> None:
    sent_when_signed_out(client, user, f"/tickets/{ticket.number}/assignment/", {"owner": user.pk})
    assert "unsent" not in client.cookies
