"""Answers to what we forwarded: whose they are, and when the contact may come to see them (SPEC part 3, 12)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from inbox.errors import CannotRelease
from inbox.models import Direction, Message, MessageKind
from people.models import ContactAddress, User
from people.models.contact import normalised
from tickets.models import EventKind, Ticket

MOST_ASKED = 500


def is_third_party(sender: str, ticket: Ticket, answers: Message | None, *, doubtful: bool = False) -> bool:
    """Whether `sender`, who answers `answers` if anybody knows what, writes about a forward and not as our customer.

    Whoever answers a forward does, a colleague of ours too, but for the ticket's contacts. Who has a part in the
    conversation with the customer is no third party there, whatever we forwarded to them as well. `doubtful`: somebody
    else may write in that name, and then it may be anybody whom we forwarded to.
    """
    sender = normalised(sender)
    aside = ticket.messages.filter(Q(kind=MessageKind.FORWARD) | Q(third_party=True))
    if doubtful:
        return aside.exists()
    if not sender or sender in addresses_of_contacts(ticket):
        return False
    if answers is not None and (answers.kind == MessageKind.FORWARD or answers.third_party):
        return True
    if sender in _with_customer(ticket):
        return False
    return any(sender in _on(message) for message in aside.only(*_FIELDS).order_by("-pk")[:MOST_ASKED])


def is_aside(message: Message) -> bool:
    """Whether it stands between us and somebody whom we forwarded to, and the contact may not see it (yet)."""
    if message.third_party:
        return message.released_at is None
    return message.direction == Direction.OUT and message.kind == MessageKind.FORWARD


def kept_from(message: Message, addresses: Iterable[str], ticket: Ticket) -> list[str]:
    """Those of `addresses` who may not get the words and files of `message`, because it stands aside of them."""
    if not is_aside(message):
        return []
    contacts, had_it = addresses_of_contacts(ticket), _on(message)
    others = _with_customer(ticket) - had_it
    return [one for one in dict.fromkeys(addresses) if normalised(one) in contacts or normalised(one) in others]


@transaction.atomic
def release(message: Message, *, by: User, now: datetime) -> None:
    """Let it be part of what the contact may see. Releasing twice does nothing. Raises CannotRelease."""
    if not message.third_party or message.ticket is None:
        raise CannotRelease
    released = Message.objects.filter(pk=message.pk, released_at=None).update(released_at=now, released_by=by)
    if released:
        name = message.from_name or message.from_address
        message.ticket.record(EventKind.RELEASED, by=by, now=now, name=name, message=message.pk)
        message.ticket.changed()


def addresses_of_contacts(ticket: Ticket) -> set[str]:
    """Those that belong to the ticket whether or not anybody wrote from or to them."""
    # Two questions: as one, the database would read the addresses of all contacts.
    contacts = [ticket.contact_id, *ticket.other_contacts.order_by().values_list("pk", flat=True)]
    return set(ContactAddress.objects.filter(contact__in=contacts).values_list("address", flat=True))


_FIELDS = ("from_address", "to", "cc", "bcc", "reply_to")


def _with_customer(ticket: Ticket) -> set[str]:
    """Everybody on the mails between us and the customer."""
    ours = ticket.messages.exclude(Q(kind=MessageKind.FORWARD) | Q(kind=MessageKind.COMMENT) | Q(third_party=True))
    mails = ours.only(*_FIELDS).order_by("-pk")[:MOST_ASKED]
    return set().union(*(_on(message) for message in mails))


def _on(message: Message) -> set[str]:
    entries = (*message.to, *message.cc, *message.bcc, *message.reply_to)
    return {normalised(message.from_address), *(normalised(entry["address"]) for entry in entries)}
