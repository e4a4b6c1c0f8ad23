"""What the command palette finds of what one types: a ticket by its number or name, a view, a contact."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import F

from helpdesk.numbers import as_number
from people.models import Contact, User
from tickets.models import Ticket, View, views_for

MOST = 6
"""So many of a kind are offered: who wants another types on."""

SEARCHED = 2_000
"""Names are looked for among so many of the newest tickets; the search over everything is a page of its own."""


@dataclass(frozen=True)
class Found:
    tickets: list[Ticket] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    contacts: list[tuple[Contact, Ticket | None]] = field(default_factory=list)
    """Each with the newest ticket of theirs that the reader sees, if there is one."""

    @property
    def is_empty(self) -> bool:
        return not (self.tickets or self.views or self.contacts)


def find(words: str, user: User) -> Found:
    """What of `words` (as typed) leads somewhere for `user`. Nothing typed finds the views."""
    words = " ".join(words.replace("\x00", "").split())[:100]
    views = [view for view in views_for(user) if words.lower() in str(view.label).lower()]
    if not words:
        return Found(views=views)
    return Found(tickets=_tickets(words, user), views=views[:MOST], contacts=_contacts(words, user))


def _tickets(words: str, user: User) -> list[Ticket]:
    """The one of that number first, then those whose name holds the words, newest first."""
    visible = Ticket.objects.visible_to(user).select_related("status", "contact")
    number = as_number(words.removeprefix("#"))
    exact = list(visible.filter(pk=number)) if number else []
    if words.startswith("#"):
        return exact
    newest = Ticket.objects.order_by("-number").values_list("number", flat=True)
    start = next(iter(newest[SEARCHED : SEARCHED + 1]), 0)
    named = visible.filter(number__gte=start, name__icontains=words).order_by("-number")
    return [*exact, *named.exclude(pk__in=[ticket.pk for ticket in exact])[: MOST - len(exact)]]


def _contacts(words: str, user: User) -> list[tuple[Contact, Ticket | None]]:
    if len(words) < 2:
        return []
    contacts = list(Contact.objects.visible_to(user).matching(words).for_picking()[:MOST])
    newest: dict[int, Ticket] = {}
    # Their own tickets before those of others that they stand on.
    for place in ("other_contacts", "contact"):
        tickets = Ticket.objects.visible_to(user).filter(**{f"{place}__in": contacts}).annotate(whose=F(f"{place}__id"))
        newest |= {ticket.whose: ticket for ticket in tickets.order_by("whose", "-opened_at").distinct("whose")}
    return [(contact, newest.get(contact.pk)) for contact in contacts]
