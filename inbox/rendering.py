"""A reply as the mail that leaves: rendered before its first try, so that every try sends the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.html import escape

from inbox.mime.compose import OutgoingAttachment, OutgoingMail, compose
from inbox.models import Attachment, Mailbox, Message
from inbox.models.message import Address
from inbox.threading import instance
from people.models import User


def references_for(answered: Message | None) -> list[str]:
    """RFC 5322, 3.6.4: those of the answered mail, or what it answered itself, and its own id."""
    if answered is None:
        return []
    parents = answered.references or ([answered.in_reply_to] if answered.in_reply_to else [])
    return list(dict.fromkeys(mail_id for mail_id in [*parents, answered.message_id] if mail_id))


def render(message: Message, mailbox: Mailbox, attachments: Sequence[Attachment], *, by: User) -> bytes:
    """The whole mail: what was written, the signatures, what it answers, and the files."""
    signature = signature_of(by, mailbox)
    return compose(
        OutgoingMail(
            message_id=message.message_id,
            date=message.at,
            from_name=mailbox.name,
            from_address=mailbox.address,
            to=_pairs(message.to),
            cc=_pairs(message.cc),
            reply_to=[(mailbox.name, mailbox.address)],
            subject=message.subject,
            text=_paragraphs(message.text, signature, message.quoted_text),
            html=_html(message, signature),
            in_reply_to=message.in_reply_to,
            references=message.references,
            attachments=[_file(attachment) for attachment in attachments],
            # Providers may give a mail an id of their own; ours travels along so that our copy is known again.
            headers={"X-Desk-Instance": instance(), "X-Desk-Message": message.message_id},
        )
    )


def signature_of(user: User, mailbox: Mailbox) -> str:
    """The agent's above the mailbox's."""
    return _paragraphs(user.signature, mailbox.signature, between="\n")


def _html(message: Message, signature: str) -> str:
    parts = [f"<div>{message.html}</div>"]
    if signature:
        lines = "<br>\n".join(escape(line) for line in signature.splitlines())
        parts.append(f'<div style="margin-top: 1em">{lines}</div>')
    if message.quoted_html:
        parts.append(f'<div style="margin-top: 1em">{message.quoted_html}</div>')
    return "\n".join(parts)


def _paragraphs(*texts: str, between: str = "\n\n") -> str:
    return between.join(text.strip("\r\n") for text in texts if text.strip())


def _pairs(addresses: Sequence[Address]) -> list[tuple[str, str]]:
    return [(entry["name"], entry["address"]) for entry in addresses]


def _file(attachment: Attachment) -> OutgoingAttachment:
    with attachment.file.open("rb") as file:
        return OutgoingAttachment(
            name=attachment.name,
            content_type=attachment.content_type,
            content_id=attachment.content_id,
            inline=attachment.inline,
            data=file.read(),
        )
