"""Who is told of what happens on a ticket: by the bell, and by mail if they want that.

The rows are written in the transaction of what they tell of, so that neither is without the other; browsers hear of it
after commit. Nobody is told of what they did themselves, nor of a ticket that they do not see.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models, transaction

from helpdesk.live import address_of, publish
from people.models import User
from tickets.audience import audience, groups_of
from tickets.models import Following, Notification, NotificationKind, Ticket

# What was read in the browser meanwhile is not mailed.
MAILED_AFTER = timedelta(seconds=60)

# Several of these on one ticket are one line of the list, until somebody looks.
_GATHERED = {NotificationKind.ANSWER, NotificationKind.ASSIGNMENT, NotificationKind.TEAM_TICKET}


def notify(
    user: User,
    kind: NotificationKind,
    ticket: Ticket,
    *,
    actor: User | None,
    anchor: str = "",
    now: datetime,
) -> bool:
    """Tell `user`, once per kind and `anchor`, however often it is called. False when they are not to be told."""
    return bool(notify_all([user], kind, ticket, actor=actor, anchor=anchor, now=now))


@transaction.atomic
def notify_all(
    users: Iterable[User],
    kind: NotificationKind,
    ticket: Ticket,
    *,
    actor: User | None,
    anchor: str = "",
    now: datetime,
) -> list[int]:
    """The same for many, at the cost of one. Says by number who was told."""
    others = {user.pk: user for user in users if actor is None or user.pk != actor.pk}
    to_tell = seeing(others.values(), ticket)
    theirs = Notification.objects.filter(ticket=ticket, kind=kind)
    if anchor and to_tell:
        to_tell -= set(theirs.filter(user__in=to_tell, anchor=anchor).values_list("user", flat=True))
    if not to_tell:
        return []
    told = {"actor": actor, "anchor": anchor, "at": now, "mailed_at": None}
    due = {pk: now + MAILED_AFTER if wants_mail(others[pk], kind) else None for pk in sorted(to_tell)}
    unread: dict[int, int] = {}
    if kind in _GATHERED:
        # Held, so that nobody reads one away between now and what is added to it.
        waiting = theirs.filter(user__in=to_tell, read_at=None, withdrawn=False).order_by("pk")
        unread = dict(waiting.select_for_update(of=("self",)).values_list("user", "pk"))
        mailed = [row for user, row in unread.items() if due[user]]
        Notification.objects.filter(pk__in=unread.values()).update(
            times=models.F("times") + 1,
            mail_due_at=models.Case(
                models.When(pk__in=mailed, then=models.Value(now + MAILED_AFTER)),
                default=None,
                output_field=models.DateTimeField(),
            ),
            **told,
        )
    Notification.objects.bulk_create(
        [
            Notification(user=others[pk], ticket=ticket, kind=kind, mail_due_at=at, **told)
            for pk, at in due.items()
            if pk not in unread
        ],
        ignore_conflicts=True,
    )
    publish("notification", users=due)
    return list(due)


def seeing(users: Iterable[User], ticket: Ticket) -> set[int]:
    """Those of `users`, by number, whom `visible_to` lets see the ticket: asked of the database once, however many they
    are, and only where it depends on the ticket.
    """
    users = [user for user in users if user.is_active]
    found = {user.pk for user in users if user.sees_all_tickets and ticket.trashed_at is None}
    asked = [user for user in users if user.pk not in found]
    if asked:
        hearing = audience(ticket.pk)
        found |= {user.pk for user in asked if not hearing.isdisjoint({address_of(user.pk), *groups_of(user)})}
    return found


def assigned(ticket: Ticket, *, by: User | None, now: datetime) -> None:
    """To whom it was given; whoever takes a ticket knows."""
    if ticket.owner:
        notify(ticket.owner, NotificationKind.ASSIGNMENT, ticket, actor=by, now=now)


def came_to_team(ticket: Ticket, *, by: User | None, now: datetime) -> None:
    """A new ticket of a team: its members hear of it, but for the one whose it is already."""
    if ticket.team_id is None:
        return
    members = User.objects.active().filter(memberships__team=ticket.team_id).exclude(pk=ticket.owner_id)
    notify_all(members, NotificationKind.TEAM_TICKET, ticket, actor=by, now=now)


def written_on(
    ticket: Ticket, *, anchor: str, actor: User | None, now: datetime, told_already: Iterable[int] = ()
) -> None:
    """Somebody wrote: the contact (`actor` is None then) or a colleague. Its owner and its followers hear of it.

    `told_already` are the users who hear of this very message for another reason.
    """
    theirs = models.Q(pk=ticket.owner_id) | models.Q(
        pk__in=Following.objects.filter(ticket=ticket).order_by().values("user")
    )
    users = User.objects.active().filter(theirs).exclude(pk__in=list(told_already))
    notify_all(users, NotificationKind.ANSWER, ticket, actor=actor, anchor=anchor, now=now)


def unread_of(user: User) -> int:
    """What the bell says: of tickets that the user sees now."""
    return Notification.objects.visible_to(user).unread().counted()


def looked_at(ticket: Ticket, user: User, now: datetime) -> None:
    """`user` has the ticket before their eyes: what the bell had of it is read."""
    if Notification.objects.filter(user=user, ticket=ticket).mark_read(now):
        publish("notification", users=[user.pk])


def wants_mail(user: User, kind: NotificationKind) -> bool:
    """Of a mail of theirs that did not go out everybody is told, whatever they want to be mailed: the customer waits."""
    return {
        NotificationKind.MENTION: user.mail_on_mention,
        NotificationKind.ASSIGNMENT: user.mail_on_assignment,
        NotificationKind.ANSWER: user.mail_on_answer,
        NotificationKind.TEAM_TICKET: user.mail_on_team_ticket,
        NotificationKind.SENDING: True,
    }[kind]
