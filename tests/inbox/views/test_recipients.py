"""The head of the editor as it is asked for and as it is changed, suggestions, and an address for a contact."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.test import Client

from inbox.models import Draft, Mailbox, Message, Outgoing, ReplyAddress
from people.models import AuditEntry, Contact, ContactAddress, Role, User
from tests.factories import make_contact, make_mailbox, make_message, make_team, make_ticket, make_user
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
_FIELD = re.compile(r'name="(to|cc|bcc)" value="([^"]*)"')
_TEMPLATE = re.compile(r"<template>.*?</template>", re.DOTALL)  # an empty chip, which no form sends


@pytest.fixture
def ticket() -> Ticket:
    ticket = make_ticket(name="Wrong size", contact=make_contact("elina@customer.example", "Elina"))
    box = make_mailbox("support@desk.example")
    make_message(ticket, mailbox=box, cc=[{"name": "", "address": "olu@customer.example"}])
    return ticket


def named(html: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"to": [], "cc": [], "bcc": []}
    for name, value in _FIELD.findall(_TEMPLATE.sub("", html)):
        found[name].append(value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"'))
    return found


def form(**fields: Any) -> dict[str, Any]:
    return {"recipients": "1", "kind": "reply_all", "quotes": "1", **fields}


def test_a_page_names_everybody_on_the_mail_above_send(desk: Client, ticket: Ticket) -> None:
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert named(page) == {"to": ["Elina <elina@customer.example>"], "cc": ["olu@customer.example"], "bcc": []}
    assert 'name="kind" value="reply_all"' in page
    assert 'value="Re: Wrong size"' in page


def test_a_forward_begins_with_nobody_its_subject_and_the_files(desk: Client, ticket: Ticket) -> None:
    message = ticket.messages.get()
    file = message.attachments.create(name="label.pdf", content_type="application/pdf", size=9, file="x")
    address = f"/tickets/{ticket.number}/replies/?answers={message.pk}&kind=forward"
    head = desk.get(f"{address}&cc=boss@x.example", headers=HTMX).content.decode()
    assert named(head) == {"to": [], "cc": ["boss@x.example"], "bcc": []}
    assert 'value="Fwd: Wrong size"' in head
    assert f'name="forwarded" value="{file.pk}" checked' in head
    plain = desk.get(address)
    assert plain.status_code == 302
    page = desk.get(plain["Location"]).content.decode()
    assert 'name="kind" value="forward"' in page


def test_choosing_forward_tells_at_once_who_may_not_get_the_message(desk: Client, ticket: Ticket) -> None:
    told = make_message(ticket, from_address="help@carrier.example", text="It was stolen.", third_party=True)
    address = f"/tickets/{ticket.number}/replies/?answers={told.pk}&kind="
    may_not = "The customer may not see this message yet"
    assert may_not in desk.get(f"{address}forward", headers=HTMX).content.decode()
    assert may_not not in desk.get(f"{address}reply", headers=HTMX).content.decode()
    named_already = desk.get(f"{address}forward&to=elina@customer.example", headers=HTMX).content.decode()
    assert "elina@customer.example may not see the message that you answer" in named_already
    theirs = ticket.messages.exclude(pk=told.pk).get()
    head = desk.get(f"/tickets/{ticket.number}/replies/?answers={theirs.pk}&kind=forward", headers=HTMX)
    assert "may not see" not in head.content.decode()


def test_without_its_words_a_message_that_stands_aside_keeps_nobody_away(desk: Client, ticket: Ticket) -> None:
    told = make_message(ticket, from_address="help@carrier.example", text="It was stolen.", third_party=True)
    fields = form(kind="reply", answers=told.pk, chosen="1", to="elina@customer.example", to_mailbox="")
    head = f"/tickets/{ticket.number}/head/"
    assert "may not see the message" in desk.post(head, fields, headers=HTMX).content.decode()
    del fields["quotes"]
    assert "may not see the message" not in desk.post(head, fields, headers=HTMX).content.decode()


def test_another_kind_finds_people_anew_and_keeps_those_one_added(desk: Client, ticket: Ticket) -> None:
    typed = form(to=["Elina <elina@customer.example>", "boss@x.example"], cc="olu@customer.example", bcc="h@x.example")
    address = f"/tickets/{ticket.number}/head/"
    head = desk.post(address, typed | {"to_kind": "reply", "subject": "Re: Wrong size"}, headers=HTMX).content.decode()
    assert named(head) == {
        "to": ["Elina <elina@customer.example>", "boss@x.example"], "cc": [], "bcc": ["h@x.example"]
    }  # fmt: skip
    head = desk.post(address, typed | {"to_kind": "forward", "subject": "Mine"}, headers=HTMX).content.decode()
    assert named(head) == {"to": ["boss@x.example"], "cc": [], "bcc": ["h@x.example"]}
    assert 'name="subject" value="Mine"' in head


def test_another_sender_leaves_people_as_they_are_also_without_those_one_removed(desk: Client, ticket: Ticket) -> None:
    other = make_mailbox("returns@desk.example", signature="Korpi Returns, Kallio")
    typed = form(to="jussi@", to_mailbox=other.pk)
    head = desk.post(f"/tickets/{ticket.number}/head/", typed, headers=HTMX).content.decode()
    assert named(head) == {"to": ["jussi@"], "cc": [], "bcc": []}
    assert "token--bad" in head
    assert "“jussi@” is not a mail address. Correct it or remove it." in head
    assert f'name="mailbox" value="{other.pk}"' in head
    assert "Your signature is added: Korpi Returns, Kallio" in head
    assert desk.post(f"/tickets/{ticket.number}/head/", form(to_mailbox=999), headers=HTMX).status_code == 404


def test_a_default_that_differs_from_the_conversations_address_is_told(
    desk: Client, agent: User, ticket: Ticket
) -> None:
    team = make_team()
    agent.memberships.create(team=team)
    assert "Your default is" not in desk.get(f"/tickets/{ticket.number}/").content.decode()
    ReplyAddress.objects.create(team=team, mailbox=make_mailbox("b2b@desk.example"))
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "This conversation goes from support@desk.example. Your default is b2b@desk.example." in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"to": "jussi@korpi@"}, "“jussi@korpi@” is not a mail address. Correct it or remove it."),
        ({"to": "jörg@x.example"}, "“jörg@x.example” has letters before the @"),
        ({"to": "a@x.example", "cc": "support@desk.example"}, "“support@desk.example” is one of our own mailboxes"),
        ({"to": [f"p{n}@x.example" for n in range(101)]}, "101 recipients are more than one mail may have."),
        ({"cc": "a@x.example"}, "Nobody is named in “To”."),
    ],
)
def test_recipients_that_cannot_be_are_named_and_everything_is_kept(
    desk: Client, ticket: Ticket, fields: dict[str, Any], sentence: str
) -> None:
    typed = form(text="Dear all", subject="My subject", override=["recipients", "known"], **fields)
    answer = desk.post(f"/tickets/{ticket.number}/replies/", typed, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert "Dear all" in page
    assert "My subject" in page
    wanted = {name: [value] if isinstance(value, str) else value for name, value in fields.items()}
    assert named(page) == {"to": [], "cc": [], "bcc": []} | wanted
    assert not Outgoing.objects.exists()


def test_a_mailbox_that_ones_teams_do_not_use_is_refused_when_posted_by_hand(desk: Client, ticket: Ticket) -> None:
    foreign = make_mailbox("sales@desk.example")
    foreign.senders.add(make_team())
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "sales@desk.example" not in page
    answer = desk.post(f"/tickets/{ticket.number}/replies/", {"text": "Hi", "mailbox": foreign.pk}, headers=HTMX)
    assert answer.status_code == 422
    assert "Your teams do not send from sales@desk.example. Choose another address." in answer.content.decode()
    assert not Message.objects.filter(direction="out").exists()


def test_when_the_mailbox_is_off_another_can_be_chosen(desk: Client, ticket: Ticket) -> None:
    Mailbox.objects.update(enabled=False)
    other = make_mailbox("returns@desk.example")
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    assert "support@desk.example is switched off" in page
    assert "returns@desk.example" in page
    head = desk.post(f"/tickets/{ticket.number}/head/", form(to="a@x.example", to_mailbox=other.pk), headers=HTMX)
    assert "switched off" not in head.content.decode()


def test_history_from_outside_is_clean_before_one_edits_it_and_again_when_it_comes_back(
    desk: Client, ticket: Ticket
) -> None:
    evil = '<p onclick="x()">Hi</p><img src="https://track.example/1.gif"><script>alert(1)</script><form><input></form>'
    message = ticket.messages.get()
    shown = desk.get(f"/tickets/{ticket.number}/history/?answers={message.pk}&kind=reply", headers=HTMX)
    assert "The jacket is a size S" in shown.content.decode()
    typed = form(to="elina@customer.example", text="Yes", quoted_html=evil, to_mailbox="")
    head = desk.post(f"/tickets/{ticket.number}/head/", typed, headers=HTMX).content.decode()
    desk.post(f"/tickets/{ticket.number}/replies/", typed | {"override": ["known"]}, headers=HTMX)
    sent = Message.objects.get(direction="out")
    for html in (head, sent.quoted_html):
        assert "Hi" in html
        for bad in ("onclick", "track.example", "alert(1)", "<form><input>"):
            assert bad not in html


def test_history_goes_along_or_not(desk: Client, ticket: Ticket) -> None:
    typed = {"recipients": "1", "kind": "reply", "to": "elina@customer.example", "text": "Yes"}
    desk.post(f"/tickets/{ticket.number}/replies/", typed, headers=HTMX)
    desk.post(f"/tickets/{ticket.number}/replies/", typed | {"quotes": "1"}, headers=HTMX)
    without, along = Message.objects.filter(direction="out").order_by("pk")
    assert (without.quoted_html, without.quoted_text) == ("", "")
    assert "size S" in along.quoted_text


def test_suggestions_are_quick_among_a_hundred_thousand_contacts(desk: Client, ticket: Ticket) -> None:
    contacts = Contact.objects.bulk_create([Contact(name=f"Person {n:06}") for n in range(3000)])
    ContactAddress.objects.bulk_create(
        [ContactAddress(contact=each, address=f"p{n:06}@many.example") for n, each in enumerate(contacts)]
    )
    make_contact("elias@other.example", "Elias Berg")
    found = desk.get(f"/recipients/?q=elia&ticket={ticket.number}").json()["results"]
    assert [each["address"] for each in found] == ["elias@other.example"]
    first = desk.get(f"/recipients/?q=el&ticket={ticket.number}").json()["results"]
    assert first[0] == {"name": "Elina", "address": "elina@customer.example", "detail": ""}
    began = time.monotonic()
    assert len(desk.get("/recipients/?q=person").json()["results"]) == 8
    assert time.monotonic() - began < 0.5


def test_who_is_on_a_ticket_that_one_may_not_see_is_not_told(browser_of: Any) -> None:
    me = make_user(ticket_access="own", sees_unassigned=False)
    ticket = make_ticket(owner=make_user(), contact=make_contact("elina@customer.example"))
    make_message(ticket, cc=[{"name": "", "address": "secret@x.example"}])
    answer = browser_of(me).get(f"/recipients/?q=secret&ticket={ticket.number}")
    assert answer.json() == {"results": []}


def test_a_contact_without_an_address_is_given_one(desk: Client) -> None:
    make_mailbox()
    make_contact("taken@customer.example", "Olu")
    ticket = make_ticket()
    ticket.contact.addresses.all().delete()
    address = f"/tickets/{ticket.number}/contact-address/"
    for typed, sentence in [("elina@", "is not a mail address"), ("taken@customer.example", "belongs to Olu already")]:
        answer = desk.post(address, {"contact_address": typed}, headers=HTMX)
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert f'value="{typed}"' in answer.content.decode()
    assert desk.post(address, {"contact_address": "Elina@Customer.example"}).status_code == 302
    assert ticket.contact.addresses.get().address == "elina@customer.example"
    assert named(desk.get(f"/tickets/{ticket.number}/").content.decode())["to"] == [
        "Elina Saarinen <elina@customer.example>"
    ]


def test_a_contact_that_can_be_written_to_keeps_its_address(desk: Client) -> None:
    make_mailbox()
    ticket = make_ticket(contact=make_contact("elina@customer.example", "Elina"))
    address, form = f"/tickets/{ticket.number}/contact-address/", {"contact_address": "mallory@evil.example"}
    for headers in ({}, HTMX):
        answer = desk.post(address, form, headers=headers)
        assert answer.status_code == 409
        said = answer.content.decode() + answer.headers.get("HX-Trigger", "")
        assert "Elina has the address elina@customer.example already" in said
    assert [row.address for row in ticket.contact.addresses.all()] == ["elina@customer.example"]
    assert not ticket.events.filter(kind="properties").exists()


def test_the_history_says_who_gave_the_contact_which_address(desk: Client, agent: User) -> None:
    make_mailbox()
    ticket = make_ticket()
    ticket.contact.addresses.all().delete()
    desk.post(f"/tickets/{ticket.number}/contact-address/", {"contact_address": "elina@customer.example"})
    event = ticket.events.get(kind="properties")
    assert event.actor == agent
    assert "Mail address: <b>elina@customer.example</b>" in desk.get(f"/tickets/{ticket.number}/").content.decode()


def test_an_address_that_mail_cannot_reach_gives_way_to_a_better_one(desk: Client) -> None:
    make_mailbox()
    ticket = make_ticket(contact=make_contact("jörg@müller.example", "Jörg"))
    desk.post(f"/tickets/{ticket.number}/contact-address/", {"contact_address": "jorg@mueller.example"})
    contact = Contact.objects.get(name="Jörg")
    assert contact.address == "jorg@mueller.example"
    assert contact.addresses.count() == 2


def test_teams_of_a_mailbox_and_its_default_are_set_on_its_page(browser_of: Any) -> None:
    agent = make_user(Role.AGENT)
    box, other = make_mailbox("a@desk.example"), make_mailbox("b@desk.example")
    sales, support = make_team("Sales"), make_team("Support")
    ReplyAddress.objects.create(team=sales, mailbox=other)
    page = browser_of(agent)
    typed = {"name": "Shop", "poll_seconds": 60, "senders": [sales.pk], "default_of": [sales.pk]}
    wrong = page.post(f"/settings/mailboxes/{box.pk}/", typed | {"default_of": [support.pk]})
    assert wrong.status_code == 422
    assert "Support does not send from this mailbox." in wrong.content.decode()
    assert page.post(f"/settings/mailboxes/{box.pk}/", typed).status_code == 302
    assert list(box.senders.all()) == [sales]
    assert ReplyAddress.objects.get().mailbox == box
    assert AuditEntry.objects.get().changes["default_of"] == [[], ["Sales"]]
    shown = page.get(f"/settings/mailboxes/{box.pk}/").content.decode()
    assert shown.count("checked") >= 2
    page.post(f"/settings/mailboxes/{box.pk}/", {"name": "Shop", "poll_seconds": 60})
    assert not ReplyAddress.objects.exists()
    assert not Draft.objects.exists()
