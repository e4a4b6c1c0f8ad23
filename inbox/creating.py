"""A ticket made by hand with all that belongs to it: a description, earlier activities, the first message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from helpdesk.html import has_words
from inbox.commenting import comment
from inbox.models import Draft, DraftMode
from inbox.replying import send
from people.models import User
from tickets.associating import add_earlier
from tickets.creating import create_by_hand
from tickets.models import Ticket


def create(
    values: Mapping[str, Any],
    *,
    by: User,
    now: datetime,
    form_key: UUID | None = None,
    earlier: bool = False,
    since: datetime | None = None,
    overrides: Collection[str] | None = frozenset(),
) -> Ticket:
    """Make the ticket, or nothing at all. The same `form_key` again gives the ticket that it made the first time.

    A `description` becomes the first comment, a `message` the first mail to the contact, which waits for its undo as
    any other; `overrides` are those of `replying.send`. Raises a TicketError, or a ReplyError when the message cannot be
    sent, CheckFailed among them.
    """

    def make() -> Ticket:
        ticket, is_new = create_by_hand(values, by=by, now=now, form_key=form_key)
        if not is_new:
            return ticket
        if description := str(values.get("description") or "").strip():
            comment(ticket, by=by, text=description, now=now)
        if earlier:
            add_earlier(ticket, since=since, by=by, now=now)
        text, html = str(values.get("message") or "").strip(), str(values.get("message_html") or "")
        if text or has_words(html):
            first = Draft(user=by, ticket=ticket, mode=DraftMode.REPLY, text=text, html=html)
            first.form_key = form_key or first.form_key
            send(first, by=by, overrides=overrides, now=now)
        return ticket

    try:
        with transaction.atomic():
            return make()
    except IntegrityError:
        # A double click: the other one made it in between.
        made = Ticket.objects.filter(form_key=form_key, created_by=by).first() if form_key else None
        if made is None:
            raise
        return made
