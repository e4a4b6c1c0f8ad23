"""A desk with a history: tickets, messages, contacts and companies in bulk, as a few years of work would have left them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.html import escape

from inbox.benchmarks.copying import analyse, copy, new_keys
from inbox.benchmarks.words import Words
from inbox.models import (
    ChannelKind,
    Conversation,
    Direction,
    Mailbox,
    Message,
    MessageKind,
    Outgoing,
    OutgoingRecipient,
    OutgoingState,
)
from inbox.models.message import Address, id_hash
from people.models import Company, CompanyDomain, Contact, ContactAddress, User
from tickets.models import Event, EventKind, Kind, Pipeline, Priority, Seen, Source, Status, Ticket

# Of tickets up to so many days old, this share is still open; most of the rest was closed within days.
OPEN_SHARES = [(1, 0.85), (3, 0.6), (7, 0.35), (30, 0.12), (10_000, 0.02)]
BATCH = 5_000


@dataclass
class Sample:
    """What was written, to be said aloud."""

    tickets: int = 0
    messages: int = 0
    contacts: int = 0
    companies: int = 0


@transaction.atomic
def load(*, tickets: int, messages_per_ticket: int, seed: int, now: datetime) -> Sample:
    """Write a sample beside what is there. The same seed gives the same words and times relative to `now`."""
    made = Sample()
    author = _Author(seed, now)
    remaining = tickets
    while remaining:
        batch = min(BATCH, remaining)
        remaining -= batch
        author.write(batch, messages_per_ticket)
        made.tickets += batch
        made.messages += batch * messages_per_ticket
    made.contacts, made.companies = len(author.contacts), len(author.companies)
    analyse([Company, CompanyDomain, Contact, ContactAddress, Ticket, Event, Conversation, Message, Outgoing, Seen])
    return made


@dataclass
class _Rows:
    """What is written together, in the order in which rows refer to each other."""

    tickets: list[Ticket] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    conversations: list[Conversation] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)
    recipients: list[OutgoingRecipient] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)

    def write(self) -> None:
        groups: list[Sequence[models.Model]] = [
            self.tickets,
            self.conversations,
            self.messages,
            self.outgoing,
            self.recipients,
            self.events,
            self.seen,
        ]
        for rows in groups:
            if any(row.pk is None for row in rows):
                for row, key in zip(rows, new_keys(type(rows[0]), len(rows)), strict=True):
                    row.pk = key
            copy(rows)


class _Author:
    def __init__(self, seed: int, now: datetime) -> None:
        self.random = random.Random(seed)  # noqa: S311 (words, not keys)
        self.words = Words(self.random)
        self.now = now
        self.agents = list(User.objects.assignable()) or [
            User.objects.create_user(f"sample.agent{number}@desk.example", name)
            for number, name in enumerate(("Maija Lehto", "Olu Adeyemi", "Tom Berg"), 1)
        ]
        # Some answer much, some little, as in any team.
        self.weights = [1 / (place + 1) for place in range(len(self.agents))]
        self.mailboxes = list(Mailbox.objects.filter(enabled=True)) or [_sample_mailbox()]
        first = Pipeline.first()
        self.pipelines = {
            pipeline.pk: pipeline for pipeline in Pipeline.objects.prefetch_related("statuses") if pipeline.pk
        }
        self.default_pipeline = self.pipelines[first.pk]
        self.companies: list[Company] = []
        self.contacts: list[Contact] = []
        self.addresses: dict[int, str] = {}

    def write(self, tickets: int, messages_per_ticket: int) -> None:
        self._meet_people(tickets)
        rows = _Rows()
        opened = sorted(self._age() for _ in range(tickets))
        opened.reverse()
        conversation_keys = new_keys(Conversation, tickets)
        counts = self._message_counts(tickets, messages_per_ticket)
        message_keys = iter(new_keys(Message, sum(counts)))
        numbers = new_keys(Ticket, tickets)
        for number, age, conversation, count in zip(numbers, opened, conversation_keys, counts, strict=True):
            keys = [next(message_keys) for _ in range(count)]
            _Story(self, rows, number, conversation, keys, self.now - age).tell()
        rows.write()

    def _meet_people(self, tickets: int) -> None:
        """A third of the mails are from somebody new; a company has four people who write."""
        companies = [Company(pk=key) for key in new_keys(Company, max(1, tickets // 12))]
        domains = []
        for company in companies:
            company.name = self.words.company()
            domains.append(CompanyDomain(company=company, domain=f"firm{company.pk}.sample.example"))
        contacts = [Contact(pk=key) for key in new_keys(Contact, max(1, tickets // 3))]
        addresses = []
        for contact in contacts:
            contact.name = self.words.person()
            contact.company = self.random.choice(companies) if self.random.random() < 0.8 else None
            domain = f"firm{contact.company_id}.sample.example" if contact.company else "post.sample.example"
            local = contact.name.lower().replace(" ", ".").translate(str.maketrans("äöåéü", "aoaeu"))
            address = f"{local}.{contact.pk}@{domain}"
            self.addresses[contact.pk] = address
            addresses.append(ContactAddress(contact=contact, address=address, is_primary=True))
        for rows in (domains, addresses):
            for row, key in zip(rows, new_keys(type(rows[0]), len(rows)), strict=True):
                row.pk = key
        for rows_of_people in (companies, domains, contacts, addresses):
            copy(rows_of_people)
        self.companies += companies
        self.contacts += contacts

    def _message_counts(self, tickets: int, mean: int) -> list[int]:
        """From one message to twice the mean, and the mean exactly."""
        counts = [mean] * (tickets % 2)
        for _ in range(tickets // 2):
            more = self.random.randrange(mean)
            counts += [mean - more, mean + more]
        self.random.shuffle(counts)
        return counts

    def _age(self) -> timedelta:
        """Two years, denser towards today, and by day rather than by night."""
        days = 730 * self.random.random() ** 2.2
        return timedelta(days=days, seconds=self.random.randrange(3600))


class _Story:
    """One ticket: who wrote when, and what that made of it. It follows the rules of Ticket.heard and Ticket.answered."""

    def __init__(
        self, author: _Author, rows: _Rows, number: int, conversation: int, keys: list[int], opened: datetime
    ) -> None:
        self.author, self.rows, self.keys = author, rows, keys
        self.random, self.words, self.now = author.random, author.words, author.now
        mailbox = self.random.choice(author.mailboxes)
        pipeline = author.pipelines[mailbox.pipeline_id] if mailbox.pipeline_id else author.default_pipeline
        self.statuses: dict[Kind, Status] = {kind: pipeline.first_status(kind) for kind in Kind}
        self.contact = contact = self.random.choice(author.contacts)
        self.address = author.addresses[contact.pk]
        self.mailbox = mailbox
        self.finnish = self.random.random() < 0.4
        subject = self.words.subject(self.finnish)
        new = self.statuses[Kind.NEW]
        self.ticket = Ticket(
            number=number,
            name=subject,
            pipeline=pipeline,
            status=new,
            turn=new.kind,
            turn_since=opened,
            priority=self.random.choices(list(Priority), [10, 70, 15, 5])[0],
            source=Source.EMAIL,
            contact=contact,
            company=contact.company,
            team_id=mailbox.team_id,
            opened_at=opened,
        )
        self.conversation = Conversation(
            pk=conversation,
            ticket=self.ticket,
            kind=ChannelKind.EMAIL,
            mailbox=mailbox,
            contact=contact,
            subject=subject,
            created_at=opened,
        )
        self.last_id = ""
        self.references: list[str] = []

    def tell(self) -> None:
        self.rows.tickets.append(self.ticket)
        self.rows.conversations.append(self.conversation)
        self._event(EventKind.CREATED, self.ticket.opened_at, None, source=str(Source.EMAIL))
        at = self.ticket.opened_at
        for place, key in enumerate(self.keys):
            if place:
                at = self._next_moment(at, len(self.keys) - place)
            self._say(key, at, self._who_is_next(place))
        self._maybe_close(at)
        self._maybe_seen()

    def _next_moment(self, after: datetime, still_to_come: int) -> datetime:
        """Within hours mostly, and always before now however much is still to come."""
        wished = timedelta(minutes=self.random.lognormvariate(5.0, 1.2))
        room = (self.now - after) / (still_to_come + 1)
        return after + min(wished, room)

    def _who_is_next(self, place: int) -> Direction:
        if place == 0:
            return Direction.IN
        if self.ticket.turn == Kind.WAITING_ON_CONTACT:
            return self.random.choices([Direction.IN, Direction.OUT, Direction.INTERNAL], [75, 15, 10])[0]
        return self.random.choices([Direction.OUT, Direction.IN, Direction.INTERNAL], [70, 15, 15])[0]

    def _say(self, key: int, at: datetime, direction: Direction) -> None:
        text = self.words.text(self.finnish, f"RX-{key}")
        ticket = self.ticket
        message = Message(
            pk=key, ticket=ticket, origin=ticket, direction=direction, kind=MessageKind.EMAIL, text=text, at=at
        )
        if direction == Direction.INTERNAL:
            message.kind = MessageKind.COMMENT
            message.author = self._agent()
        else:
            self._address_mail(message, at, direction)
        if self.random.random() < 0.5:
            message.html = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
        self.rows.messages.append(message)
        if direction == Direction.IN:
            self._heard(message)
        elif direction == Direction.OUT:
            self._answered(message)

    def _address_mail(self, message: Message, at: datetime, direction: Direction) -> None:
        contact = self.contact
        ours = Address(name=self.mailbox.name, address=self.mailbox.address)
        theirs = Address(name=contact.name, address=self.address)
        sender, receiver = (theirs, ours) if direction == Direction.IN else (ours, theirs)
        domain = sender["address"].rpartition("@")[2]
        message.conversation = self.conversation
        message.contact = contact
        message.from_name, message.from_address, message.to = sender["name"], sender["address"], [receiver]
        message.subject = self.ticket.name if not self.last_id else f"Re: {self.ticket.name}"
        message.message_id = f"sample.{message.pk}.{self.random.getrandbits(48):x}@{domain}"
        message.message_id_hash = id_hash(message.message_id)
        message.in_reply_to = self.last_id
        message.references = list(self.references)
        message.sent_at = at
        self.last_id = message.message_id
        self.references.append(message.message_id)

    def _heard(self, message: Message) -> None:
        self._count(message)
        self.ticket.last_inbound_at = message.at
        if self.ticket.message_count > 1 and self.ticket.turn != Kind.WAITING_ON_US:
            since = self.ticket.turn_since if self.ticket.turn == Kind.NEW else message.at
            self._move(Kind.WAITING_ON_US, since, message.at, None)

    def _answered(self, message: Message) -> None:
        ticket = self.ticket
        message.author = ticket.owner or self._agent()
        if ticket.owner is None:
            ticket.owner = message.author
            self._event(EventKind.OWNER, message.at, message.author, **{"from": "", "to": message.author.name})
        self._count(message)
        if ticket.turn in (Kind.NEW, Kind.WAITING_ON_US):
            self._move(Kind.WAITING_ON_CONTACT, message.at, message.at, message.author)
        outgoing = Outgoing(
            message=message,
            mailbox=self.mailbox,
            state=OutgoingState.SENT,
            mail_id=message.message_id,
            envelope_from=self.mailbox.address,
            due_at=message.at,
            tries=1,
            handed_over=True,
            last_answer="250 2.0.0 Ok",
            sent_at=message.at,
        )
        self.rows.outgoing.append(outgoing)
        self.rows.recipients.append(
            OutgoingRecipient(outgoing=outgoing, address=self.address, state="accepted", answer="250 2.1.5 Ok")
        )

    def _count(self, message: Message) -> None:
        self.ticket.message_count += 1
        self.ticket.preview = " ".join(message.text.split())[:200]
        self.ticket.last_message_at = message.at

    def _maybe_close(self, last: datetime) -> None:
        age = (self.now - self.ticket.opened_at).days
        share = next(share for days, share in OPEN_SHARES if age < days)
        if self.random.random() < share:
            return
        at = last + min(timedelta(hours=self.random.uniform(0.1, 72)), (self.now - last) / 2)
        if self.ticket.owner is None:
            self.ticket.owner = self._agent()
            self._event(EventKind.OWNER, at, self.ticket.owner, **{"from": "", "to": self.ticket.owner.name})
        self._move(Kind.CLOSED, at, at, self.ticket.owner)
        self.ticket.closed_at = at

    def _maybe_seen(self) -> None:
        """Owners have mostly read what was written to them."""
        owner, last = self.ticket.owner, self.ticket.last_message_at
        if owner and last and self.random.random() < 0.7:
            self.rows.seen.append(Seen(user=owner, ticket=self.ticket, at=last))

    def _move(self, kind: Kind, since: datetime, at: datetime, by: User | None) -> None:
        was, status = self.ticket.status, self.statuses[kind]
        self.ticket.status, self.ticket.turn, self.ticket.turn_since = status, status.kind, since
        self._event(EventKind.STATUS, at, by, **{"from": was.name, "to": status.name})

    def _event(self, kind: EventKind, at: datetime, by: User | None, **detail: Any) -> None:
        self.rows.events.append(Event(ticket=self.ticket, kind=kind, actor=by, at=at, detail=detail))

    def _agent(self) -> User:
        return self.random.choices(self.author.agents, self.author.weights)[0]


def _sample_mailbox() -> Mailbox:
    return Mailbox.objects.create(
        address=f"sample-{uuid.uuid4().hex[:8]}@desk.example",
        name="Sample support",
        uses_mail_room=settings.HELPDESK_MAIL_ROOM,
    )
