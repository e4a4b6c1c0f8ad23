"""What the rules need to know, read from the database, and what a draft says itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from inbox.addressing.rules import House, Letter, Person, default_kind, recipients, untagged
from inbox.addressing.senders import sender_for
from inbox.addressing.typed import check, is_address
from inbox.errors import (
    CannotAnswer,
    ContactAddressWrong,
    ContactWithoutAddress,
    NobodyNamed,
    NobodyToWriteTo,
    NothingToForward,
    OwnMailbox,
    ReplyError,
    TooManyRecipients,
)
from inbox.models import Conversation, Direction, Draft, Mailbox, MailKind, Message
from inbox.models.message import Address
from people.models import User
from people.models.contact import normalised
from tickets.models import Ticket

MOST_RECIPIENTS = 100
MOST_KEPT = 2 * MOST_RECIPIENTS
"""So many that are named stay in an editor, for whoever named too many to remove some."""

NEWEST_FIRST = 5
"""Among so many of the customer's newest messages the one to answer is looked for first."""


@dataclass(frozen=True)
class Recipients:
    to: list[Address]
    cc: list[Address]
    mailbox: Mailbox
    answered: Message | None
    """The message that is answered; None when the conversation begins with us."""
    bcc: list[Address] = field(default_factory=list)
    kind: MailKind = MailKind.REPLY
    left_out: list[Address] = field(default_factory=list)


def recipients_for(
    ticket: Ticket,
    answers: Message | None = None,
    *,
    kind: MailKind | str | None = None,
    by: User | None = None,
    mailbox: Mailbox | None = None,
) -> Recipients:
    """Who a mail in answer to `answers`, or else to the newest message of the customer, goes to and from which mailbox.

    `kind` of None is the one that leaves nobody out. Raises a ReplyError with the reason when nobody is left or when
    `by` may not send from `mailbox`.
    """
    answered = answered_by(ticket, answers)
    box = sender_for(ticket, conversation_of(ticket, answered), by=by, chosen=mailbox)
    found = found_for(ticket, answered, kind=kind, by=by)
    return Recipients(found.to, found.cc, box, answered, kind=found.kind, left_out=found.left_out)


@dataclass(frozen=True)
class Found:
    kind: MailKind
    to: list[Address]
    cc: list[Address]
    left_out: list[Address]
    own: OwnAddresses


def found_for(
    ticket: Ticket,
    answered: Message | None,
    *,
    kind: MailKind | str | None = None,
    by: User | None = None,
    insists: bool = True,
) -> Found:
    """Who an answer goes to, wherever it leaves from. Raises a ReplyError when nobody is left, unless `insists` is off."""
    own = OwnAddresses()
    letter, house = letter_of(answered), house_of(ticket, answered, by, own)
    chosen = MailKind(kind) if kind else default_kind(letter, house)
    if chosen == MailKind.FORWARD and answered is None:
        raise NothingToForward
    split = recipients(chosen, letter, house)
    if insists and not split.to and chosen != MailKind.FORWARD:
        raise why_nobody(ticket, letter)
    return Found(chosen, _addresses(split.to), _addresses(split.cc), _addresses(split.left_out), own)


def recipients_of(draft: Draft, *, by: User) -> Recipients:
    """As the draft says, and as it comes where the draft says nothing. What a person named is checked: raises a ReplyError."""
    if draft.to is None and draft.cc is None:
        found = recipients_for(draft.ticket, draft.answers, kind=draft.kind or None, by=by, mailbox=draft.mailbox)
        to, cc, box, answered, kind = found.to, found.cc, found.mailbox, found.answered, found.kind
    else:
        answered = answered_by(draft.ticket, draft.answers)
        box = sender_for(draft.ticket, conversation_of(draft.ticket, answered), by=by, chosen=draft.mailbox)
        kind = MailKind(draft.kind) if draft.kind else MailKind.REPLY
        if kind == MailKind.FORWARD and answered is None:
            raise NothingToForward
        to, cc = draft.to or [], draft.cc or []
    to, cc, bcc = check_recipients(to, cc, draft.bcc or [])
    return Recipients(to, cc, box, answered, bcc=bcc, kind=kind)


