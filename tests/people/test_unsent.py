"""Plain forms that are sent after the session has ended: no word of them is lost, and nothing is done twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inbox.models import Message
from people.models import User
from people.unsent import MOST_IN_AN_HOUR
from tests.factories import PASSWORD, make_mailbox, make_message, make_ticket, make_user
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
    where_to = sign_in(client, user)["Location"]
    for _reload in range(2):
        page = client.get(where_to).content.decode()
        assert words in page
        assert "You were signed out meanwhile" in page
    assert (Message.objects.count(), Ticket.objects.count()) == before
    user.refresh_from_db()
    assert user.signature == ""
    del client.cookies["sessionid"]
    assert sign_in(client, user)["Location"] == "/", "one is led there once"


def test_somebody_else_who_signs_in_there_sees_nothing_of_it(client: Client, user: User, ticket: Ticket) -> None:
    sent_when_signed_out(client, user, f"/tickets/{ticket.number}/replies/", {"text": "We send another."})
    assert "/unsent/" not in sign_in(client, make_user())["Location"]
    assert client.get("/unsent/")["Location"] == "/"


def test_a_password_is_not_kept(client: Client, user: User) -> None:
    sent_when_signed_out(client, user, "/profile/", {"section": "password", "old_password": "x", "new_password1": "y"})
    assert "unsent" not in client.cookies


def test_a_form_that_would_do_something_when_shown_is_not_kept(client: Client, user: User, ticket: Ticket) -> None:
    sent_when_signed_out(client, user, f"/tickets/{ticket.number}/assignment/", {"owner": user.pk})
    assert "unsent" not in client.cookies


def test_what_cannot_be_sent_any_more_is_shown_in_words_with_the_way_on(
    client: Client, user: User, ticket: Ticket
) -> None:
    fields = {"html": "<p>We send <b>another</b>.</p>", "text": "", "subject": "Zipper", "kind": "reply_all"}
    sent_when_signed_out(client, user, f"/tickets/{ticket.number}/replies/", fields)
    ticket.delete()
    form = {"username": user.email, "password": PASSWORD, "next": "/drafts/?a=1&b=2"}
    where_to = client.post("/login/", form)["Location"]
    for _reload in range(2):
        answer = client.get(where_to)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "cannot be sent any more" in page
        assert "We send another." in page
        assert "Zipper" in page
        assert "reply_all" not in page
        assert 'href="/drafts/?a=1&amp;b=2"' in page


def test_the_way_on_leads_to_no_other_host(client: Client, user: User) -> None:
    sign_in(client, user)
    assert client.get("/unsent/?next=https://evil.example/")["Location"] == "/"
    assert client.get("/unsent/?next=/drafts/")["Location"] == "/drafts/"


def test_nobody_plants_a_form_for_somebody_else(client: Client, user: User, ticket: Ticket) -> None:
    sign_in(client, make_user())
    mine = client.cookies["signed-in-last"].value
    address, fields = f"/tickets/{ticket.number}/replies/", {"text": "Pay here.", "bcc": "mallory@evil.example"}
    for forged in (None, str(user.pk), str(user.pk) + mine[mine.index(":") :]):
        stranger = Client()
        stranger.cookies["desk-user"] = str(user.pk)
        if forged:
            stranger.cookies["signed-in-last"] = forged
        assert stranger.post(address, fields)["Location"].startswith("/login/")
        assert "unsent" not in stranger.cookies


@pytest.mark.parametrize("way_out", ["/logout/", "/admin/logout/"])
def test_after_signing_out_nothing_is_kept_for_whoever_it_was(client: Client, ticket: Ticket, way_out: str) -> None:
    admin = make_user("admin")
    sign_in(client, admin)
    assert client.cookies["signed-in-last"]["httponly"]
    client.post(way_out)
    assert client.cookies["signed-in-last"].value == client.cookies["desk-user"].value == ""
    client.post(f"/tickets/{ticket.number}/replies/", {"text": "Pay here."})
    assert "unsent" not in client.cookies


def test_an_office_behind_one_address_has_as_much_room_as_its_people(user: User, ticket: Ticket) -> None:
    address, one, other = f"/tickets/{ticket.number}/comments/", Client(), Client()
    for browser, who in ((one, user), (other, make_user())):
        sign_in(browser, who)
        del browser.cookies["sessionid"]
    for _ in range(MOST_IN_AN_HOUR):
        assert "unsent" in one.post(address, {"text": "Check."}).cookies
    assert "unsent" not in one.post(address, {"text": "Check."}).cookies
    assert "unsent" in other.post(address, {"text": "Check."}).cookies
