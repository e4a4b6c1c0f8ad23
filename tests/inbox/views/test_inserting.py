"""What the menus of the editor insert is filled in from tickets that one sees, and from no others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from library.models import Snippet
from people.models import User
from tests.factories import make_contact, make_message, make_ticket, make_user
from tickets.models import Ticket


@pytest.fixture
def ticket() -> Ticket:
    ticket = make_ticket(owner=make_user(), contact=make_contact("elina@customer.example", "Elina Saarinen"))
    make_message(ticket)
    Snippet.objects.create(name="Hello", html="<p>Hi {{ contact.first_name|there }}</p>")
    return ticket


@pytest.mark.parametrize("address", ["/snippets/", "/placeholders/"])
def test_another_ones_ticket_fills_in_nothing(
    address: str, desk: Client, ticket: Ticket, browser_of: Callable[[User], Client]
) -> None:
    narrow = browser_of(make_user(ticket_access="own", sees_unassigned=False))
    assert "Elina" in desk.get(address, {"ticket": ticket.number}).content.decode()
    refused = narrow.get(address, {"ticket": ticket.number})
    assert refused.status_code == 404
    assert "Elina" not in refused.content.decode()
    assert "Elina" not in narrow.get(address).content.decode()


def test_a_ticket_in_the_trash_fills_in_nothing_for_whoever_may_not_open_it(desk: Client, ticket: Ticket) -> None:
    ticket.trash(by=None, now=ticket.opened_at)
    assert desk.get("/placeholders/", {"ticket": ticket.number}).status_code == 404


@pytest.mark.parametrize("number", ["x", "-1", "9" * 40, "1 or 1=1"])
def test_what_is_no_number_of_a_ticket_is_no_ticket(number: str, desk: Client) -> None:
    assert desk.get("/placeholders/", {"ticket": number}).status_code == 404