def check_recipients(
    to: Iterable[Address], cc: Iterable[Address], bcc: Iterable[Address]
) -> tuple[list[Address], list[Address], list[Address]]:
    """The same without those that are named twice, first in To, then in Cc.

    Raises NotAMailAddress, LettersBeforeAt, OwnMailbox, TooManyRecipients or NobodyNamed.
    """
    own, taken = OwnAddresses(), set()
    fields: list[list[Address]] = []
    for entries in (to, cc, bcc):
        kept = []
        for entry in entries:
            if reason := why_not(entry["address"], own):
                raise reason
            if normalised(entry["address"]) not in taken:
                taken.add(normalised(entry["address"]))
                kept.append(Address(name=entry.get("name", ""), address=entry["address"].strip()))
        fields.append(kept)
    if len(taken) > MOST_RECIPIENTS:
        raise TooManyRecipients(len(taken), MOST_RECIPIENTS)
    if not fields[0]:
        raise NobodyNamed
    return fields[0], fields[1], fields[2]


def why_not(address: str, own: OwnAddresses) -> ReplyError | None:
    """Why nothing is sent there."""
    try:
        check(address)
    except ReplyError as reason:
        return reason
    return OwnMailbox(address) if address in own else None


def newest_of_customer(messages: Iterable[Message]) -> Message | None:
    """What a reply answers by default: the last thing a person wrote, else what a machine of theirs did.

    `messages` of one ticket, oldest first. The form and the mail both ask here, so that they never differ. A third
    party's answer to a forward is answered only when it is chosen, so that nothing goes to the wrong one by accident.
    """
    theirs = [message for message in messages if message.direction == Direction.IN and not message.third_party]
    candidates = [message for message in theirs if not message.automatic] or theirs
    return candidates[-1] if candidates else None


class OwnAddresses:
    """The addresses of our mailboxes, with or without a +tag."""

    def __init__(self) -> None:
        self.addresses = frozenset(normalised(address) for address in Mailbox.objects.values_list("address", flat=True))

    def __contains__(self, address: str) -> bool:
        return House(mailboxes=self.addresses).has_mailbox(address)


def answered_by(ticket: Ticket, answers: Message | None) -> Message | None:
    """`answers`, or what is answered by default. Raises CannotAnswer for a comment and for another ticket's message."""
    answered = answers or _newest_in(ticket)
    if answered is not None and (answered.ticket_id != ticket.pk or answered.is_internal):
        raise CannotAnswer
    return answered


def letter_of(message: Message | None) -> Letter | None:
    if message is None:
        return None
    return Letter(
        sender=Person(message.from_name, message.from_address),
        reply_to=_people(message.reply_to),
        to=_people(message.to),
        cc=_people(message.cc),
        is_ours=message.direction == Direction.OUT,
        list_address=message.list_address,
        third_party=message.third_party,
    )


def house_of(ticket: Ticket, answered: Message | None, by: User | None, own: OwnAddresses) -> House:
    named: set[str] = set()
    if answered is not None:
        people = [{"address": answered.from_address}, *answered.reply_to, *answered.to, *answered.cc]
        named = {form(str(entry["address"])) for entry in people for form in (normalised, untagged)}
    contact = ticket.contact
    return House(
        mailboxes=own.addresses,
        colleagues=frozenset(User.objects.active().filter(email__in=named).values_list("email", flat=True)),
        writer=by.email if by else "",
        contact=Person(contact.name, contact.address) if contact else None,
    )


def conversation_of(ticket: Ticket, answered: Message | None) -> Conversation | None:
    return answered.conversation if answered else ticket.conversations.order_by("-created_at", "-pk").first()


def why_nobody(ticket: Ticket, letter: Letter | None) -> ReplyError:
    contact = ticket.contact
    if contact is None or (letter and letter.third_party):
        return NobodyToWriteTo()
    if not contact.address:
        return ContactWithoutAddress(str(contact))
    if not is_address(contact.address):
        return ContactAddressWrong(contact.address)
    return NobodyToWriteTo()


def _newest_in(ticket: Ticket) -> Message | None:
    """Chosen without the texts, which may be long; only the chosen one is read whole."""
    theirs = ticket.messages.filter(direction=Direction.IN)
    rows = theirs.only("ticket", "direction", "automatic", "third_party").order_by("-at", "-pk")
    # The newest few decide, unless none of them is a person's.
    newest = newest_of_customer(list(rows[:NEWEST_FIRST])[::-1])
    if newest is None or newest.automatic:
        newest = newest_of_customer(list(rows)[::-1])
    return ticket.messages.select_related("conversation__mailbox").get(pk=newest.pk) if newest else None


def _people(addresses: Iterable[Address]) -> tuple[Person, ...]:
    return tuple(Person(entry.get("name", ""), entry["address"]) for entry in addresses)


def _addresses(people: Iterable[Person]) -> list[Address]:
    return [Address(name=person.name, address=person.address) for person in people]
