"""The menu behind @: whom a comment can name, and who of them would not see what it says."""

from typing import Any

from django.test import Client

from people.models import User
from tests.factories import make_team, make_ticket, make_user
from tickets.models import Share, Ticket


def menu(desk: Client, ticket: Ticket, words: str) -> dict[str, bool]:
    answer = desk.get("/mentions/", {"q": words, "ticket": ticket.pk}).json()
    return {one["name"]: one["sees"] for one in answer["people"]}


def test_the_menu_says_who_does_not_see_the_ticket_a_team_when_one_of_it_does_not(desk: Client, agent: User) -> None:
    ticket, warehouse, sales = make_ticket(owner=agent), make_team("Warehouse"), make_team("Wholesale")
    make_user(name="Wanda", team=sales)
    make_user(name="Walter", team=warehouse)
    make_user(name="Wilma", team=warehouse, ticket_access="own", sees_unassigned=False)
    assert menu(desk, ticket, "W") == {
        "Walter": True, "Wanda": True, "Wilma": False, "Warehouse": False, "Wholesale": True
    }  # fmt: skip
    Share.objects.create(ticket=ticket, team=warehouse, by=agent)
    assert all(menu(desk, ticket, "W").values())


def test_the_menu_costs_the_same_for_one_colleague_as_for_many(desk: Client, agent: User, count_queries: Any) -> None:
    ticket = make_ticket(owner=agent)

    def cost(letter: str, size: int) -> int:
        for number in range(size):
            team = make_team(f"{letter} team {number}")
            make_user(name=f"{letter} {number}", team=team, ticket_access="own", sees_unassigned=False)
        spent: int = count_queries(lambda: menu(desk, ticket, letter))
        return spent

    menu(desk, ticket, "Z")
    assert cost("X", 1) == cost("Y", 5)
