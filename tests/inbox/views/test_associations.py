"""Add contact: whom a ticket is about, and what one can do before anybody is (SPEC S-12 to S-14)."""

from __future__ import annotations

import pytest

from people.models import Company, Contact
from tests.factories import make_contact, make_mailbox, make_message, make_ticket
from tests.inbox.views.conftest import HTMX
from tickets.models import Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_hand():
    make_mailbox()
    return make_ticket(contact=None, source=Source.MANUAL)


def test_s13_without_a_contact_there_is_only_the_comment_tab_and_add_contact(desk, by_hand):
    html = desk.get(f"/tickets/{by_hand.number}/").content.decode()
    assert 'id="tab-comment"' in html
    assert 'id="tab-reply"' not in html
    assert "This ticket has no contact yet. Add one to write to them." in html
    assert f'hx-get="/tickets/{by_hand.number}/contacts/?view=all-open"' in html


def test_s13_with_the_first_contact_the_reply_editor_appears_and_a_message_makes_the_conversation(desk, by_hand):
    laura = make_contact("laura@gmail.example", "Laura Niemi")
    answer = desk.post(f"/tickets/{by_hand.number}/contacts/", {"contact": [laura.pk]}, headers=HTMX)
    html = answer.content.decode()
    assert 'id="tab-reply"' in html
    assert "laura@gmail.example" in html
    assert not by_hand.conversations.exists()
    desk.post(f"/tickets/{by_hand.number}/replies/", {"text": "Come by on Friday."})
    assert by_hand.conversations.count() == 1
    by_hand.refresh_from_db()
    assert by_hand.contact == laura
    assert by_hand.events.filter(kind="contact").get().detail == {"from": "", "to": "Laura Niemi"}


def test_s13_a_contact_that_is_not_there_yet_is_made_from_its_address_plain(desk, by_hand):
    address = f"/tickets/{by_hand.number}/contacts/"
    assert "<html" in desk.get(address).content.decode()
    said = desk.post(address, {"contact": ["Niamh <niamh@galway.example>"]}, follow=True).content.decode()
    assert "Niamh" in said
    by_hand.refresh_from_db()
    assert by_hand.contact.address == "niamh@galway.example"


def test_s14_a_contact_without_an_address_gives_the_reason_and_the_way_to_mend_it(desk, by_hand):
    laura = Contact.objects.create(name="Laura Niemi")
    by_hand.set_properties({"contact": laura}, by=None, now=by_hand.opened_at)
    html = desk.get(f"/tickets/{by_hand.number}/").content.decode()
    assert "Laura Niemi has no mail address." in html
    assert 'name="contact_address"' in html
    desk.post(f"/tickets/{by_hand.number}/contact-address/", {"contact_address": "laura@gmail.example"})
    html = desk.get(f"/tickets/{by_hand.number}/").content.decode()
    assert "has no mail address" not in html
    assert "laura@gmail.example" in html


def test_contacts_are_added_taken_away_and_another_made_primary(desk):
    ticket = make_ticket()
    make_message(ticket)
    elina, olu = ticket.contact, make_contact(name="Olu Adeyemi")
    address = f"/tickets/{ticket.number}/contacts/"
    html = desk.post(address, {"contact": [olu.pk, elina.pk, ""]}, headers=HTMX).content.decode()
    assert 'id="context"' in html
    assert 'id="composer-head"' in html
    assert "composer-slim" not in html, "the editor keeps what stands in it"
    ticket.refresh_from_db()
    assert (ticket.contact, list(ticket.other_contacts.all())) == (olu, [elina])
    desk.post(address, {"contact": ""})
    ticket.refresh_from_db()
    assert (ticket.contact, ticket.other_contacts.count()) == (None, 0)
    assert 'id="tab-reply"' in desk.get(f"/tickets/{ticket.number}/").content.decode(), "somebody did write"


def test_companies_too(desk):
    ticket, kallio = make_ticket(), Company.objects.create(name="Kallio Climbing ry")
    answer = desk.post(f"/tickets/{ticket.number}/companies/", {"company": [kallio.pk]}, headers=HTMX)
    assert "Kallio Climbing ry" in answer.content.decode()
    ticket.refresh_from_db()
    assert ticket.company == kallio
    answer = desk.post(f"/tickets/{ticket.number}/companies/", {"company": ["Nowhere"]}, headers=HTMX)
    assert answer.status_code == 422
    assert "No company is called “Nowhere” here." in answer.content.decode()
    assert 'value="Nowhere"' in answer.content.decode()
