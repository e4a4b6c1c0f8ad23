"""Which conversation a mail belongs to (RFC 5322, 3.6.4), and whether its sender may write there.

In this order: what we signed ourselves, In-Reply-To, References from right to left. A subject never decides. Whoever is
no part of the ticket that was found opens one of their own, which is linked for somebody to look at.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, models

from inbox.mime.compose import read_reply_address, read_token
from inbox.mime.parse import ParsedMail
from inbox.models import Conversation, Mailbox, Message
from inbox.models.message import id_hash
from people.models import Contact, User
from people.models.company import free_mail_domains
from people.models.contact import normalised
from tickets.models import Kind, LinkKind, Ticket, TicketLink

MOST_IDS = 50
MOST_MESSAGES_ASKED = 500

# Not "VS:": it marks a forward in Norwegian and an answer in Finnish.
_FORWARD = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|doorst|i|vl|vb|videresendt|vidarebefordrat)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """Where a mail goes. Without a conversation it begins one; `refers_to` is then the ticket it has to do with."""

    conversation: Conversation | None = None
    answers: Message | None = None
    refers_to: tuple[Ticket, LinkKind] | None = None


def token_key() -> bytes:
    """The key that signs reply tokens (inbox.mime.compose), made from SECRET_KEY and used for nothing else."""
    return hmac.new(settings.SECRET_KEY.encode(), b"inbox.threading reply tokens", hashlib.sha256).digest()


def instance() -> str:
    """How this desk names itself in X-Desk-Instance, so that it knows its own mail when it comes back."""
    return hmac.new(token_key(), b"instance", hashlib.sha256).hexdigest()[:20]


def lock(mail: ParsedMail, *further: str) -> None:
    """Let nobody else land a mail of the same thread until this transaction ends.

    Two answers to one new thread would otherwise both find nothing and open two tickets. All ids are locked, since a
    mail that has only In-Reply-To does not name the root; in one order, so that nobody waits in a circle.
    """
    ids = [mail.message_id, mail.in_reply_to, *mail.references[:1], *mail.references[-5:], *further]
    keys = sorted({_lock_number(one) for one in ids if one})
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(key) FROM (SELECT unnest(%s::bigint[]) AS key ORDER BY 1) AS keys", [keys]
            )


def find(mail: ParsedMail, mailbox: Mailbox, *, at: datetime, quiet: bool = False, is_ours: bool = False) -> Place:
    """Where the mail goes that came to `mailbox` at `at`.

    `quiet` is an automatic answer, which never opens a ticket anew. `is_ours`: its sender is one of our mailboxes.
    """
    sender = normalised(mail.from_address)
    for conversation, message in _found(mail, mailbox):
        # What another team writes here is part of its own ticket there; only what we wrote back makes it ours.
        if is_ours and conversation.mailbox_id != mailbox.pk:
            continue
        if is_forward(mail.subject) and conversation.mailbox_id != mailbox.pk:
            continue
        if (mail.sender_doubtful and _is_one_of_us(sender)) or not _takes_part(sender, conversation):
            return Place(refers_to=(conversation.ticket, LinkKind.CHECK) if conversation.ticket else None)
        return _place(conversation, message, at=at, quiet=quiet)
    return Place()


def is_forward(subject: str) -> bool:
    return _FORWARD.match(subject) is not None


def _found(mail: ParsedMail, mailbox: Mailbox) -> Iterator[tuple[Conversation, Message | None]]:
    """Conversations that the mail may belong to, the surest first."""
    keys = [token_key()]
    addresses = [address for _name, address in [*mail.to, *mail.cc]]
    addresses += [mail.headers.get(name, "") for name in ("delivered-to", "x-original-to")]
    tickets = [number for address in addresses if (number := read_reply_address(address, keys))]
    ids = _ids(mail)
    signed = {token[1] for one in ids if (token := read_token(one, keys))}

    for number in tickets[:5]:
        conversation = _conversation_of(number, mailbox)
        if conversation:
            yield conversation, None
    known = _messages(models.Q(pk__in=signed), mailbox) if signed else []
    known += _messages(models.Q(message_id_hash__in=[id_hash(one) for one in ids]), mailbox) if ids else []
    by_id: dict[str, Message] = {}
    for message in known:
        by_id.setdefault(message.message_id, message)
    for one in ids:
        token = read_token(one, keys)
        # What we signed first: anybody can write a mail that bears the id of one of ours.
        answered = next((m for m in known if token and token[1] == m.pk), None) or by_id.get(one)
        if answered and answered.conversation:
            yield answered.conversation, answered
    yield from _found_by_answers(mail, mailbox)


def _found_by_answers(mail: ParsedMail, mailbox: Mailbox) -> Iterator[tuple[Conversation, Message | None]]:
    """By mails that answer this one, or that answer what this one answers and what we do not have (yet).

    An answer may come before what it answers: by two servers, or when two workers share a morning's mail.
    """
    ids = {one for one in (mail.message_id, mail.in_reply_to, *mail.references[:1]) if one}
    if not ids:
        return
    names = models.Q()
    for one in ids:
        names |= models.Q(references__contains=[one])
    related = Message.objects.filter(names, conversation__mailbox=mailbox).order_by("pk")
    for pk in related.values_list("conversation", flat=True)[:1]:
        yield _conversations().get(pk=pk), None


def _ids(mail: ParsedMail) -> list[str]:
    ids = dict.fromkeys(one for one in [mail.in_reply_to, *reversed(mail.references)] if one)
    ids.pop(mail.message_id, None)
    return list(ids) if len(ids) <= MOST_IDS else [*list(ids)[: MOST_IDS - 1], list(ids)[-1]]


def _messages(which: models.Q, mailbox: Mailbox) -> list[Message]:
    """Those of this mailbox first: one mail to two mailboxes of ours is a conversation in each."""
    here = models.Case(models.When(conversation__mailbox=mailbox, then=0), default=1)
    found = Message.objects.filter(which, conversation__isnull=False).select_related(
        "conversation__ticket__pipeline", "conversation__contact", "conversation__ticket__contact"
    )
    return list(found.order_by(here, "-pk")[:200])


def _conversation_of(number: int, mailbox: Mailbox) -> Conversation | None:
    here = models.Case(models.When(mailbox=mailbox, then=0), default=1)
    return _conversations().filter(ticket=number).order_by(here, "-created_at").first()


def _conversations() -> models.QuerySet[Conversation]:
    return Conversation.objects.select_related("ticket__pipeline", "contact", "ticket__contact")


def _place(conversation: Conversation, message: Message | None, *, at: datetime, quiet: bool) -> Place:
    ticket = conversation.ticket
    if ticket is None or _takes_mail(ticket, at=at, quiet=quiet):
        return Place(conversation, message)
    # It may have been answered before: what followed up on it is where this goes too.
    followed = (
        TicketLink.objects.filter(other=ticket, kind=LinkKind.FOLLOW_UP)
        .select_related("ticket__pipeline")
        .order_by("-pk")
    )
    for link in followed[:5]:
        further = link.ticket.conversations.filter(contact=conversation.contact).order_by("-pk").first()
        if further and _takes_mail(link.ticket, at=at, quiet=quiet):
            return Place(further, None)
    return Place(refers_to=(ticket, LinkKind.FOLLOW_UP))


def _takes_mail(ticket: Ticket, *, at: datetime, quiet: bool) -> bool:
    if ticket.trashed_at is not None:
        return False
    if quiet or ticket.turn != Kind.CLOSED or ticket.closed_at is None:
        return True
    return ticket.pipeline.reopens(ticket.closed_at, at)


def _is_one_of_us(address: str) -> bool:
    return User.objects.active().filter(email=address).exists() or Mailbox.objects.filter(address=address).exists()


def _takes_part(sender: str, conversation: Conversation) -> bool:
    """Whether `sender` has a part in the ticket: its contact, somebody on its mails, an agent, or a colleague of theirs."""
    if not sender:
        return False
    ticket = conversation.ticket
    contacts = [one for one in (conversation.contact, ticket.contact if ticket else None) if one is not None]
    people = Contact.objects.filter(pk__in=[one.pk for one in contacts])
    if people.filter(addresses__address=sender).exists() or User.objects.active().filter(email=sender).exists():
        return True
    domain = sender.rpartition("@")[2]
    if domain not in free_mail_domains() and people.filter(company__domains__domain=domain).exists():
        return True
    messages = ticket.messages if ticket else conversation.messages
    on_mails = messages.order_by("-at").values_list("from_address", "to", "cc", "bcc")[:MOST_MESSAGES_ASKED]
    return any(sender in _addresses(*row) for row in on_mails)


def _addresses(author: str, *lists: Iterable[dict[str, str]]) -> set[str]:
    return {normalised(author), *(normalised(entry["address"]) for entries in lists for entry in entries)}


def _lock_number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big", signed=True)
