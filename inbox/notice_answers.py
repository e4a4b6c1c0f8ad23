"""Somebody answers the mail of a notification: it becomes a comment of theirs, never a mail to the customer.

What we signed says whom the notification went to and on which ticket. The answer counts only from that user's own
address, unless our mail server says that it did not send it, while they are active and see the ticket. Whatever else
bears the form of such an answer is kept in quarantine, named, where an admin sees it: it opens no ticket, and nobody's
words are put into the contact's mouth.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from helpdesk import html as safe_html
from inbox import commenting
from inbox.mime.automatic import Kind as AutomaticKind
from inbox.mime.compose import Notice, looks_like_notice, read_notice, without_notices
from inbox.models import Direction, Incoming, Message, MessageKind
from inbox.reading import Reading
from inbox.threading import token_key
from people.models import User
from people.models.contact import normalised
from tickets.models import Ticket

MACHINES = {
    AutomaticKind.AUTO_REPLY: "notice_auto_reply",  # somebody is away
    AutomaticKind.BOUNCE: "notice_bounce",
    AutomaticKind.DELIVERY_REPORT: "notice_report",
    AutomaticKind.READ_RECEIPT: "notice_report",
    AutomaticKind.FEEDBACK_REPORT: "notice_report",
    AutomaticKind.DMARC_REPORT: "notice_report",
    # Precedence: bulk or list: it was sent round.
    AutomaticKind.BULK: "notice_bulk",
    AutomaticKind.LIST: "notice_bulk",
}

LASTS = timedelta(days=60)
"""So long a notification can be answered: a mail that somebody finds years later opens nothing."""


MOST_SEARCHED = 20_000


class NoticeRefusal(StrEnum):
    """Why an answer to a notification becomes no comment; with this word its row begins to tell the reason."""

    NOT_SIGNED = "notice_not_signed"
    TOO_OLD = "notice_too_old"
    NOT_THEIRS = "notice_not_theirs"
    NOT_PROVEN = "notice_not_proven"
    NOT_ACTIVE = "notice_not_active"
    NOT_SEEN = "notice_not_seen"
    EMPTY = "notice_empty"


# For the admin's list, which is in English like the other reasons there.
_REASONS = {
    NoticeRefusal.NOT_SIGNED: "It answers a notification that this help desk did not send.",
    NoticeRefusal.TOO_OLD: "It answers a notification that is too old to be answered.",
    NoticeRefusal.NOT_THEIRS: "Its sender is not the user whom the notification went to.",
    NoticeRefusal.NOT_PROVEN: "Somebody else may have written it in the name of its sender: its From fails DMARC.",
    NoticeRefusal.NOT_ACTIVE: "The user whom the notification went to is switched off.",
    NoticeRefusal.NOT_SEEN: "The user whom the notification went to does not see the ticket any more.",
    NoticeRefusal.EMPTY: "There is nothing in it but what it quotes.",
}


def take(incoming: Incoming, read: Reading, attach: Callable[[Message], None], *, now: datetime) -> bool:
    """Settle a mail that answers a notification, or reports on one; False for any other mail.

    `attach` puts the files of the mail on the comment.
    """
    ids = [read.mail.in_reply_to, *read.mail.references, read.mail.returned_headers.get("message-id", "")]
    ids += [read.bounce.message_id] if read.bounce else []
    keys = [token_key()]
    token = next(filter(None, (read_notice(one, keys) for one in ids)), None)
    named = token is not None or any(looks_like_notice(one) for one in ids)
    # Some mail programs leave the ids out; then what they quote of our mail still says which it was.
    token = token or read_notice(read.quoted_text[-MOST_SEARCHED:], keys)
    if not named and token is None:
        return False
    if refusal_of_machine := _written_by_machine(read):
        incoming.finish(f"refused:{refusal_of_machine}")
        return True
    refusal, user, ticket = _who_and_where(token, read, incoming.received_at)
    if refusal == NoticeRefusal.NOT_THEIRS and not named:
        return False  # a customer to whom somebody passed it on: theirs is a mail like any other
    if refusal or user is None or ticket is None:
        incoming.quarantine(f"{refusal}: {_REASONS[refusal or NoticeRefusal.NOT_SIGNED]}")
        return True
    message = Message.objects.create(
        ticket=ticket,
        origin=ticket,
        direction=Direction.INTERNAL,
        kind=MessageKind.COMMENT,
        author=user,
        from_name=user.name,
        from_address=user.email,
        text=without_notices(read.text),
        # Foreign looks and names that its sender did not choose from the list stay out of our own words.
        html=without_notices(safe_html.without_mentions(safe_html.clean_editor(read.html))) if read.html else "",
        incoming=incoming,
        at=min(incoming.received_at, now),
    )
    attach(message)
    commenting.tell_of_comment(message, commenting.Named([], []), by=user, now=now)
    incoming.finish("appended")
    return True


def _written_by_machine(read: Reading) -> str:
    """Its refusal; "" for what a person wrote. Mail programs of people suppress automatic answers too, and that is fine."""
    if read.automatic in MACHINES:
        return MACHINES[AutomaticKind(read.automatic)]
    by_machine = read.mail.auto_submitted not in ("", "no") or read.automatic == AutomaticKind.HELP_DESK
    return "notice_auto_reply" if by_machine else ""


def _who_and_where(
    token: Notice | None, read: Reading, received_at: datetime
) -> tuple[NoticeRefusal | None, User | None, Ticket | None]:
    if token is None:
        return NoticeRefusal.NOT_SIGNED, None, None
    user = User.objects.filter(pk=token.user).first()
    if user is None or not user.is_active:
        return NoticeRefusal.NOT_ACTIVE, None, None
    if normalised(read.mail.from_address) != normalised(user.email):
        return NoticeRefusal.NOT_THEIRS, None, None
    if read.mail.sender_doubtful:
        return NoticeRefusal.NOT_PROVEN, None, None
    if received_at.date() - token.made > LASTS:
        return NoticeRefusal.TOO_OLD, None, None
    ticket = Ticket.objects.visible_to(user).filter(pk=token.ticket).first()
    if ticket is None:
        return NoticeRefusal.NOT_SEEN, user, None
    if not read.text.strip() and not read.mail.attachments:
        return NoticeRefusal.EMPTY, user, ticket
    return None, user, ticket
