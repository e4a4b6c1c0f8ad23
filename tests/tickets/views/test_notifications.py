"""The bell, its list, following a ticket, and the two views that follow from both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inbox.commenting import comment
from people.models import Role, User
from tests.factories import make_ticket, make_user
from tests.inbox.test_commenting import named
from tests.inbox.views.conftest import HTMX
from tests.signing_in import signed_in
from tickets.models import Following, Notification, NotificationKind, Ticket
from tickets.notifying import notify

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent() -> User:
    return make_user(name="Aino Virtanen")


@pytest.fixture
def desk(agent: User) -> Client:
    return signed_in(agent)


def tell(user: User, times: int, **fields: Any) -> list[Notification]:
    now = timezone.now()
    for number in range(times):
        ticket = make_ticket(name=f"Ticket {number}", **fields)
        notify(
            user, NotificationKind.MENTION, ticket, actor=make_user(name=f"Writer {number}"), anchor=f"m{number}",
            now=now + timedelta(seconds=number),
        )  # fmt: skip
    return list(Notification.objects.filter(user=user).order_by("pk"))


def test_the_bell_counts_and_lists_newest_first_with_links_to_the_message(desk: Client, agent: User) -> None:
    tell(agent, 2)
    page = desk.get("/notifications/").content.decode()
    assert "2 unread" in page
    assert page.index("Writer 1") < page.index("Writer 0")
    newest = Notification.objects.order_by("-at").first()
    assert newest is not None
    assert f'href="/tickets/{newest.ticket_id}/?message=1#m1"' in page
    fragment = desk.get("/notifications/", headers=HTMX).content.decode()
    assert "<html" not in fragment
    assert "Mark all as read" in fragment


def test_without_any_it_says_what_will_come(desk: Client) -> None:
    page = desk.get("/notifications/").content.decode()
    assert "Nothing new" in page
    assert "Mark all as read" not in page


def test_one_and_all_are_marked_read(desk: Client, agent: User) -> None:
    one, *_others = tell(agent, 3)
    answer = desk.post(f"/notifications/{one.pk}/reading/", headers=HTMX).content.decode()
    assert "2 unread" in answer
    assert desk.post("/notifications/reading/").status_code == 302
    assert not Notification.objects.unread().exists()


def test_somebody_elses_is_not_there(desk: Client) -> None:
    (theirs,) = tell(make_user(), 1)
    assert desk.post(f"/notifications/{theirs.pk}/reading/").status_code == 404
    assert Notification.objects.unread().count() == 1


def test_opening_the_ticket_reads_what_the_bell_had_of_it(desk: Client, agent: User) -> None:
    one, _other = tell(agent, 2)
    desk.get(f"/tickets/{one.ticket_id}/")
    assert Notification.objects.visible_to(agent).unread().count() == 1


def test_a_ticket_out_of_sight_shows_nothing_and_is_not_counted() -> None:
    reader = make_user(ticket_access="own", sees_unassigned=False)
    one = tell(reader, 1, owner=reader)[-1]
    Notification.objects.filter(kind=NotificationKind.ASSIGNMENT).delete()
    Ticket.objects.filter(pk=one.ticket_id).update(owner=make_user(), name="Top secret")
    page = signed_in(reader).get("/notifications/").content.decode()
    assert "Top secret" not in page
    assert "Nothing new" in page


def test_a_long_list_comes_in_pages_without_gaps(desk: Client, agent: User) -> None:
    tell(agent, 45)
    seen, address = [], "/notifications/"
    while address:
        page = desk.get(address, headers=HTMX).content.decode()
        seen += [part.split('"')[0] for part in page.split('id="n')[1:] if part[0].isdigit()]
        address = page.split('class="link" href="')[1].split('"')[0] if 'class="link" href="' in page else ""
    assert len(seen) == len(set(seen)) == 45
    assert desk.get("/notifications/?after=nonsense").status_code == 200


def test_the_list_costs_the_same_for_one_and_for_twenty(
    desk: Client, agent: User, count_queries: Callable[[Callable[[], Any]], int]
) -> None:
    tell(agent, 1)
    one = count_queries(lambda: desk.get("/notifications/"))
    tell(agent, 15)
    assert count_queries(lambda: desk.get("/notifications/")) == one


def test_following_is_a_switch_in_the_header(desk: Client, agent: User) -> None:
    ticket = make_ticket()
    answer = desk.post(f"/tickets/{ticket.pk}/following/", {"follow": "1"}, headers=HTMX)
    assert 'aria-pressed="true"' in answer.content.decode()
    desk.post(f"/tickets/{ticket.pk}/following/", {"follow": "1"})
    assert Following.objects.filter(user=agent).count() == 1
    desk.post(f"/tickets/{ticket.pk}/following/", {"follow": "0"})
    assert not Following.objects.exists()


def test_a_collaborator_follows_and_finds_exactly_their_views(agent: User) -> None:
    user = make_user(Role.COLLABORATOR)
    client, followed, mentioned = signed_in(user), make_ticket(name="Followed one"), make_ticket(name="Mentioned one")
    make_ticket(name="Another one")
    assert client.post(f"/tickets/{followed.pk}/following/", {"follow": "1"}).status_code == 302
    comment(mentioned, by=agent, html=named(user))

    following = client.get("/?view=following").content.decode()
    assert "Followed one" in following
    assert "Another one" not in following
    mentions = client.get("/?view=my-mentions").content.decode()
    assert "Mentioned one" in mentions
    assert "Another one" not in mentions
    for key in ("unassigned", "my-open", "waiting-on-contact", "closed"):
        assert client.get(f"/?view={key}").status_code == 404


def test_following_gives_no_access(agent: User) -> None:
    outsider = make_user(ticket_access="own", sees_unassigned=False)
    ticket = make_ticket(owner=agent)
    assert signed_in(outsider).post(f"/tickets/{ticket.pk}/following/", {"follow": "1"}).status_code == 404
    Following.objects.follow(ticket, outsider)
    comment(ticket, by=agent, text="Hello.")
    assert not Notification.objects.filter(user=outsider).exists()
    assert "Wrong size" not in signed_in(outsider).get("/?view=following").content.decode()
