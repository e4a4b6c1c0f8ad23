"""A customer's mails as their mail program shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db import models

from inbox.mail_room import mailboxes
from inbox.mime.parse import ParsedAttachment, ParsedMail
from inbox.models import RoomMail
from people.models import ContactAddress, User
from people.models.contact import normalised
from tickets.models import Ticket

# Older threads of a customer are not listed; nothing is lost, they are in the admin.
MOST_MAILS = 300
MOST_PEOPLE = 40
MOST_HEADER = 20_000


@dataclass(frozen=True)
class Thread:
    mails: list[RoomMail]

    @property
    def pk(self) -> int:
        return self.mails[0].thread_id

    @property
    def subject(self) -> str:
        return self.mails[0].subject

    @property
    def last(self) -> RoomMail:
        return self.mails[-1]


@dataclass(frozen=True)
class Person:
    address: str
    name: str


class ShownMail:
    def __init__(self, kept: RoomMail, customer: str) -> None:
        self.kept = kept
        self.is_mine = kept.from_address == normalised(customer)

    @cached_property
    def parsed(self) -> ParsedMail:
        return self.kept.read().mail

    @property
    def to(self) -> str:
        return ", ".join(name or address for name, address in [*self.parsed.to, *self.parsed.cc])

    @cached_property
    def attachments(self) -> list[tuple[int, ParsedAttachment]]:
        """Those that are not shown in the text, each with its place in the mail."""
        return [(place, one) for place, one in enumerate(self.parsed.attachments) if not one.inline]

    @cached_property
    def header(self) -> str:
        head = self.kept.raw_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        return head[:MOST_HEADER].decode("utf-8", "replace").replace("\x00", "")


def threads(mails: Iterable[RoomMail]) -> list[Thread]:
    """Mails, oldest first, as threads, the latest of them first."""
    by_first: dict[int, Thread] = {}
    for mail in list(mails)[-MOST_MAILS:]:
        by_first.setdefault(mail.thread_id, Thread([])).mails.append(mail)
    return sorted(by_first.values(), key=lambda thread: thread.last.pk, reverse=True)


def people(user: User) -> list[Person]:
    """Who one may want to be: those who wrote through the room lately, then the newest contacts that one sees."""
    ours = {mailbox.address for mailbox in mailboxes()}
    found: dict[str, str] = {}
    wrote = RoomMail.objects.visible_to(user).exclude(from_address="").order_by("-pk")
    for address, name in wrote.values_list("from_address", "from_name")[:MOST_MAILS]:
        if address not in ours:
            found.setdefault(address, name or address)
    for row in _contacts_of(user).order_by("-pk")[:MOST_PEOPLE]:
        found.setdefault(row.address, row.contact.name or row.address)
    return [Person(address, name) for address, name in list(found.items())[:MOST_PEOPLE]]


def name_of(customer: str, user: User) -> str:
    mine = RoomMail.objects.visible_to(user).of(customer).filter(from_address=customer).last()
    row = _contacts_of(user).filter(address=customer).first()
    return (mine.from_name if mine else "") or (row.contact.name if row else "")


def _contacts_of(user: User) -> models.QuerySet[ContactAddress]:
    """Whoever sees a part of the tickets only sees the people of that part."""
    theirs = Ticket.objects.visible_to(user).exclude(contact=None).values("contact")
    return ContactAddress.objects.select_related("contact").filter(contact__in=theirs)
