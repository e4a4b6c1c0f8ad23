"""A reply as the mail that leaves: rendered once, when it is written, so that every try sends the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

from inbox.mime import compose
from inbox.models import Attachment, Mailbox, Message
from people.models import User


def new_mail_id(message: Message, mailbox: Mailbox) -> str:
    raise NotImplementedError


def subject_for(subject: str) -> str:
    return compose.reply_subject(subject)


def references_for(answered: Message | None) -> list[str]:
    """RFC 5322, 3.6.4: those of the answered mail and its own id."""
    if answered is None:
        return []
    parents = answered.references or ([answered.in_reply_to] if answered.in_reply_to else [])
    return [mail_id for mail_id in [*parents, answered.message_id] if mail_id]


def render(message: Message, mailbox: Mailbox, attachments: Sequence[Attachment], *, by: User) -> bytes:
    raise NotImplementedError
