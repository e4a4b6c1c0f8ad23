"""Valid things for tests. Name only the fields the test is about."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from django.utils import timezone

from inbox.models import Conversation, Direction, Mailbox, Message, MessageKind
from inbox.models.message import id_hash
from people.models import Contact, Membership, Role, Team, User
from tickets.models import Kind, Pipeline, Source, Ticket

PASSWORD = "correct horse battery"
_count = itertools.count(1)


def make_user(role: str = Role.AGENT, *, team: Team | None = None, **fields: Any) -> User:
    number = next(_count)
    fields.setdefault("email", f"user{number}@desk.example")
    fields.setdefault("name", f"User {number}")
    fields.setdefault("password", PASSWORD)
    fields.setdefault("undo_seconds", 0)  # what they send leaves at once, unless a test is about undoing
    user = User.objects.create_user(role=role, **fields)
    if team:
        Membership.objects.create(user=user, team=team)
    return user


def make_team(name: str = "") -> Team:
    return Team.objects.create(name=name or f"Team {next(_count)}")


def make_pipeline(name: str = "Support", **fields: Any) -> Pipeline:
    """New, Waiting on us, Waiting on contact, Closed. The same name gives the same pipeline."""
    pipeline = Pipeline.with_usual_statuses(name)
    for field, value in fields.items():
        setattr(pipeline, field, value)
    pipeline.save()
    return pipeline


def make_contact(address: str = "", name: str = "Elina Saarinen") -> Contact:
    return Contact.objects.for_address(address or f"contact{next(_count)}@customer.example", name)


def make_ticket(*, kind: Kind = Kind.NEW, now: datetime | None = None, trashed: bool = False, **fields: Any) -> Ticket:
    now = now or timezone.now()
    fields.setdefault("name", "Wrong size delivered")
    if "pipeline" not in fields:
        fields["pipeline"] = make_pipeline()
    fields.setdefault("source", Source.EMAIL)
    if "contact" not in fields:
        fields["contact"] = make_contact()
    fields.setdefault("status", fields["pipeline"].first_status(kind))
    ticket = Ticket.objects.begin(fields.pop("name"), now=now, **fields)
    if trashed:
        ticket.trashed_at = now
        ticket.save(update_fields=["trashed_at"])
    return ticket


def make_mailbox(address: str = "", **fields: Any) -> Mailbox:
    """A mailbox that receives by pipe; name imap_host and the rest for one that fetches."""
    fields.setdefault("name", "Korpi Support")
    fields.setdefault("smtp_host", "127.0.0.1")
    return Mailbox.objects.create(address=address or f"team{next(_count)}@desk.example", **fields)


def make_message(
    ticket: Ticket, *, direction: str = Direction.IN, now: datetime | None = None, **fields: Any
) -> Message:
    """A message on a ticket, in its newest conversation or that of `mailbox` (made if there is none); the ticket's counts
    follow.
    """
    now = now or timezone.now()
    number = next(_count)
    mailbox = fields.pop("mailbox", None)
    conversations = ticket.conversations.filter(mailbox=mailbox) if mailbox else ticket.conversations.all()
    conversation = conversations.first()
    if conversation is None and direction != Direction.INTERNAL:
        mailbox = mailbox or make_mailbox()
        conversation = Conversation.objects.create(
            ticket=ticket, mailbox=mailbox, contact=ticket.contact, subject=ticket.name, created_at=now
        )
    fields.setdefault("text", "The jacket is a size S, I ordered an M.")
    fields.setdefault("kind", MessageKind.COMMENT if direction == Direction.INTERNAL else MessageKind.EMAIL)
    fields.setdefault("message_id", "" if direction == Direction.INTERNAL else f"m{number}@customer.example")
    if direction == Direction.IN and ticket.contact:
        fields.setdefault("contact", ticket.contact)
        fields.setdefault("from_address", ticket.contact.address)
        fields.setdefault("from_name", ticket.contact.name)
    fields.setdefault("subject", ticket.name)
    message = Message.objects.create(
        ticket=ticket,
        origin=ticket,
        conversation=conversation,
        direction=direction,
        at=now,
        message_id_hash=id_hash(fields["message_id"]),
        **fields,
    )
    if direction == Direction.IN:
        ticket.heard(at=now, preview=message.text)
    return message
