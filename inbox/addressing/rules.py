"""The rules: who an answer goes to. Nothing here knows of a database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from inbox.addressing.typed import is_address
from inbox.models import MailKind
from people.models.contact import normalised

# A mail to more people than this was sent round, not to us: its answer goes to its sender, unless one wants all.
MOST_OTHERS = 25


class Person(NamedTuple):
    name: str
    address: str


NOBODY = Person("", "")


@dataclass(frozen=True)
class Letter:
    """What it takes to know of a message to say who its answer goes to."""

    sender: Person = NOBODY
    reply_to: tuple[Person, ...] = ()
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    is_ours: bool = False
    """We wrote it."""
    list_address: str = ""
    """Of the mailing list that it came through."""
    third_party: bool = False
    """It answers a forward of ours."""


@dataclass(frozen=True)
class House:
    """Who we are. Addresses normalised, those of `mailboxes` without a +tag."""

    mailboxes: frozenset[str] = frozenset()
    colleagues: frozenset[str] = frozenset()
    """Addresses of our users."""
    writer: str = ""
    """The one of whoever answers."""
    contact: Person | None = None
    """Of the ticket."""

    def has_mailbox(self, address: str) -> bool:
        return normalised(address) in self.mailboxes or untagged(address) in self.mailboxes

    def has_colleague(self, address: str) -> bool:
        return normalised(address) in self.colleagues or untagged(address) in self.colleagues

    def is_writer(self, address: str) -> bool:
        return bool(self.writer) and self.writer in (normalised(address), untagged(address))


@dataclass(frozen=True)
class Split:
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    left_out: tuple[Person, ...] = ()
    """On the mail, and cannot be written to."""


def recipients(kind: MailKind, letter: Letter | None, house: House) -> Split:
    """To and Cc of an answer to `letter`, or of a first mail where there is none.

    - A forward goes to whom one names.
    - A reply goes to where its sender wants answers (Reply-To, as far as that is neither ours nor the mailing list),
      else to its sender, else to the ticket's contact. An answer to our own mail goes to those it went to.
    - What a colleague sent in is answered to the contact; the colleague gets a copy of a reply to all.
    - A reply to all keeps everybody who was on the mail, in Cc, and the mailing list.
    - Never written to: our mailboxes (the mail would come in again), whoever writes the answer, what is no address.
      Nobody twice.
    - The contact never gets an answer to a third party by default: that is between us and them.
    """
    if kind == MailKind.FORWARD:
        return Split()
    contact = _reachable([house.contact] if house.contact else [], house)
    if letter is None:
        return Split(to=contact)

    to, copies = (letter.to, ()) if letter.is_ours else _back_to_sender(letter, house, contact)
    to = _reachable(to, house)
    if not to and not letter.third_party:
        to = contact
    if kind == MailKind.REPLY:
        return Split(to=to)

    named = letter.cc if letter.is_ours else (*copies, *letter.to, *letter.cc)
    taken = {normalised(person.address) for person in to}
    others = [person for person in named if not house.is_writer(person.address)]
    cc = tuple(person for person in _reachable(others, house) if normalised(person.address) not in taken)
    left_out = tuple(person for person in others if person.address.strip() and not is_address(person.address))
    return Split(to=to, cc=cc, left_out=left_out)


def default_kind(letter: Letter | None, house: House) -> MailKind:
    """Reply to all where others were on the mail beside us, so that nobody falls off; not where it was sent round."""
    if letter is None or (letter.list_address and not house.has_mailbox(letter.list_address)):
        return MailKind.REPLY
    senders = {normalised(person.address) for person in (letter.sender, *letter.reply_to)}
    others = [
        person
        for person in recipients(MailKind.REPLY_ALL, letter, house).cc
        if normalised(person.address) not in senders
    ]
    return MailKind.REPLY_ALL if 0 < len(others) <= MOST_OTHERS else MailKind.REPLY


def _back_to_sender(
    letter: Letter, house: House, contact: tuple[Person, ...]
) -> tuple[tuple[Person, ...], tuple[Person, ...]]:
    """Where the answer goes, and who of the senders only gets a copy when everybody does."""
    asked = _reachable(letter.reply_to, house)
    sender = _reachable([letter.sender], house)
    through_list = tuple(person for person in asked if _same(person.address, letter.list_address))
    people = tuple(person for person in asked if person not in through_list)
    authors = tuple(person for person in sender if not _same(person.address, letter.list_address))
    if letter.third_party:
        return people or authors, through_list
    to = people or authors or contact or asked or sender
    in_house = all(house.has_colleague(person.address) for person in to)
    elsewhere = contact and not house.has_colleague(contact[0].address)
    if to and in_house and elsewhere:
        return contact, to
    return to, through_list


def _reachable(people: Iterable[Person | None], house: House) -> tuple[Person, ...]:
    """The valid ones outside our mailboxes, each once; a name that stands anywhere is kept."""
    found: dict[str, Person] = {}
    for person in people:
        if person is None:
            continue
        address = person.address.strip()
        if not is_address(address) or house.has_mailbox(address):
            continue
        key = normalised(address)
        if key not in found or (person.name and not found[key].name):
            found[key] = Person(person.name, found[key].address if key in found else address)
    return tuple(found.values())


def untagged(address: str) -> str:
    local, _at, domain = normalised(address).rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _same(one: str, other: str) -> bool:
    return bool(other) and normalised(one) == normalised(other)
