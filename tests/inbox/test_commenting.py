"""Comments: whom they name, who hears of them, and what becomes of them when they are changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from inbox import commenting
from inbox.commenting import Access, comment
from inbox.errors import CommentIsDeleted, MayNotChangeComment, MayNotShare, NamesWithoutAccess
from inbox.models import Mention, Message
from people.models import Membership, Role, Team, User
from tests.factories import make_team, make_ticket, make_user
from tickets.models import Following, Notification, NotificationKind, Share, Ticket

pytestmark = pytest.mark.django_db


def named(*people: User | Team, words: str = "please look") -> str:
    marks = [
        f'<span data-mention="{"team" if isinstance(one, Team) else "user"}-{one.pk}">@{one.name}</span>'
        for one in people
    ]
    return f"<p>{' '.join(marks)} {words}</p>"


def told(user: User) -> list[tuple[str, str]]:
    return [(one.kind, one.anchor) for one in Notification.objects.visible_to(user).order_by("pk")]


@pytest.fixture
def author() -> User:
    return make_user(name="Aino Virtanen")


@pytest.fixture
def maija() -> User:
    return make_user(name="Maija Laine")


@pytest.fixture
def outsider() -> User:
    return make_user(name="Olli Outsider", ticket_access="own", sees_unassigned=False)


def test_whoever_is_named_is_told_once_and_where(author: User, maija: User) -> None:
    ticket = make_ticket(owner=author)
    written = comment(ticket, by=author, html=named(maija, maija))

    assert told(maija) == [(NotificationKind.MENTION, f"m{written.pk}")]
    assert Mention.objects.get(message=written).user == maija
    assert f'data-mention="user-{maija.pk}"' in written.html
    assert Notification.objects.get(user=maija).get_absolute_url().endswith(f"?message={written.pk}#m{written.pk}")


def test_a_team_tells_its_members_but_not_the_one_who_wrote(author: User, maija: User) -> None:
    team = make_team("Warehouse")
    for user in (author, maija):
        Membership.objects.create(user=user, team=team)
    comment(make_ticket(), by=author, html=named(team, maija, author))

    assert [kind for kind, _anchor in told(maija)] == [NotificationKind.MENTION]
    assert told(author) == []


def test_the_owner_and_followers_hear_of_a_comment_once_each(author: User, maija: User) -> None:
    owner, follower = make_user(), make_user()
    ticket = make_ticket(owner=owner)
    for user in (follower, maija, author):
        Following.objects.follow(ticket, user)
    Notification.objects.all().delete()
    comment(ticket, by=author, html=named(maija))

    assert [told(user)[0][0] for user in (owner, follower, maija)] == ["answer", "answer", "mention"]
    assert [len(told(user)) for user in (owner, follower, maija, author)] == [1, 1, 1, 0]


def test_several_messages_nobody_looked_at_are_one_line_that_leads_to_the_newest(author: User) -> None:
    follower, ticket = make_user(), make_ticket()
    Following.objects.follow(ticket, follower)
    first = comment(ticket, by=author, text="One.")
    second = comment(ticket, by=author, text="Two.")

    line = Notification.objects.get(user=follower)
    assert (line.times, line.anchor) == (2, f"m{second.pk}")
    Notification.objects.visible_to(follower).mark_read(second.at)
    comment(ticket, by=author, text="Three.")
    assert Notification.objects.visible_to(follower).unread().get().times == 1
    assert first.pk != second.pk


def test_nothing_is_written_before_one_says_what_to_do_about_those_who_see_nothing(
    author: User, outsider: User
) -> None:
    ticket = make_ticket(owner=author)
    with pytest.raises(NamesWithoutAccess, match="Olli Outsider") as refusal:
        comment(ticket, by=author, html=named(outsider))
    assert refusal.value.names == ["Olli Outsider"]
    assert not Message.objects.filter(ticket=ticket).exists()
    assert not Share.objects.exists()


def test_access_can_be_given_with_the_comment(author: User, outsider: User) -> None:
    ticket = make_ticket(owner=author)
    comment(ticket, by=author, html=named(outsider), access=Access.GIVE)

    assert Ticket.objects.visible_to(outsider).filter(pk=ticket.pk).exists()
    assert Share.objects.get().by == author
    assert [kind for kind, _anchor in told(outsider)] == [NotificationKind.MENTION]


def test_or_the_comment_is_added_without_telling_them(author: User, outsider: User) -> None:
    ticket = make_ticket(owner=author)
    comment(ticket, by=author, html=named(outsider), access=Access.WITHHOLD)

    assert not Notification.objects.filter(user=outsider).exists()
    assert not Ticket.objects.visible_to(outsider).exists()


def test_a_team_is_given_access_as_a_team(author: User, outsider: User) -> None:
    team = make_team("Marketing")
    Membership.objects.create(user=outsider, team=team)
    ticket = make_ticket(owner=author)
    with pytest.raises(NamesWithoutAccess, match="Marketing"):
        comment(ticket, by=author, html=named(team))
    comment(ticket, by=author, html=named(team), access=Access.GIVE)
    assert Share.objects.get().team == team
    assert len(told(outsider)) == 1


def test_a_collaborator_comments_and_mentions_but_gives_nobody_access(maija: User, outsider: User) -> None:
    collaborator = make_user(Role.COLLABORATOR)
    ticket = make_ticket(owner=maija)
    Notification.objects.all().delete()
    comment(ticket, by=collaborator, html=named(maija))
    assert [kind for kind, _anchor in told(maija)] == [NotificationKind.MENTION]
    with pytest.raises(MayNotShare):
        comment(ticket, by=collaborator, html=named(outsider), access=Access.GIVE)
    assert Message.objects.filter(ticket=ticket).count() == 1


def test_a_mention_of_nobody_we_know_names_nobody(author: User) -> None:
    gone = make_user(is_active=False)
    written = comment(
        make_ticket(), by=author, html=f'<p><span data-mention="user-99999999">@X</span></p>{named(gone)}'
    )
    assert not written.mentions.exists()


def test_editing_keeps_how_it_read_and_tells_only_who_is_newly_named(author: User, maija: User) -> None:
    matti, ticket = make_user(name="Matti Ojala"), make_ticket()
    written = comment(ticket, by=author, html=named(maija))
    Notification.objects.visible_to(maija).mark_read(written.at)
    commenting.edit(written, by=author, html=named(maija, matti, words="and please hurry"))

    written.refresh_from_db()
    assert written.edited_at is not None
    assert "hurry" in written.text
    assert [version.text for version in written.versions.all()] == ["@Maija Laine please look"]
    assert not Notification.objects.visible_to(maija).unread().exists()
    assert len(told(matti)) == 1


def test_saving_a_comment_as_it_was_makes_no_version(author: User) -> None:
    written = comment(make_ticket(), by=author, html="<p>Same</p>")
    commenting.edit(written, by=author, html="<p>Same</p>")
    assert not written.versions.exists()
    assert written.edited_at is None


def test_only_the_author_changes_a_comment_and_admins_may_delete_it(author: User, maija: User) -> None:
    written = comment(make_ticket(), by=author, text="Mine.")
    admin = make_user(Role.ADMIN)
    for user in (maija, admin):
        with pytest.raises(MayNotChangeComment):
            commenting.edit(written, by=user, text="Not mine.")
    with pytest.raises(MayNotChangeComment):
        commenting.delete(written, by=maija)
    commenting.delete(written, by=admin)
    with pytest.raises(CommentIsDeleted):
        commenting.edit(written, by=author, text="Still mine.")


def test_a_deleted_comment_leaves_the_bell_and_comes_back_with_it(author: User, maija: User) -> None:
    written = comment(make_ticket(), by=author, html=named(maija))
    commenting.delete(written, by=author)
    assert told(maija) == []
    assert not Message.objects.visible_to(maija).filter(pk=written.pk).exists()
    commenting.restore(written, by=author)
    assert len(told(maija)) == 1
    assert Message.objects.visible_to(maija).filter(pk=written.pk).exists()


def test_what_one_cannot_see_any_more_is_neither_shown_nor_counted(author: User) -> None:
    reader = make_user(ticket_access="own", sees_unassigned=False)
    ticket = make_ticket(owner=reader)
    comment(ticket, by=author, html=named(reader))
    assert Notification.objects.visible_to(reader).unread().counted() >= 1
    ticket.owner = author
    ticket.save(update_fields=["owner"])
    assert Notification.objects.visible_to(reader).unread().counted() == 0


def test_being_given_a_ticket_tells_unless_one_took_it(author: User, maija: User) -> None:
    ticket = make_ticket()
    ticket.assign(maija, by=author, now=ticket.opened_at)
    ticket.assign(author, by=author, now=ticket.opened_at)
    assert [kind for kind, _anchor in told(maija)] == [NotificationKind.ASSIGNMENT]
    assert told(author) == []


def test_a_new_ticket_of_a_team_tells_its_members(maija: User) -> None:
    team = make_team()
    member = make_user(team=team)
    make_ticket(team=team)
    assert [kind for kind, _anchor in told(member)] == [NotificationKind.TEAM_TICKET]
    assert told(maija) == []


def cost_of_naming(count_queries: Any, author: User, size: int, **rights: Any) -> int:
    team, ticket = make_team(), make_ticket(owner=author)
    members = [make_user(team=team, **rights) for _ in range(size)]
    cost: int = count_queries(lambda: comment(ticket, by=author, html=named(team), access=Access.GIVE))
    assert all(told(member) for member in members)
    return cost


@pytest.mark.parametrize("rights", [{}, {"ticket_access": "own", "sees_unassigned": False}])
def test_naming_a_large_team_costs_what_naming_a_small_one_costs(
    author: User, count_queries: Any, rights: dict[str, Any]
) -> None:
    assert cost_of_naming(count_queries, author, 2, **rights) == cost_of_naming(count_queries, author, 12, **rights)


def test_what_goes_to_many_followers_costs_what_goes_to_two(author: User, count_queries: Any) -> None:
    def cost(size: int) -> int:
        ticket = make_ticket(owner=author)
        followers = [make_user(mail_on_answer=number % 2 == 0) for number in range(size)]
        for follower in followers:
            Following.objects.follow(ticket, follower)
        comment(ticket, by=author, text="One.")  # half of them have it unread when the next comes
        Notification.objects.filter(user__in=followers[::3]).update(read_at=timezone.now())
        spent: int = count_queries(lambda: comment(ticket, by=author, text="Two."))
        for number, follower in enumerate(followers):
            newest = Notification.objects.filter(user=follower).order_by("-pk").first()
            assert newest is not None
            assert newest.times == (1 if number % 3 == 0 else 2)
            assert (newest.mail_due_at is not None) == follower.mail_on_answer
        return spent

    assert cost(2) == cost(12)


def test_a_new_ticket_of_a_large_team_costs_what_one_of_a_small_team_costs(count_queries: Any) -> None:
    make_ticket()

    def cost(size: int) -> int:
        team = make_team()
        members = [make_user(team=team, ticket_access="team", sees_unassigned=False) for _ in range(size)]
        spent: int = count_queries(lambda: make_ticket(team=team))
        assert [told(member) for member in members] == [[(NotificationKind.TEAM_TICKET, "")]] * size
        return spent

    assert cost(2) == cost(12)


def test_what_comes_after_a_deleted_comment_is_told(author: User, maija: User) -> None:
    ticket = make_ticket(owner=maija)
    Notification.objects.all().delete()
    gone = comment(ticket, by=author, text="Wrong ticket.")
    commenting.delete(gone, by=author)
    assert told(maija) == []
    written = comment(ticket, by=author, text="This is what I meant.")
    assert told(maija) == [(NotificationKind.ANSWER, f"m{written.pk}")]


def test_a_comment_its_change_and_its_end_reach_the_pages_at_once(
    author: User, maija: User, told_live: Any, on_commit: Any
) -> None:
    ticket = make_ticket(owner=author)
    with on_commit():
        written = comment(ticket, by=author, html=named(maija))

    def heard() -> list[tuple[str, bool, bool]]:
        """Kind, whether everybody who sees the ticket hears it, whether it is Maija's own."""
        said = told_live()
        return sorted(
            (one["notice"]["kind"], "everything" in one["to"], f"user:{maija.pk}" in one["to"]) for one in said
        )

    hers, all_of_it = ("notification", False, True), ("ticket", True, False)
    assert heard() == [hers, all_of_it]
    with on_commit():
        commenting.edit(written, by=author, html=named(maija, words="or not"))
    assert heard() == [all_of_it], "who was told already is not told again"
    with on_commit():
        commenting.delete(written, by=author)
    assert heard() == [hers, all_of_it]
    with on_commit():
        commenting.restore(written, by=author)
    assert heard() == [hers, all_of_it]
    with on_commit():
        commenting.delete(written, by=author)
        with pytest.raises(CommentIsDeleted):
            commenting.edit(written, by=author, text="Too late.")
    assert heard() == [hers, all_of_it], "only that it is gone"


def test_who_sees_nothing_of_a_ticket_hears_of_no_comment_on_it(
    author: User, outsider: User, told_live: Any, on_commit: Any
) -> None:
    ticket = make_ticket(owner=author)
    with on_commit():
        comment(ticket, by=author, html=named(outsider), access=Access.WITHHOLD)
    assert not any(f"user:{outsider.pk}" in one["to"] for one in told_live())
