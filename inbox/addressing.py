"""Who an answer goes to, and from which mailbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inbox.errors import (
    CannotAnswer,
    ContactWithoutAddress,
    MailboxCannotSend,
    MailboxIsOff,
    NobodyToWriteTo,
    NoMailbox,
    NotAMailAddress,
)
from inbox.mime.compose import InvalidAddress, check_address
from inbox.models import Direction, Mailbox, Message
from inbox.models.message import Address
from people.models.contact import normalised
from tickets.models import Ticket

# A mail to more people than this was sent round, not to us: its answer goes to its sender only.
MOST_OTHERS = 25


@dataclass(frozen=True)
class Recipients:
    to: list[Address]
    cc: list[Address]
    mailbox: Mailbox
    answered: Message | None
    """The message that is answered; None when the conversation begins with us."""


def recipients_for(ticket: Ticket, answers: Message | None = None) -> Recipients:
    """Who a reply to `answers`, or else to the newest message of the customer, goes to and from which mailbox.

    Everybody who was written to beside us stays on the mail. Our own mailboxes never are recipients, or the answer
    would come in again. Raises a ReplyError with the reason when nobody is left.
    """
    answered = answers or _newest_in(ticket)
    if answered is not None and (answered.ticket_id != ticket.pk or answered.is_internal):
        raise CannotAnswer
    own = OwnAddresses()
    mailbox = _mailbox_for(ticket, answered)
    if answered is None:
        return Recipients(_contact_of(ticket, own), [], mailbox, None)

    if answered.direction == Direction.OUT:
        to = own.without(answered.to)
        others = own.without(answered.cc)
    else:
        to = _sender_of(answered, own) or _contact_of(ticket, own)
        others = own.without([*answered.to, *answered.cc])
    if not to:
        to = _contact_of(ticket, own)
    taken = {normalised(entry["address"]) for entry in to}
    cc = [entry for entry in others if normalised(entry["address"]) not in taken]
    return Recipients(to, cc if len(cc) <= MOST_OTHERS else [], mailbox, answered)


def newest_of_customer(messages: Iterable[Message]) -> Message | None:
    """What a reply answers by default: the last thing a person wrote, else what a machine of theirs did.

    `messages` of one ticket, oldest first. The form and the mail both ask here, so that they never differ.
    """
    theirs = [message for message in messages if message.direction == Direction.IN]
    candidates = [message for message in theirs if not message.automatic] or theirs
    return candidates[-1] if candidates else None


class OwnAddresses:
    """The addresses of our mailboxes, with or without a +tag."""

    def __init__(self) -> None:
        self._own = {normalised(address) for address in Mailbox.objects.values_list("address", flat=True)}

    def __contains__(self, address: str) -> bool:
        address = normalised(address)
        local, _at, domain = address.rpartition("@")
        return address in self._own or f"{local.partition('+')[0]}@{domain}" in self._own

    def without(self, addresses: Iterable[Address]) -> list[Address]:
        """The valid ones of others, each once."""
        found: dict[str, Address] = {}
        for entry in addresses:
            address = entry["address"].strip()
            if is_address(address) and address not in self:
                found.setdefault(normalised(address), Address(name=entry.get("name", ""), address=address))
        return list(found.values())


def is_address(text: str) -> bool:
    """Whether mail can be sent there: letters outside ASCII before the @ are for few servers only."""
    try:
        check_address(text)
    except InvalidAddress:
        return False
    return True


def _newest_in(ticket: Ticket) -> Message | None:
    """Chosen without the texts, which may be long; only the chosen one is read whole."""
    newest = newest_of_customer(ticket.messages.only("ticket", "direction", "automatic").order_by("at", "pk"))
    return ticket.messages.get(pk=newest.pk) if newest else None


def _sender_of(message: Message, own: OwnAddresses) -> list[Address]:
    asked = own.without(message.reply_to)
    if asked:
        return asked
    return own.without([Address(name=message.from_name, address=message.from_address)])


def _contact_of(ticket: Ticket, own: OwnAddresses) -> list[Address]:
    if ticket.contact is None:
        raise NobodyToWriteTo
    address = ticket.contact.address
    if not address:
        raise ContactWithoutAddress(str(ticket.contact))
    if not is_address(address):
        raise NotAMailAddress(address)
    found = own.without([Address(name=ticket.contact.name, address=address)])
    if not found:
        raise NobodyToWriteTo
    return found


def _mailbox_for(ticket: Ticket, answered: Message | None) -> Mailbox:
    """The mailbox of the conversation; for one that begins with us, the one that serves the ticket's pipeline."""
    conversation = answered.conversation if answered else ticket.conversations.order_by("-created_at", "-pk").first()
    mailbox = conversation.mailbox if conversation else None
    if mailbox is None:
        able = [box for box in Mailbox.objects.filter(enabled=True).order_by("pk") if box.sends]
        able.sort(key=lambda box: (box.pipeline_id != ticket.pipeline_id, box.team_id != ticket.team_id))
        if not able:
            raise NoMailbox
        return able[0]
    if not mailbox.enabled:
        raise MailboxIsOff(mailbox)
    if not mailbox.sends:
        raise MailboxCannotSend(mailbox)
    return mailbox
