"""What the command palette finds, and for whom."""

from __future__ import annotations

import pytest

from inbox.finding import find
from tests.factories import make_contact, make_ticket, make_user
from tests.signing_in import signed_in

pytestmark = pytest.mark.django_db


def test_a_ticket_is_found_by_its_number_with_or_without_the_sign():
    agent, ticket = make_user(), make_ticket(name="Broken zipper")
    make_ticket(name="Another")
    for words in (str(ticket.number), f"#{ticket.number}", f"  #{ticket.number} "):
        assert find(words, agent).tickets[0] == ticket


def test_a_ticket_is_found_by_a_part_of_its_name_the_newest_first():
    old, new = make_ticket(name="Broken zipper"), make_ticket(name="A ZIPPER again")
    make_ticket(name="Another")
    assert find("zipper", make_user()).tickets == [new, old]


def test_a_ticket_that_one_may_not_see_is_not_found():
    ticket = make_ticket(name="Salary of the boss", contact=make_contact("boss@shop.example", name="Berta Boss"))
    own = make_user(ticket_access="own", sees_unassigned=False)
    for words in (str(ticket.number), "Salary"):
        assert find(words, own).is_empty
    assert find("Berta", own).contacts == [(ticket.contact, None)], "whom one may write to is found, as in To"


def test_a_contact_leads_to_the_newest_ticket_of_theirs():
    elina = make_contact("elina@saarinen.example", name="Elina Saarinen")
    make_ticket(name="first", contact=elina)
    newest = make_ticket(name="second", contact=elina)
    assert find("saarin", make_user()).contacts == [(elina, newest)]


def test_a_further_contact_of_a_ticket_leads_there_too():
    elina, ticket = make_contact("zoe@x.example", name="Zoe"), make_ticket()
    ticket.other_contacts.add(elina)
    assert find("zoe", make_user()).contacts == [(elina, ticket)]


def test_a_collaborator_finds_the_contacts_of_the_tickets_they_see():
    me = make_user("collaborator", ticket_access="own", sees_unassigned=False)
    mine, further = (
        make_ticket(owner=me, contact=make_contact("a@x.example", "Zoe Mine")),
        make_contact("b@x.example", "Zoe Too"),
    )
    mine.other_contacts.add(further)
    make_ticket(owner=make_user(), contact=make_contact("c@x.example", "Zoe Theirs"))
    make_contact("d@x.example", "Zoe Nowhere")
    assert find("zoe", me).contacts == [(mine.contact, mine), (further, mine)]


@pytest.mark.parametrize("role", ["agent", "collaborator"])
def test_the_palette_the_pickers_and_to_know_the_same_people(role):
    me = make_user(role, ticket_access="own", sees_unassigned=False, reply_right=True)
    make_ticket(owner=make_user(), contact=make_contact("zoe@x.example", "Zoe Theirs"))
    browser = signed_in(me)
    assert "Zoe Theirs" in browser.get("/palette/?q=zoe").content.decode()
    assert browser.get("/contacts/?q=zoe").json()["results"][0]["label"] == "Zoe Theirs"
    assert browser.get("/recipients/?q=zoe").json()["results"][0]["name"] == "Zoe Theirs"


def test_a_contact_without_a_ticket_that_one_sees_leads_to_a_new_one():
    contact = make_contact("zoe@x.example", "Zoe")
    page = signed_in(make_user()).get("/palette/?q=zoe").content.decode()
    assert f'href="/tickets/new/?contact={contact.pk}"' in page


def test_nothing_typed_offers_the_views_and_collaborators_get_theirs():
    assert len(find("", make_user()).views) > len(find("", make_user("collaborator")).views) > 0
    assert [view.key for view in find("unassig", make_user()).views] == ["unassigned"]


@pytest.mark.parametrize("words", ["%", "\x00", "#", "9" * 400, "'; drop", "_", "\\"])
def test_garbage_finds_nothing_and_breaks_nothing(words):
    make_ticket(name="Another")
    assert find(words, make_user()).tickets == []


def test_it_costs_the_same_for_one_hit_and_for_many(count_queries):
    agent = make_user()
    make_ticket(name="zipper 0", contact=make_contact("zip0@shop.example", name="zip 0"))
    one = count_queries(lambda: find("zip", agent))
    for number in range(1, 6):
        make_ticket(name=f"zipper {number}", contact=make_contact(f"zip{number}@shop.example", name=f"zip {number}"))
    assert count_queries(lambda: find("zip", agent)) == one
