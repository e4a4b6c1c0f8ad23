"""Who else is on a ticket: seen by those who see the ticket, and gone by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_ticket, make_user
from tests.signing_in import signed_in
from tickets.presence import note, others_on

pytestmark = pytest.mark.django_db
FRAGMENT = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def ticket():
    from helpdesk import live

    for key in live.client().scan_iter("helpdesk:presence:*"):
        live.client().delete(key)
    return make_ticket()


def test_each_sees_the_others_and_not_themselves(ticket):
    aino, maija = make_user(name="Aino Virtanen"), make_user("collaborator", name="Maija Laine")
    for user in (aino, maija):
        signed_in(user).post(f"/tickets/{ticket.pk}/presence/", {"state": "viewing", "tab": "a1"})
    answer = signed_in(aino).get(f"/tickets/{ticket.pk}/presence/", **FRAGMENT).content.decode()
    assert "Maija Laine is viewing" in answer
    assert "Aino Virtanen" not in answer
    assert "Maija Laine is viewing" in signed_in(aino).get(f"/tickets/{ticket.pk}/").content.decode()


@pytest.mark.parametrize(("mode", "words"), [("reply", "Maija is replying"), ("comment", "Maija is writing a comment")])
def test_who_writes_is_told_and_only_a_reply_can_be_left_to_them(ticket, mode, words):
    maija = make_user(name="Maija Laine")
    signed_in(maija).post(f"/tickets/{ticket.pk}/presence/", {"state": "typing", "mode": mode, "tab": "a1"})
    answer = signed_in(make_user()).get(f"/tickets/{ticket.pk}/presence/", **FRAGMENT).content.decode()
    assert words in answer
    assert ("Let Maija answer" in answer) == (mode == "reply")
    assert "is viewing" not in answer


def test_one_who_said_nothing_for_long_has_gone_and_one_tab_of_two_may_go(ticket):
    aino, maija, now = make_user(), make_user(), timezone.now()
    note(ticket.pk, maija, "one", "viewing", now=now)
    note(ticket.pk, maija, "two", "typing", now=now)
    note(ticket.pk, maija, "two", "gone", now=now)
    assert [(each.user, each.writes) for each in others_on(ticket.pk, aino, now=now)] == [(maija.pk, None)]
    assert others_on(ticket.pk, aino, now=now + timedelta(seconds=41)) == []


def test_a_ticket_one_may_not_see_tells_nobody_anything(ticket):
    outsider = signed_in(make_user(ticket_access="own", sees_unassigned=False))
    assert outsider.get(f"/tickets/{ticket.pk}/presence/").status_code == 404
    assert outsider.post(f"/tickets/{ticket.pk}/presence/", {"state": "viewing", "tab": "a"}).status_code == 404


@pytest.mark.parametrize("said", [{}, {"state": "dancing", "tab": "a"}, {"state": "viewing", "tab": "../x"}])
def test_what_no_page_says_is_refused(ticket, said):
    assert signed_in(make_user()).post(f"/tickets/{ticket.pk}/presence/", said).status_code == 400


def test_looking_writes_nothing_into_the_database(ticket):
    client = signed_in(make_user())
    client.post(f"/tickets/{ticket.pk}/presence/", {"state": "viewing", "tab": "a1"}, **FRAGMENT)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        client.post(f"/tickets/{ticket.pk}/presence/", {"state": "typing", "tab": "a1"}, **FRAGMENT)
    assert not [query["sql"] for query in asked if not query["sql"].startswith("SELECT")]


def test_rows_are_answered_as_far_as_one_sees_them():
    mine = make_user(ticket_access="own", sees_unassigned=False)
    seen, hidden = make_ticket(owner=mine, name="Seen"), make_ticket(name="Hidden")
    answer = signed_in(mine).get(f"/tickets/rows/?only={seen.pk},{hidden.pk},x", **FRAGMENT).content.decode()
    assert "Seen" in answer
    assert "Hidden" not in answer
    assert 'hx-swap-oob="outerMorph"' in answer
