"""Setting status, owner and priority from the page of a ticket."""

import pytest
from django.test import Client

from people.models import Role
from tests.factories import make_pipeline, make_ticket, make_user
from tests.signing_in import signed_in
from tickets.models import Kind, Priority, Ticket

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def agent():
    return make_user(name="Aino Virtanen")


@pytest.fixture
def desk(agent):
    return signed_in(agent)


def test_the_status_is_set_and_the_page_is_shown_again(desk, agent):
    ticket = make_ticket()
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    answer = desk.post(f"/tickets/{ticket.number}/status/?view=my-open", {"status": closed.pk})
    assert answer["Location"] == f"/tickets/{ticket.number}/?view=my-open"
    ticket.refresh_from_db()
    assert ticket.status == closed
    assert ticket.events.get(kind="status").actor == agent
    assert "Status: Closed" in desk.get(answer["Location"]).content.decode()


def test_the_status_as_a_part_brings_header_properties_and_row(desk):
    ticket = make_ticket()
    closed = ticket.pipeline.first_status(Kind.CLOSED)
    answer = desk.post(f"/tickets/{ticket.number}/status/?view=all-open", {"status": closed.pk}, headers=HTMX)
    text = answer.content.decode()
    assert 'id="ticket-header"' in text
    assert 'id="ticket-properties" hx-swap-oob' in text
    assert f'id="t{ticket.number}" hx-swap-oob' in text
    assert "Status: Closed" in text
    assert "ticket:changed" in answer["HX-Trigger"]


def test_the_menu_offers_exactly_the_statuses_of_the_pipeline(desk):
    ticket = make_ticket(pipeline=make_pipeline("Warranty"))
    other = make_pipeline("Sales")
    other.statuses.create(name="Quoted", kind=Kind.WAITING_ON_CONTACT)
    page = desk.get(f"/tickets/{ticket.number}/").content.decode()
    menu = page[page.index('id="m-status"') : page.index("<next-ticket")]
    assert [menu.count(f'name="status" value="{status.pk}"') for status in ticket.pipeline.statuses.all()] == [1] * 4
    assert "Quoted" not in menu


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_status_of_another_pipeline_is_refused(desk, headers):
    ticket = make_ticket()
    wrong = make_pipeline("Sales").first_status(Kind.CLOSED)
    answer = desk.post(f"/tickets/{ticket.number}/status/", {"status": wrong.pk}, headers=headers)
    assert answer.status_code == (422 if headers else 302)
    ticket.refresh_from_db()
    assert ticket.turn == Kind.NEW
    said = answer["HX-Trigger"] if headers else desk.get(answer["Location"]).content.decode()
    assert "not a status of this ticket" in said


def test_the_owner_is_set_and_taken_away(desk, agent):
    ticket = make_ticket()
    desk.post(f"/tickets/{ticket.number}/assignment/", {"owner": agent.pk})
    ticket.refresh_from_db()
    assert ticket.owner == agent
    desk.post(f"/tickets/{ticket.number}/assignment/", {"owner": ""})
    ticket.refresh_from_db()
    assert ticket.owner is None


def test_only_those_who_answer_customers_own_tickets(desk):
    ticket = make_ticket()
    for user in (make_user(Role.COLLABORATOR), make_user(is_active=False)):
        answer = desk.post(f"/tickets/{ticket.number}/assignment/", {"owner": user.pk}, headers=HTMX)
        assert answer.status_code == 422
        assert "cannot own tickets" in answer["HX-Trigger"]
    assert desk.post(f"/tickets/{ticket.number}/assignment/", headers=HTMX).status_code == 422
    ticket.refresh_from_db()
    assert ticket.owner is None


def test_a_ticket_given_out_of_sight_is_still_answered_for():
    me = make_user(ticket_access="own", sees_unassigned=False)
    ticket = make_ticket(owner=me)
    answer = signed_in(me).post(f"/tickets/{ticket.number}/assignment/", {"owner": make_user().pk}, headers=HTMX)
    assert answer.status_code == 200
    assert f'id="t{ticket.number}"' not in answer.content.decode()


def test_the_priority_is_set(desk):
    ticket = make_ticket()
    desk.post(f"/tickets/{ticket.number}/priority/", {"priority": "4"})
    ticket.refresh_from_db()
    assert ticket.priority == Priority.URGENT
    assert desk.post(f"/tickets/{ticket.number}/priority/", {"priority": "9"}, headers=HTMX).status_code == 422


@pytest.mark.parametrize("what", ["status", "assignment", "priority"])
def test_who_may_not_change_a_ticket_does_not(what):
    ticket = make_ticket(owner=make_user())
    address = f"/tickets/{ticket.number}/{what}/"
    assert signed_in(make_user(Role.COLLABORATOR)).post(address).status_code == 403
    assert signed_in(make_user(ticket_access="own")).post(address).status_code == 404
    assert Client().post(address)["Location"].startswith("/login/")
    assert signed_in(make_user()).get(address).status_code == 405
    assert Client(enforce_csrf_checks=True).post(address).status_code == 403


@pytest.mark.parametrize("what", ["status", "assignment", "priority"])
def test_a_change_offers_to_be_undone_unless_it_was_changed_again(desk, agent, what):
    ticket = make_ticket()
    other = ticket.pipeline.first_status(Kind.CLOSED)
    field, was, now, later = {
        "status": ("status", ticket.status_id, other.pk, ticket.pipeline.first_status(Kind.WAITING_ON_US).pk),
        "assignment": ("owner", "", agent.pk, make_user("agent", name="Maija").pk),
        "priority": ("priority", 2, 4, 1),
    }[what]
    page = f"/tickets/{ticket.number}/{what}/"

    def stands() -> str:
        name = field if what == "priority" else f"{field}_id"
        return str(getattr(Ticket.objects.get(pk=ticket.pk), name) or "")

    toast = desk.post(page, {field: now}, headers=HTMX)
    assert f'name="{field}" value="{was}"' in toast.content.decode()
    assert 'data-shortcut="z"' in toast.content.decode()
    undone = desk.post(page, {field: was, "instead_of": now, "open": ticket.number}, headers=HTMX)
    assert stands() == str(was)
    assert 'id="ticket-header"' in undone.content.decode()
    assert 'data-shortcut="z"' not in undone.content.decode()
    desk.post(page, {field: later}, headers=HTMX)
    late = desk.post(page, {field: was, "instead_of": now}, headers=HTMX)
    assert late.status_code == 422
    assert stands() == str(later)


def test_an_undo_leaves_the_ticket_alone_that_is_open_by_then(desk):
    ticket = make_ticket()
    undone = desk.post(
        f"/tickets/{ticket.number}/priority/", {"priority": 1, "instead_of": 2, "open": ticket.number + 1}, headers=HTMX
    )
    assert f'id="t{ticket.number}"' in undone.content.decode()
    assert 'id="ticket-header"' not in undone.content.decode()
