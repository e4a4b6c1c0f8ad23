"""Who is told of a ticket: exactly those who see it, and those who saw it until now."""

from itertools import product

import pytest
from django.utils import timezone

from people.models import Membership, Role, TicketAccess, User
from tests.factories import make_team, make_ticket, make_user
from tickets.audience import Visibility, audience, groups_of
from tickets.models import Share, Ticket

pytestmark = pytest.mark.django_db


def hears(user: User, addresses: set[str]) -> bool:
    return bool(addresses & {f"user:{user.pk}", *groups_of(user)})


def test_whoever_sees_a_ticket_is_told_of_it_and_nobody_else():
    main, extra, stranger = make_team(), make_team(), make_user(ticket_access="own")
    everybody = []
    for role, access, unassigned, deletes, active in product(Role, TicketAccess, *[[True, False]] * 3):
        user = make_user(
            role, ticket_access=access, sees_unassigned=unassigned, delete_right=deletes, is_active=active, team=main
        )
        Membership.objects.create(user=user, team=extra, is_main=False)
        everybody.append(user)
    everybody += [make_user(ticket_access="team", sees_unassigned=False, team=make_team()), stranger]

    def tickets() -> list[Ticket]:
        made = [make_ticket(), make_ticket(owner=stranger), make_ticket(owner=stranger, team=main)]
        made += [make_ticket(owner=stranger, team=extra), make_ticket(owner=stranger, team=make_team())]
        made += [make_ticket(owner=make_user(team=extra)), make_ticket(owner=stranger, by=everybody[20])]
        for user in everybody[::7]:
            made.append(make_ticket(owner=user))
            shared = make_ticket(owner=stranger)
            Share.objects.create(ticket=shared, user=user)
            made.append(shared)
        for team in (main, extra, make_team()):
            shared = make_ticket(owner=stranger)
            Share.objects.create(ticket=shared, team=team)
            made.append(shared)
        return made

    kept, thrown = tickets(), tickets()
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in thrown]).update(trashed_at=timezone.now())
    seen = {user.pk: set(Ticket.objects.visible_to(user).values_list("pk", flat=True)) for user in everybody}
    for ticket in [*kept, *thrown]:
        addresses = audience(ticket.pk)
        for user in everybody:
            case = (ticket.pk in [t.pk for t in thrown], ticket.owner, ticket.team, user.role, user.ticket_access)
            assert hears(user, addresses) == (ticket.pk in seen[user.pk]), case


def test_whoever_loses_sight_of_a_ticket_is_told_once_more():
    aino, ticket = make_user(ticket_access="own", sees_unassigned=False), make_ticket()
    ticket.owner = aino
    before = Visibility.of(ticket)
    assert not hears(aino, audience(ticket.pk))
    assert hears(aino, audience(ticket.pk, {before}))


def test_whoever_may_not_see_the_trash_is_told_when_a_ticket_goes_there_and_then_no_more():
    agent, ticket = make_user(), make_ticket()
    before = Visibility.of(ticket)
    ticket.trash(by=None, now=timezone.now())
    assert hears(agent, audience(ticket.pk, {before}))
    assert not hears(agent, audience(ticket.pk))


def test_a_ticket_that_is_gone_is_told_to_those_who_saw_it():
    ticket = make_ticket()
    number, before = ticket.pk, Visibility.of(ticket)
    ticket.delete()
    assert audience(number) == set()
    assert hears(make_user(), audience(number, {before}))


def test_an_audience_costs_the_same_for_one_user_and_for_many(count_queries):
    team = make_team()
    ticket = make_ticket(team=team, owner=make_user(team=team))
    one = count_queries(lambda: audience(ticket.pk))
    for _ in range(10):
        make_user(ticket_access="team", team=team)
    assert count_queries(lambda: audience(ticket.pk)) == one == 2
