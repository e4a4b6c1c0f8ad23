"""An address for the contact of a ticket that mail reaches at none (S-14)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from inbox.addressing.desk import OwnAddresses, why_not
from inbox.errors import ContactHasAddress
from people.models import Contact, ContactAddress, User
from people.picking import give_address
from tickets.models import EventKind, Ticket


def lacks_address(contact: Contact | None, own: OwnAddresses) -> bool:
    """Whether there is a contact whom no mail reaches."""
    return contact is not None and why_not(contact.address, own) is not None


@transaction.atomic
def give_contact_address(ticket: Ticket, typed: str, *, by: User, now: datetime) -> ContactAddress:
    """The one that mail to the ticket's contact, which it has, goes to from now on; the ticket's history says who gave it.

    Raises ContactHasAddress, so that nobody turns aside the mail of somebody whom it reaches, and PickingError.
    """
    ticket.lock()
    contact = Contact.objects.select_for_update(of=("self",)).get(tickets=ticket)
    was = contact.address
    if not lacks_address(contact, OwnAddresses()):
        raise ContactHasAddress(str(contact), was)
    given = give_address(contact, typed)
    given.become_primary()
    line = {"key": "address", "name": _("Mail address"), "from": was, "to": given.address}
    ticket.record(EventKind.PROPERTIES, by=by, now=now, lines=[line])
    return given
