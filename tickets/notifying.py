"""Who is told of what happens on a ticket: by the bell, and by mail if they want that.

The rows are written in the transaction of what they tell of, so that neither is without the other; browsers hear of it
after commit. Nobody is told of what they did themselves, nor of a ticket that they do not see.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models

from helpdesk.live import publish
from people.models import User
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
    if (actor and actor.pk == user.pk) or not sees(user, ticket):
        return False
    due = now + MAILED_AFTER if wants_mail(user, kind) else None
    if anchor and Notification.objects.filter(user=user, ticket=ticket, kind=kind, anchor=anchor).exists():
        return False
    told = {"actor": actor, "anchor": anchor, "at": now, "mail_due_at": due, "mailed_at": None}
    unread = Notification.objects.filter(user=user, ticket=ticket, kind=kind, read_at=None)
    gathered = kind in _GATHERED and unread.update(times=models.F("times") + 1, **told)
    if not gathered:
        Notification.objects.bulk_create(
            [Notification(user=user, ticket=ticket, kind=kind, **told)], ignore_conflicts=True
        )
    publish("notification", users=[user.pk])
    return True


def sees(user: User, ticket: Ticket) -> bool:
    """Whether `visible_to` lets this user see the ticket, asked of the database only where it depends on the ticket."""
    if user.sees_all_tickets and ticket.trashed_at is None:
        return True
    return Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists()


def assigned(ticket: Ticket, *, by: User | None, now: datetime) -> None:
    """To whom it was given; whoever takes a ticket knows."""
    if ticket.owner:
        notify(ticket.owner, NotificationKind.ASSIGNMENT, ticket, actor=by, now=now)


def came_to_team(ticket: Ticket, *, by: User | None, now: datetime) -> None:
    """A new ticket of a team: its members hear of it, but for the one whose it is already."""
    if ticket.team_id is None:
        return
    members = User.objects.active().filter(memberships__team=ticket.team_id).exclude(pk=ticket.owner_id)
    for member in members.order_by("pk"):
        notify(member, NotificationKind.TEAM_TICKET, ticket, actor=by, now=now)


def written_on(
    ticket: Ticket, *, anchor: str, actor: User | None, now: datetime, told_already: Iterable[int] = ()
) -> None:
    """Somebody wrote: the contact (`actor` is None then) or a colleague. Its owner and its followers hear of it.

    `told_already` are the users who hear of this very message for another reason.
    """
    theirs = models.Q(pk=ticket.owner_id) | models.Q(
        pk__in=Following.objects.filter(ticket=ticket).order_by().values("user")
    )
    for user in User.objects.active().filter(theirs).exclude(pk__in=list(told_already)).order_by("pk"):
        notify(user, NotificationKind.ANSWER, ticket, actor=actor, anchor=anchor, now=now)


def unread_of(user: User) -> int:
    """What the bell says: of tickets that the user sees now."""
    return Notification.objects.visible_to(user).unread().counted()


def looked_at(ticket: Ticket, user: User, now: datetime) -> None:
    """`user` has the ticket before their eyes: what the bell had of it is read."""
    if Notification.objects.filter(user=user, ticket=ticket).mark_read(now):
        publish("notification", users=[user.pk])


def wants_mail(user: User, kind: NotificationKind) -> bool:
    """A mail that was not sent is told of wherever somebody hears of their own tickets' answers."""
    return {
        NotificationKind.MENTION: user.mail_on_mention,
        NotificationKind.ASSIGNMENT: user.mail_on_assignment,
        NotificationKind.ANSWER: user.mail_on_answer,
        NotificationKind.TEAM_TICKET: user.mail_on_team_ticket,
        NotificationKind.SENDING: True,
    }[kind]
