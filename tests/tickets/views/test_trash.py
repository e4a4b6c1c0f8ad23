"""The trash: into it, out of it, and who may (SPEC H-13)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from people.models import Role
from tests.factories import make_message, make_ticket, make_user
from tests.signing_in import signed_in
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def deleter() -> Any:
    return make_user(name="Aino Virtanen", delete_right=True)


@pytest.fixture
def desk(deleter: Any) -> Client:
    return signed_in(deleter)


@pytest.fixture
def ticket() -> Ticket:
    ticket = make_ticket(name="Broken zip")
    make_message(ticket)
    return Ticket.objects.get(pk=ticket.pk)


def put(desk: Client, ticket: Ticket, trashed: str, **further: str) -> Any:
    return desk.post(f"/tickets/{ticket.number}/trash/?view=all-open", {"trashed": trashed, **further}, headers=HTMX)


def listed(desk: Client, view: str) -> bool:
    return 'class="trow' in desk.get(f"/tickets/?view={view}", headers=HTMX).content.decode()


def kinds(ticket: Ticket) -> list[str]:
    return list(ticket.events.order_by("pk").values_list("kind", flat=True))


def test_h13_a_deleted_ticket_stands_in_the_trash_alone_and_comes_back_as_it_was(desk, deleter, ticket):
    before = Ticket.objects.filter(pk=ticket.pk).values().get()
    answer = put(desk, ticket, "1")
    assert "Moved to the trash" in answer.content.decode()
    assert (listed(desk, "all-open"), listed(desk, "unassigned"), listed(desk, "trash")) == (False, False, True)
    assert "This ticket is in the trash." in desk.get(f"/tickets/{ticket.number}/").content.decode()
    put(desk, ticket, "0")
    assert (listed(desk, "all-open"), listed(desk, "trash")) == (True, False)
    assert Ticket.objects.filter(pk=ticket.pk).values().get() == before
    assert ticket.events.filter(kind="trashed").get().actor == deleter
    assert kinds(ticket)[-2:] == ["trashed", "restored"]


def test_the_toast_takes_it_back_unless_somebody_did_already(desk, ticket):
    page = put(desk, ticket, "1").content.decode()
    assert 'name="instead_of" value="1"' in page
    assert 'name="trashed" value="0"' in page
    assert put(desk, ticket, "0", instead_of="1").status_code == 200
    late = put(desk, ticket, "0", instead_of="1")
    assert late.status_code == 422
    assert "Somebody changed it meanwhile" in late["HX-Trigger"]


def test_twice_is_once(desk, ticket):
    for _ in range(2):
        assert put(desk, ticket, "1").status_code == 200
    assert kinds(ticket).count("trashed") == 1


def test_without_htmx_the_page_of_the_ticket_shows_it_and_the_way_back(desk, ticket):
    answer = desk.post(f"/tickets/{ticket.number}/trash/?view=all-open", {"trashed": "1"})
    page = desk.get(answer["Location"]).content.decode()
    assert "Moved to the trash" in page
    assert 'name="trashed" value="0"' in page
    assert "m-actions" not in page


@pytest.mark.parametrize("role", [Role.AGENT, Role.COLLABORATOR])
def test_who_may_not_delete_sees_neither_the_button_nor_the_view_nor_what_lies_there(ticket, role):
    other = signed_in(make_user(role=role, delete_right=False))
    assert "Move to trash" not in other.get(f"/tickets/{ticket.number}/").content.decode()
    assert put(other, ticket, "1").status_code == 403
    assert other.get("/?view=trash").status_code == 404
    ticket.trash(by=None, now=ticket.opened_at)
    assert other.get(f"/tickets/{ticket.number}/").status_code == 404
    assert put(other, ticket, "0").status_code == 404


def test_the_trash_costs_as_many_queries_for_one_ticket_as_for_thirty(desk, ticket, count_queries):
    put(desk, ticket, "1")
    one = count_queries(lambda: desk.get("/?view=trash"))
    for number in range(30):
        make_ticket(name=f"ticket {number}").trash(by=None, now=ticket.opened_at)
    assert count_queries(lambda: desk.get("/?view=trash")) == one
