"""Whom a ticket is about: its contacts and companies, one of each the primary one, and what they asked before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from people.models import Company, Contact, User
from tickets.models.event import EventKind
from tickets.models.link import LinkKind, TicketLink

if TYPE_CHECKING:
    from tickets.models import Ticket

MOST_EARLIER = 50


@transaction.atomic
def set_contacts(ticket: Ticket, contacts: Sequence[Contact], *, by: User | None, now: datetime) -> bool:
    """The first is the primary one, to whom a reply goes. True when that changed anything.

    A ticket without a company takes the one of its new primary contact.
    """
    ticket.lock()
    contacts = list(dict.fromkeys(contacts))
    was = contacts_of(ticket)
    if [each.pk for each in was] == [each.pk for each in contacts]:
        return False
    ticket.contact = contacts[0] if contacts else None
    ticket.save(update_fields=["contact"])
    ticket.other_contacts.set(contacts[1:])
    ticket.record(EventKind.CONTACT, by=by, now=now, **{"from": _names(was), "to": _names(contacts)})
    if ticket.contact and ticket.contact.company and ticket.company_id is None:
        set_companies(ticket, [ticket.contact.company, *ticket.other_companies.all()], by=by, now=now)
    return True


@transaction.atomic
def set_companies(ticket: Ticket, companies: Sequence[Company], *, by: User | None, now: datetime) -> bool:
    """The first is the primary one. True when that changed anything."""
    ticket.lock()
    companies = list(dict.fromkeys(companies))
    was = companies_of(ticket)
    if [each.pk for each in was] == [each.pk for each in companies]:
        return False
    ticket.company = companies[0] if companies else None
    ticket.save(update_fields=["company"])
    ticket.other_companies.set(companies[1:])
    ticket.record(EventKind.COMPANY, by=by, now=now, **{"from": _names(was), "to": _names(companies)})
    return True


def contacts_of(ticket: Ticket) -> list[Contact]:
    """The primary one first."""
    others = list(ticket.other_contacts.prefetch_related("addresses").order_by("name", "pk"))
    return [ticket.contact, *(each for each in others if each.pk != ticket.contact_id)] if ticket.contact else others


def companies_of(ticket: Ticket) -> list[Company]:
    others = list(ticket.other_companies.order_by("name", "pk"))
    return [ticket.company, *(each for each in others if each.pk != ticket.company_id)] if ticket.company else others


@transaction.atomic
def add_earlier(ticket: Ticket, *, since: datetime | None, by: User, now: datetime) -> int:
    """Link what the ticket's contacts and companies asked before, since `since`, as far as `by` sees it; the newest
    MOST_EARLIER. Says how many."""
    from tickets.models import Ticket

    contacts = [each.pk for each in contacts_of(ticket)]
    companies = [each.pk for each in companies_of(ticket)]
    about = Q(contact__in=contacts) | Q(company__in=companies)
    earlier = Ticket.objects.visible_to(by).filter(about, trashed_at=None).exclude(pk=ticket.pk)
    if since is not None:
        earlier = earlier.filter(Q(last_message_at__gte=since) | Q(last_message_at=None, opened_at__gte=since))
    numbers = list(earlier.order_by("-opened_at").values_list("pk", flat=True)[:MOST_EARLIER])
    links = [TicketLink(ticket=ticket, other_id=number, kind=LinkKind.EARLIER) for number in numbers]
    TicketLink.objects.bulk_create(links, ignore_conflicts=True)
    return len(links)


def earlier_activities(ticket: Ticket, user: User) -> list[Ticket]:
    """What add_earlier linked, as far as `user` sees it, the oldest first."""
    from tickets.models import Ticket

    linked = {"linked_from__ticket": ticket, "linked_from__kind": LinkKind.EARLIER}
    return list(Ticket.objects.visible_to(user).filter(**linked).select_related("status").order_by("opened_at", "pk"))


def _names(people: Iterable[Contact | Company]) -> str:
    return ", ".join(str(each) for each in people)
