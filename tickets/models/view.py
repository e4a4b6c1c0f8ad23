"""The views every desk has. A view is a question, told as data: whose tickets, whose turn it is, in which order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models.pipeline import Kind

if TYPE_CHECKING:
    from people.models import User
    from tickets.models.ticket import TicketQuerySet

OPEN = (Kind.NEW, Kind.WAITING_ON_US, Kind.WAITING_ON_CONTACT)
ALL = (*OPEN, Kind.CLOSED)


@dataclass(frozen=True)
class View:
    key: str
    label: Promise
    icon: str
    empty_title: Promise
    empty_text: Promise
    kinds: tuple[Kind, ...] = OPEN
    mine: bool = False
    mentioned: bool = False
    followed: bool = False
    unassigned: bool = False
    trashed: bool = False
    newest_first: bool = False
    for_collaborators: bool = False

    def tickets(self, user: User, kinds: Collection[Kind] = ()) -> TicketQuerySet:
        """What `user` finds in this view, or of it in those of its `kinds`, in no order yet."""
        from tickets.models.following import Following
        from tickets.models.notification import Notification, NotificationKind
        from tickets.models.ticket import Ticket

        visible = Ticket.objects.visible_to(user)
        tickets = visible.in_trash(kinds or self.kinds) if self.trashed else visible.on_turn(kinds or self.kinds)
        if self.mine:
            tickets = tickets.filter(owner=user)
        if self.unassigned:
            tickets = tickets.filter(owner=None)
        if self.mentioned:
            mentions = Notification.objects.filter(user=user, kind=NotificationKind.MENTION, withdrawn=False)
            tickets = tickets.filter(pk__in=mentions.values("ticket"))
        if self.followed:
            tickets = tickets.filter(pk__in=Following.objects.filter(user=user).values("ticket"))
        return tickets


VIEWS = (
    View(
        "unassigned",
        _("Unassigned"),
        "user-plus",
        _("Everything has an owner"),
        _("New tickets appear here until somebody takes them or answers."),
        unassigned=True,
    ),
    View(
        "my-open",
        _("My open"),
        "inbox",
        _("Nothing waits for you"),
        _("Tickets that you take, answer or are given appear here until they are closed."),
        mine=True,
    ),
    View(
        "all-open",
        _("All open"),
        "ticket",
        _("No open tickets"),
        _("Mail to a connected mailbox becomes a ticket and appears here within seconds."),
        for_collaborators=True,
    ),
    View(
        "waiting-on-contact",
        _("Waiting on contact"),
        "clock",
        _("Nobody owes us an answer"),
        _("A ticket moves here when you have answered, and back when the contact writes again."),
        kinds=(Kind.WAITING_ON_CONTACT,),
    ),
    View(
        "closed",
        pgettext_lazy("view", "Closed"),
        "check",
        _("Nothing closed yet"),
        _("Tickets that you close are kept here, newest first."),
        kinds=(Kind.CLOSED,),
        newest_first=True,
    ),
    View(
        "my-mentions",
        _("My mentions"),
        "at-sign",
        _("Nobody has mentioned you yet"),
        _("Tickets appear here when a comment names you or your team with @."),
        kinds=ALL,
        mentioned=True,
        for_collaborators=True,
    ),
    View(
        "following",
        _("Following"),
        "bell",
        _("You follow no ticket yet"),
        _("Open a ticket and press Follow to hear of everything that is written on it."),
        kinds=ALL,
        followed=True,
        for_collaborators=True,
    ),
    View(
        "trash",
        _("Trash"),
        "trash-2",
        _("The trash is empty"),
        _("Tickets that somebody moves to the trash are kept here, and can be restored."),
        kinds=ALL,
        trashed=True,
        newest_first=True,
    ),
)
DEFAULT = VIEWS[2]


def views_for(user: User) -> tuple[View, ...]:
    """Built-in ones (SPEC H-14): a collaborator's few (S-02a), and the trash for whoever may delete (H-13)."""
    return tuple(
        view
        for view in VIEWS
        if (view.for_collaborators or not user.is_collaborator) and (user.may_delete or not view.trashed)
    )


def view_for(user: User, key: str) -> View | None:
    """The view of that key, the default one without a key, None for a key that this user has no view of."""
    return next((view for view in views_for(user) if view.key == (key or DEFAULT.key)), None)


def view_or_default(user: User, key: str) -> View:
    """Where a wrong key in an address is no reason to refuse what else it names: everyone has the default view."""
    return view_for(user, key) or DEFAULT
