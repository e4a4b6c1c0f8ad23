"""What is looked at before anything is sent: whether one may, and what people regret (`inbox.checking`)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from inbox import checking
from inbox.addressing import Recipients
from inbox.errors import CheckFailed, DueInThePast, MayNotReply, TicketInTrash, TooFarAhead
from inbox.models import Draft, Message, Outgoing, OutgoingState
from inbox.releasing import addresses_of_contacts
from inbox.writing import Body
from people.models import User
from people.models.contact import normalised
from tickets.models import Ticket

FURTHEST = timedelta(days=365)
_LONG = ("text", "html", "quoted_text", "quoted_html", "references")


def may_write(ticket: Ticket, by: User, now: datetime, due_at: datetime | None) -> None:
    """Holds the ticket from here on. Raises a ReplyError for whoever may not write there now, or not for then."""
    if not by.may_reply:
        raise MayNotReply
    # Two who send at once are one after the other from here on: the second sees what the first wrote.
    ticket.refresh_from_db(from_queryset=Ticket.objects.select_for_update())
    if ticket.trashed_at is not None:
        raise TicketInTrash
    if due_at is not None and due_at <= now:
        raise DueInThePast
    if due_at is not None and due_at > now + FURTHEST:
        raise TooFarAhead(FURTHEST.days)


def insist(
    draft: Draft, body: Body, recipients: Recipients, overrides: Collection[str], *, has_files: bool
) -> list[str]:
    """The names of the checks that were insisted on. Raises CheckFailed with all that there are otherwise."""
    addresses = [entry["address"] for entry in (*recipients.to, *recipients.cc, *recipients.bcc)]
    known = addresses_of_contacts(draft.ticket)
    twice = _sent_twice(draft)
    found = [twice] if twice else []
    found += checking.checks(
        draft,
        body,
        addresses,
        _messages_to_ask(draft, known.issuperset(map(normalised, addresses))),
        known=known,
        has_files=has_files,
    )
    if any(check.name not in overrides for check in found):
        raise CheckFailed(found)
    return [check.name for check in found]


def _replaced(draft: Draft) -> int | None:
    """The message that this is written anew for: the form says so, or the draft that was kept of it."""
    if draft.replaces_id:
        return draft.replaces_id
    kept = Draft.objects.filter(user=draft.user, ticket=draft.ticket, mode=draft.mode, deleted_at=None)
    return kept.values_list("replaces", flat=True).first()


def _sent_twice(draft: Draft) -> checking.Check | None:
    message = _replaced(draft)
    if message is None:
        return None
    original = Outgoing.objects.select_related("replaced_by__author").filter(message=message).first()
    return checking.replaced(original) if original else None


def _messages_to_ask(draft: Draft, knows_everybody: bool) -> list[Message]:
    """Oldest first; of a long conversation only what came since, unless somebody is to be looked for in all of it."""
    messages = draft.ticket.messages.select_related("author", "contact").defer(*_LONG).order_by("pk")
    messages = messages.exclude(outgoing__state=OutgoingState.CANCELLED)
    if knows_everybody:
        messages = messages.filter(pk__gt=draft.begun_after) if draft.begun_after else messages.none()
    return list(messages)
