"""ARCHITECTURE's two tables, walked: what a role may do, and which tickets a person sees."""

from itertools import product

import pytest
from django.utils import timezone

from people.models import Membership, Role, TicketAccess
from tests.factories import make_team, make_ticket, make_user
from tickets.models import Share, Ticket

pytestmark = pytest.mark.django_db


# -- What a role may do -----------------------------------------------------------------------------------------------

# role, right -> reply/edit/create, settings of the desk, users and secrets, delete
MAY = {
    ("admin", None): (True, True, True, True),
    ("admin", "settings withdrawn"): (True, True, True, True),
    ("agent", None): (True, True, False, False),
    ("agent", "settings withdrawn"): (True, False, False, False),
    ("agent", "delete granted"): (True, True, False, True),
    ("collaborator", None): (False, False, False, False),
    ("collaborator", "reply granted"): (True, False, False, False),
    ("collaborator", "delete granted"): (False, False, False, True),
}
RIGHTS = {
    None: {},
    "settings withdrawn": {"settings_right": False},
    "reply granted": {"reply_right": True},
    "delete granted": {"delete_right": True},
}


@pytest.mark.parametrize(("role", "right"), MAY)
def test_what_a_role_may_do(role, right):
    user = make_user(role, **RIGHTS[right])
    assert (user.may_reply, user.may_change_settings, user.is_admin, user.may_delete) == MAY[role, right]


@pytest.mark.parametrize("role", Role.values)
def test_whoever_is_switched_off_may_nothing(role):
    user = make_user(role, is_active=False, reply_right=True, delete_right=True)
    assert not any((user.may_reply, user.may_change_settings, user.is_admin, user.may_delete))
    assert not any((user.is_staff, user.is_superuser, user.has_perm("tickets.change_ticket")))


# -- Which tickets a person sees --------------------------------------------------------------------------------------


def what_to_look_at(user, main, extra):
    """One ticket of each sort there is, by what makes it that sort."""
    stranger = make_user(ticket_access="own")
    colleague, extra_colleague = make_user(team=main), make_user(team=extra)
    theirs = {"owner": stranger}
    tickets = {
        "I own it": make_ticket(owner=user),
        "I made it": make_ticket(by=user, **theirs),
        "a colleague of my main team owns it": make_ticket(owner=colleague),
        "a colleague of my extra team owns it": make_ticket(owner=extra_colleague),
        "it is my main team's": make_ticket(team=main, **theirs),
        "it is my extra team's": make_ticket(team=extra, **theirs),
        "nobody owns it": make_ticket(),
        "it is shared with me": make_ticket(**theirs),
        "it is shared with my main team": make_ticket(**theirs),
        "it is shared with my extra team": make_ticket(**theirs),
        "it is shared with another team": make_ticket(**theirs),
        "it is a stranger's": make_ticket(team=make_team(), **theirs),
    }
    Share.objects.create(ticket=tickets["it is shared with me"], user=user)
    Share.objects.create(ticket=tickets["it is shared with my main team"], team=main)
    Share.objects.create(ticket=tickets["it is shared with my extra team"], team=extra)
    Share.objects.create(ticket=tickets["it is shared with another team"], team=make_team())
    return tickets


ALWAYS = {"I own it", "it is shared with me", "it is shared with my main team", "it is shared with my extra team"}
BY_ACCESS = {
    "team": {
        "a colleague of my main team owns it",
        "a colleague of my extra team owns it",
        "it is my main team's",
        "it is my extra team's",
    },
    "own": {"I made it"},
}


def test_which_tickets_a_person_sees():
    main, extra = make_team(), make_team()
    user = make_user(team=main)
    Membership.objects.create(user=user, team=extra, is_main=False)
    tickets, trash = what_to_look_at(user, main, extra), what_to_look_at(user, main, extra)
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in trash.values()]).update(trashed_at=timezone.now())

    for role, access, unassigned, deletes, active in product(Role, TicketAccess, *[[True, False]] * 3):
        user.role, user.ticket_access, user.sees_unassigned = role, access, unassigned
        user.delete_right, user.is_active = deletes, active
        user.save()
        if not active:
            expected = set()
        elif role == Role.ADMIN or access == TicketAccess.ALL:
            expected = set(tickets)
        else:
            expected = ALWAYS | BY_ACCESS[access] | ({"nobody owns it"} if unassigned else set())
        in_trash = expected if deletes or role == Role.ADMIN else set()

        case = f"{role}, {access}, sees unassigned {unassigned}, may delete {deletes}, active {active}"
        seen = list(Ticket.objects.visible_to(user).values_list("pk", flat=True))
        assert {name for name, ticket in tickets.items() if ticket.pk in seen} == expected, case
        assert {name for name, ticket in trash.items() if ticket.pk in seen} == in_trash, case
        assert len(seen) == len(expected) + len(in_trash), f"each is seen once, however many reasons there are: {case}"


def test_leaving_a_team_ends_what_one_saw_by_it():
    team = make_team()
    user = make_user(team=team, ticket_access="team", sees_unassigned=False)
    ticket = make_ticket(team=team, owner=make_user())
    assert ticket in Ticket.objects.visible_to(user)
    user.memberships.all().delete()
    assert ticket not in Ticket.objects.visible_to(user)


def test_a_share_with_somebody_else_shows_nothing():
    user = make_user(ticket_access="own", sees_unassigned=False)
    ticket = make_ticket(owner=make_user())
    Share.objects.create(ticket=ticket, user=make_user())
    assert ticket not in Ticket.objects.visible_to(user)


def test_conversations_and_messages_follow_their_ticket():
    from inbox.models import Conversation, Message
    from tests.factories import make_message

    user = make_user(ticket_access="own", sees_unassigned=False)
    mine, theirs = make_ticket(owner=user), make_ticket(owner=make_user())
    seen, hidden = make_message(mine), make_message(theirs)
    assert list(Message.objects.visible_to(user)) == [seen]
    assert list(Conversation.objects.visible_to(user)) == [seen.conversation]
    assert hidden not in Message.objects.visible_to(user)


@pytest.mark.parametrize(
    ("role", "fields", "sees"),
    [
        ("admin", {"sees_unassigned": False}, True),
        ("agent", {}, True),
        ("agent", {"sees_unassigned": False}, False),
        ("collaborator", {}, False),
        ("collaborator", {"reply_right": True}, True),
    ],
)
def test_conversations_without_a_ticket_are_for_those_who_could_make_one(role, fields, sees):
    from inbox.models import Conversation

    conversation = Conversation.objects.create(created_at=make_ticket().opened_at)
    assert (conversation in Conversation.objects.visible_to(make_user(role, **fields))) is sees
