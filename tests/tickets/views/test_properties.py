"""Properties in the context, and a status that asks for them (SPEC H-02, H-28, S-32)."""

from __future__ import annotations

import pytest

from tests.factories import make_ticket, make_user
from tests.tickets.test_properties import make_property
from tickets.models import Kind

pytestmark = pytest.mark.django_db

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def page(client):
    client.force_login(make_user(name="Aino Virtanen"))
    return client


def test_a_property_is_shown_and_changed_in_place_plain(page):
    make_property(name="Root cause")
    ticket = make_ticket()
    assert "Root cause" in page.get(f"/tickets/{ticket.number}/").content.decode()
    answer = page.post(f"/tickets/{ticket.number}/properties/root_cause/", {"value": "Courier"}, follow=True)
    assert "Root cause: Courier" in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.properties == {"root_cause": "Courier"}
    assert ticket.events.get(kind="properties").actor.name == "Aino Virtanen"


def test_a_property_is_changed_as_a_fragment_and_a_wrong_value_keeps_what_was_typed(page):
    make_property("refund", "number", name="Refund amount")
    ticket = make_ticket()
    address = f"/tickets/{ticket.number}/properties/refund/"
    answer = page.post(address, {"value": "a lot"}, **HTMX)
    assert answer.status_code == 422
    assert answer["HX-Retarget"] == "#property-refund"
    assert "“a lot” is not a number." in answer.content.decode()
    assert 'value="a lot"' in answer.content.decode()
    answer = page.post(address, {"value": "12,50"}, **HTMX)
    assert answer.status_code == 200
    assert "12.5" in answer.content.decode()
    assert 'id="ticket-properties"' in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.properties == {"refund": 12.5}


def test_a_property_that_is_not_there_is_not_found(page):
    ticket = make_ticket()
    for key in ("gone", "status", "owner", "form_key"):
        assert page.post(f"/tickets/{ticket.number}/properties/{key}/", {"value": "x"}).status_code == 404


def test_the_name_of_a_ticket_is_changed_and_cannot_be_empty(page):
    ticket = make_ticket()
    address = f"/tickets/{ticket.number}/properties/name/"
    assert page.post(address, {"value": " "}, **HTMX).status_code == 422
    page.post(address, {"value": "Halla 3L, wrong size"})
    ticket.refresh_from_db()
    assert ticket.name == "Halla 3L, wrong size"


@pytest.fixture
def closing():
    make_property(name="Root cause")
    ticket = make_ticket()
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    closed.required = ["root_cause", "owner"]
    closed.save()
    return ticket, closed


def test_a_status_asks_for_what_is_missing_and_nothing_changes_until_it_is_given(page, closing):
    ticket, closed = closing
    address, owner = f"/tickets/{ticket.number}/status/", make_user()
    answer = page.post(address, {"status": closed.pk}, **HTMX)
    html = answer.content.decode()
    assert (answer.status_code, answer["HX-Retarget"]) == (422, "#asking")
    assert "2 things before this is “Closed”" in html
    assert "Choose a value" not in html, "nobody is blamed before they were asked"

    given = {"status": closed.pk, "property-root_cause": "Courier", "property-owner": ""}
    answer = page.post(address, given, **HTMX)
    assert answer.status_code == 422
    assert "Choose an owner." in answer.content.decode()
    ticket.refresh_from_db()
    assert (ticket.status_id == closed.pk, ticket.properties) == (False, {})

    answer = page.post(address, given | {"property-owner": owner.pk}, **HTMX)
    assert answer.status_code == 200
    ticket.refresh_from_db()
    assert (ticket.status, ticket.properties, ticket.owner) == (closed, {"root_cause": "Courier"}, owner)


def test_an_amount_of_nothing_is_an_amount(page):
    make_property("amount", "number")
    ticket = make_ticket()
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    closed.required = ["amount"]
    closed.save()
    answer = page.post(f"/tickets/{ticket.number}/status/", {"status": closed.pk, "property-amount": "0"}, **HTMX)
    assert answer.status_code == 200
    ticket.refresh_from_db()
    assert (ticket.status, ticket.properties) == (closed, {"amount": 0})


def test_a_status_asks_on_a_page_of_its_own_without_scripts(page, closing):
    ticket, closed = closing
    address = f"/tickets/{ticket.number}/status/"
    answer = page.post(address, {"status": closed.pk})
    assert answer.status_code == 422
    assert "<html" in answer.content.decode()
    given = {"status": closed.pk, "property-root_cause": "Sizing", "property-owner": make_user().pk}
    assert "Status: Closed" in page.post(address, given, follow=True).content.decode()


def test_a_page_costs_the_same_for_one_property_and_for_ten(page, count_queries):
    ticket = make_ticket()
    make_property("first")
    page.get(f"/tickets/{ticket.number}/")
    one = count_queries(lambda: page.get(f"/tickets/{ticket.number}/"))
    for number in range(9):
        make_property(f"p{number}", ["text", "number", "date"][number % 3])
    assert count_queries(lambda: page.get(f"/tickets/{ticket.number}/")) == one
